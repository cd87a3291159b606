//! `kua inspect`: explain one chain, from a file, a record or a live host.

mod browsers;
mod certificate;
mod page;
mod source;
mod tree;

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use kua::measurement::Measurement;
use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::verdict::{Judgement, judge};
use kua_console::{CommonArgs, FailOn, Moment, ReferenceArgs, Trouble, judged, now, parse_moment};
use kua_probes::machine::local::local_anchors;
use kua_probes::machine::read::Machine;
use kua_probes::machine::search::search;

use super::control::ControlArgs;
use super::probe::NetworkArgs;

/// Explain one chain: who signed whom, who trusts it, and what it shows
///
/// Reads certificates (PEM or DER), measurement records (JSONL, as `kua probe --out` and OONI write
/// them), or connects to a live host. Signatures are checked by key, never by name.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Inspect {
    #[arg(value_name = "FILE or HOST[:PORT]", help = SUBJECT)]
    subject: String,
    /// The name that the chain was presented for; without it, the leaf's own first name
    #[arg(long, value_name = "NAME", help_heading = "Judging")]
    name: Option<String>,
    /// Judge as of TIME (RFC 3339) instead of the record's time, or now
    #[arg(long, value_name = "TIME", value_parser = parse_moment, help_heading = "Judging")]
    at: Option<Moment>,
    #[command(flatten)]
    control: ControlArgs,
    /// Exit with 3 if any judgement is at least so sure of something bad
    #[arg(long, value_name = "LEVEL", help_heading = "Judging")]
    fail_on: Option<FailOn>,
    /// What standard output holds: an explanation, or one judgement a line
    #[arg(long, value_enum, default_value = "text", help_heading = "Output")]
    format: Format,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    reference: ReferenceArgs,
}

const SUBJECT: &str = "A PEM, DER or JSONL file, `-` for standard input, or a live HOST[:PORT]";

const EXAMPLES: &str = "\
Examples:
  kua inspect example.org
  kua inspect chain.pem --name example.org --at 2023-10-16T13:06:00Z
  kua inspect records.jsonl --control clean.jsonl
  openssl s_client -connect example.org:443 -showcerts </dev/null | kua inspect -";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// An explanation for people
    Text,
    /// One judgement a line
    Json,
}

impl Inspect {
    /// Reads, judges and explains.
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        let reference = self.reference.load()?;
        let mut surroundings = self.control.load(&reference)?;
        let now = now(self.at)?;
        let mut out = anstream::stdout().lock();
        let mut reached = false;
        let mut shown = 0_u64;
        let mut seen = self.measurements(now, &reference, &mut surroundings)?;
        for (measurement, _) in &mut seen {
            self.adjust(measurement);
            surroundings.add(measurement, &reference);
        }
        for (measurement, line) in &seen {
            let judgements = judge(measurement, &reference, &surroundings, *line);
            for (position, judgement) in judgements.iter().enumerate() {
                let shaken = measurement.handshakes.get(position);
                match self.format {
                    Format::Json => writeln!(out, "{}", json(judgement)?)?,
                    Format::Text => {
                        if shown > 0 {
                            writeln!(out)?;
                        }
                        page::write(&mut out, shaken, judgement, &reference, common.verbose > 0)?;
                    }
                }
                shown += 1;
                reached |= self.fail_on.is_some_and(|level| level.reached_by(judgement));
            }
        }
        Ok(judged(reached))
    }

    /// All that is to be explained, each with its line: one is judged beside the others, and what is
    /// seen from here beside the keys that this machine trusts.
    fn measurements(
        &self,
        now: Moment,
        reference: &Reference,
        surroundings: &mut Surroundings,
    ) -> Result<Vec<(Measurement, Option<u64>)>, Trouble> {
        Ok(match source::open(&self.subject)? {
            source::Source::Certificates(chain) => vec![(source::measurement(chain, now), None)],
            source::Source::Records(records) => {
                let mut seen = Vec::new();
                records.each(&mut |measurement, line| {
                    seen.push((measurement, line));
                    Ok(())
                })?;
                seen
            }
            source::Source::Live(target) => {
                surroundings.local_anchors = local_anchors(&search(&Machine::this()), reference);
                let measured = self.network.measure_one(&target, now, reference)?;
                measured.into_iter().map(|measurement| (measurement, None)).collect()
            }
        })
    }

    /// Puts in place what the command line says of name and time.
    fn adjust(&self, measurement: &mut Measurement) {
        if let Some(at) = self.at {
            measurement.started = Some(at);
        }
        if let Some(name) = &self.name {
            for shaken in &mut measurement.handshakes {
                shaken.server_name = Some(name.clone());
            }
        }
    }
}

fn json(judgement: &Judgement) -> Result<String, Trouble> {
    serde_json::to_string(judgement)
        .map_err(|error| Trouble::new("cannot write a judgement").because(error))
}
