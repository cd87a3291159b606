//! `kua probe`: measure, judge here, show; send records only where that is asked for and agreed to.

mod output;
mod plan;
mod run;
mod screen;
mod sending;
mod summary;

use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum, value_parser};
use kua::measurement::{Measurement, Target, Vantage};
use kua::reference::Reference;
use kua_console::{CommonArgs, FailOn, Moment, ReferenceArgs, Trouble, judged};
use kua_probes::family::Family;
use kua_probes::https::Https;
use kua_probes::machine::local::local_anchors;
use kua_probes::machine::read::Machine;
use kua_probes::machine::search::search;
use kua_probes::resolver::{Resolver, Server};
use kua_probes::route::Route;
use kua_probes::suite::BUILT_IN;
use kua_probes::target;

use self::output::Output;
use self::plan::Plan;
use self::run::{Ended, Run};
use self::screen::Screen;
use self::sending::{Sent, SubmitArgs};
use super::control::ControlArgs;

/// Measure sites and judge what they present
///
/// Connects to each site as a browser would, keeps the whole certificate chain that is presented,
/// and judges it on this machine. At most 4 addresses of each family (IPv4, IPv6) of a name are
/// tried. No request is sent after the handshake, and nothing is sent to anyone else, unless you ask for
/// that with --submit.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Probe {
    /// Sites to probe: `HOST`, `HOST:PORT`, `[V6]:PORT` or `https://` URLs
    ///
    /// Without a target and without --suite, the suite `popular` is probed.
    #[arg(value_name = "TARGET", value_parser = target::parse)]
    targets: Vec<Target>,
    #[arg(long, value_name = "NAME or FILE", help = suites())]
    suite: Vec<String>,
    /// Probe also where a suite warns of doing so, and send what --submit sends, without asking
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    vantage: VantageArgs,

    #[command(flatten)]
    control: ControlArgs,
    /// Exit with 3 if any judgement is at least so sure of something bad
    #[arg(long, value_name = "LEVEL", help_heading = "Judging")]
    fail_on: Option<FailOn>,

    /// Append each measurement to FILE, one JSON record a line; `-` is standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    out: Option<String>,
    /// What standard output holds: a table, or one judgement a line
    ///
    /// Either is written at the end of the run, when each site is judged beside all that the run saw;
    /// what standard error shows meanwhile is judged beside what was seen before.
    #[arg(long, value_enum, default_value = "text", help_heading = "Output")]
    format: Format,

    #[command(flatten)]
    submit: SubmitArgs,

    #[command(flatten)]
    reference: ReferenceArgs,
}

const _: () = assert!(kua_probes::MAX_ADDRESSES == 4, "the help above says so");

const EXAMPLES: &str = "\
Examples:
  kua probe
  kua probe example.com https://example.org:8443/ 192.0.2.1
  kua probe --suite kz-2021 --yes --cc KZ --asn 9198 --out records.jsonl
  kua probe --suite popular --control clean.jsonl --fail-on probable
  kua probe --format json --resolver tls://9.9.9.9 example.org
  kua probe --connect-to example.org:443:192.0.2.7:443 example.org
  kua probe --cc KZ --asn 9198 --submit https://collector.example";

/// How sites are reached.
#[derive(Args)]
pub(super) struct NetworkArgs {
    /// Who is asked for addresses: system, udp://ADDRESS:PORT, tcp://ADDRESS:PORT, tls://HOST:PORT
    /// or https://HOST/PATH
    #[arg(long, value_name = "RESOLVER", default_value = "system", help_heading = "Network")]
    resolver: Server,
    /// Connect to ADDR:PORT2 for HOST:PORT, as curl does; may be repeated
    ///
    /// An empty HOST or PORT matches any, an empty ADDR or PORT2 keeps the site's own. The name
    /// that is sent and judged stays HOST, and no address of it is looked up.
    #[arg(long, value_name = "HOST:PORT:ADDR:PORT2", help_heading = "Network")]
    connect_to: Vec<Route>,
    /// How many sites are probed at a time
    #[arg(
        long, value_name = "N", default_value = "64", help_heading = "Network",
        value_parser = value_parser!(u16).range(1..=1000),
    )]
    concurrency: u16,
    /// Seconds that each step (query, connection, handshake) may take
    #[arg(
        long, value_name = "S", default_value = "10", help_heading = "Network",
        value_parser = value_parser!(u64).range(1..=300),
    )]
    timeout: u64,
    /// Only IPv4 addresses of names
    #[arg(short = '4', action = ArgAction::SetTrue, conflicts_with = "ipv6", help_heading = "Network")]
    ipv4: bool,
    /// Only IPv6 addresses of names
    #[arg(short = '6', action = ArgAction::SetTrue, help_heading = "Network")]
    ipv6: bool,
}

#[derive(Args)]
struct VantageArgs {
    /// Country that this network is in, for the record
    #[arg(
        long, value_name = "CC", default_value = "ZZ", hide_default_value = true,
        value_parser = country, help_heading = "Vantage point",
    )]
    cc: String,
    /// Number of this network's autonomous system, for the record
    #[arg(
        long, value_name = "N", default_value = "0", hide_default_value = true,
        value_parser = autonomous_system, help_heading = "Vantage point",
    )]
    asn: u32,
    /// Name of this network's operator, for the record
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true,
        help_heading = "Vantage point"
    )]
    network: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, and what it means
    Text,
    /// One judgement a line
    Json,
}

/// Ends like a program that a signal ended.
const INTERRUPTED: u8 = 130;

impl Probe {
    /// Measures and judges.
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        let only = self.submit.only();
        let mut sending = self.submit.open()?;
        let vantage = self.vantage.into_vantage();
        if let Some(mut sending) = sending.take_if(|_| only) {
            sending.resume()?;
            return Ok(sending.send(common)?.into());
        }
        let plan = Plan::new(self.targets, &self.suite)?;
        let reference = self.reference.load()?;
        let mut surroundings = self.control.load(&reference)?;
        let mut output = Output::open(self.out.as_deref(), self.format == Format::Json)?;
        let leaves = sending.as_ref().map(|sending| sending.announcement(&vantage));
        if !plan.agreed(self.yes, leaves.as_deref())? {
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(sending) = &mut sending {
            sending.begin(&vantage)?;
        }
        output.sending = sending;
        surroundings.local_anchors = local_anchors(&search(&Machine::this()), &reference);
        let runtime = runtime()?;
        let https = runtime.block_on(self.network.https(vantage))?;
        let screen = Screen::new(plan.targets.len(), common.verbose);
        let mut run = Run::new(&https, &reference, surroundings, output, screen);
        let ended = runtime.block_on(run.measure(&plan.targets, self.network.concurrency.into()));
        // A look-up that the system still waits for must not keep the program.
        runtime.shutdown_background();
        let ended = ended?;
        run.settle()?;
        match ended {
            Ended::AtOnce => {
                run.leave()?;
                return Ok(ExitCode::from(INTERRUPTED));
            }
            Ended::Done => {}
        }
        let reached = |level: FailOn| run.judgements().iter().any(|found| level.reached_by(found));
        let reached = self.fail_on.is_some_and(reached);
        let sending = run.conclude(plan.targets.len())?;
        match sending.map(|sending| sending.send(common)).transpose()? {
            Some(Sent::Interrupted) => Ok(ExitCode::from(INTERRUPTED)),
            Some(Sent::Done) | None => Ok(judged(reached)),
        }
    }
}

impl NetworkArgs {
    /// Measures one site for a command that shows it.
    pub(super) fn measure_one(
        &self,
        target: &Target,
        started: Moment,
        reference: &Reference,
    ) -> Result<Vec<Measurement>, Trouble> {
        let runtime = runtime()?;
        let https = runtime.block_on(self.https(Vantage::default()))?;
        let measurements = runtime.block_on(https.measure(target, started, reference));
        runtime.shutdown_background();
        Ok(measurements)
    }

    async fn https(&self, vantage: Vantage) -> Result<Https, Trouble> {
        let limit = Duration::from_secs(self.timeout);
        let resolver = Resolver::open(self.resolver.clone(), limit).await.map_err(|error| {
            Trouble::new(format!("cannot use the resolver {}", self.resolver)).because(error)
        })?;
        let routes = self.connect_to.clone();
        Ok(Https { resolver, routes, families: self.families(), limit, vantage })
    }

    /// A family without a way out would fail for every site and say nothing about any.
    fn families(&self) -> Vec<Family> {
        match (self.ipv4, self.ipv6) {
            (true, _) => vec![Family::V4],
            (_, true) => vec![Family::V6],
            _ => {
                let routed = Family::ALL.into_iter().filter(|family| family.is_routed());
                let routed: Vec<_> = routed.collect();
                if routed.is_empty() { Family::ALL.to_vec() } else { routed }
            }
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Trouble::new("cannot start").because(error))
}

impl VantageArgs {
    fn into_vantage(self) -> Vantage {
        Vantage { country: self.cc, asn: self.asn, network: self.network }
    }
}

fn suites() -> String {
    let names: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    format!("Probe the sites of a suite: {}, or of a file; may be repeated", names.join(", "))
}

/// ISO 3166-1 alpha-2, in either case.
fn country(text: &str) -> Result<String, String> {
    let letters = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    letters.then(|| text.to_ascii_uppercase()).ok_or_else(|| "write it as KZ".into())
}

/// `9198` or `AS9198`.
fn autonomous_system(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("AS").unwrap_or(text);
    digits.parse().map_err(|_| "write it as 9198".into())
}
