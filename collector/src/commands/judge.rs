//! `kua-collector judge`

mod difference;

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use clap::builder::{OsStringValueParser, TypedValueParser};
use kua::measurement::Measurement;
use kua::memory::Memory;
use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::verdict::judge_with;
use kua_archive::{Archive, Place};
use kua_collector::import::{IMPORTS, Inputs, ReadError, read_control};
use kua_collector::judging::{Grouping, Judging, JudgingError, Options, Setting};
use kua_collector::scope::Scope;
use kua_collector::trouble::of_archive;
use kua_console::{CommonArgs, FailOn, ReferenceArgs, Trouble, judged};

use super::refusals::Refusals;
use super::{name_damaged, say};

/// Judge measurements again, with the reference data of today
///
/// Judgements of an archive are stored in it, by the version of rules and reference data that they
/// were made with, as far as it is settled. A record is judged again only where the version is new, or
/// where it is told something else of what was seen beside it, by the same run and for the same name
/// by others. Then every judgement is printed, one a line, in the order of the records: `line` is a
/// record's number in the archive, or its line in its file. --format text says instead how many were
/// judged anew and how many there are of each verdict; --format json prints and stores nothing. A
/// record that cannot be read is named and the rest is judged.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kua-collector judge --archive kz\n  \
    kua-collector judge --archive kz --cc KZ --since 2023-10-01 --until 2023-10-31\n  \
    kua-collector judge --archive kz --format text\n  \
    kua-collector judge --archive kz --diff 1f0c\n  \
    kua-collector judge measurements.jsonl.gz --control control.jsonl --fail-on confirmed")]
pub(crate) struct Judge {
    /// The archive: a directory, or s3://BUCKET/PREFIX
    #[arg(
        long,
        value_name = "ARCHIVE",
        required_unless_present = "files",
        conflicts_with = "files",
        value_parser = OsStringValueParser::new().try_map(Place::parse)
    )]
    archive: Option<Place>,
    /// Files with records, instead of an archive; - is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Records of vantage points that are believed clean, to compare with
    #[arg(long, value_name = "FILE")]
    control: Option<PathBuf>,
    /// What changed since judgements of version OLD, and why; compared with NEW, or with what is
    /// judged now. A version is named by the beginning of its name; any other name lists them
    #[arg(long, value_names = ["OLD", "NEW"], num_args = 1..=2, requires = "archive")]
    diff: Vec<String>,
    /// How judgements are written [default: json; those of an archive are stored too]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Exit with 3 where a judgement is at or above this level
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<FailOn>,
    /// Exit with 1 where a record could not be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    reference: ReferenceArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// How many were judged anew, how many stood, how many there are of each verdict
    Text,
    /// One kua.judgement/1 object a line, and nothing stored; with --diff one kua.judgement-diff/1 object
    Json,
}

impl Judge {
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        let reference = self.reference.load()?;
        let mut refusals = Refusals::new(common);
        let controls = match &self.control {
            Some(file) => of_control(file, &mut refusals)?,
            None => Vec::new(),
        };
        let Some(place) = &self.archive else {
            return self.of_files(&reference, &controls, &mut refusals);
        };
        let archive = Archive::open(place).map_err(of_archive)?;
        let setting = Setting::new(&reference, &controls);
        let ended = match self.format {
            _ if !self.diff.is_empty() => difference::run(&self, &archive, &setting),
            Some(Format::Text) => self.count(&archive, &setting, &refusals),
            Some(Format::Json) => {
                self.print(&Judging::begin(&archive, &setting, Options::default())?, &refusals)
            }
            None => self.print(&up_to_date(&archive, &setting)?, &refusals),
        };
        refusals.close(&[]);
        ended
    }

    /// Judges what has to be judged, and says what there is.
    fn count(
        &self,
        archive: &Archive,
        setting: &Setting<'_>,
        refusals: &Refusals,
    ) -> Result<ExitCode, Trouble> {
        let judging = up_to_date(archive, setting)?;
        let counted = judging.count_only(&self.scope, &Grouping::default())?;
        let mut out = BufWriter::new(std::io::stdout().lock());
        writeln!(out, "version       {}", judging.version().id)?;
        writeln!(out, "judged anew   {:>12} records", judging.anew)?;
        writeln!(out, "stood         {:>12} records", judging.stood)?;
        writeln!(out, "not stored    {:>12} records", judging.unstored())?;
        for (verdict, count) in counted.tally.verdicts() {
            writeln!(out, "{verdict:<13} {count:>12}")?;
        }
        out.flush()?;
        name_damaged(&counted.named, unnamed(counted.damaged, &counted.named));
        let unread = self.strict && counted.damaged + refusals.total() > 0;
        let reached = self.fail_on.is_some_and(|level| level.is_reached(counted.tally.level()));
        Ok(if unread { ExitCode::FAILURE } else { judged(reached) })
    }

    /// Prints every judgement of an archive.
    fn print(&self, judging: &Judging<'_>, refusals: &Refusals) -> Result<ExitCode, Trouble> {
        let mut out = BufWriter::new(std::io::stdout().lock());
        let mut reached = false;
        let tell = |judgements: &[kua::verdict::Judgement]| {
            let (mut lines, mut reached) = (Vec::new(), false);
            for judgement in judgements {
                reached |= self.fail_on.is_some_and(|level| level.reached_by(judgement));
                serde_json::to_writer(&mut lines, judgement)?;
                lines.push(b'\n');
            }
            Ok::<_, serde_json::Error>((lines, reached))
        };
        let take = |told: Result<(Vec<u8>, bool), serde_json::Error>| {
            let (lines, one) = told.map_err(|error| JudgingError::Visit(error.into()))?;
            reached |= one;
            out.write_all(&lines).map_err(|error| JudgingError::Visit(error.into()))
        };
        let wanted = |measurement: &Measurement| self.scope.holds(measurement);
        let damaged = judging.each(wanted, tell, take)?;
        out.flush()?;
        name_damaged(&damaged.named, unnamed(damaged.damaged, &damaged.named));
        let unread = self.strict && damaged.damaged + refusals.total() > 0;
        Ok(if unread { ExitCode::FAILURE } else { judged(reached) })
    }

    fn of_files(
        &self,
        reference: &Reference,
        controls: &[Measurement],
        refusals: &mut Refusals,
    ) -> Result<ExitCode, Trouble> {
        if self.format == Some(Format::Text) {
            let attempted = "cannot write judgements of files as text";
            return Err(Trouble::new(attempted).hint("import them first, and name the archive"));
        }
        let inputs = Inputs::new(&self.files)?;
        let mut surroundings = Surroundings::of_controls(controls, reference);
        let mut memory = Memory::new(reference);
        // What cannot be read is named when it is to be judged.
        inputs.read(IMPORTS[0], |incoming| {
            if let Ok(measurement) = &incoming.read {
                surroundings.add_with(&mut memory, measurement);
            }
            Ok::<_, ReadError>(())
        })?;
        let mut out = BufWriter::new(std::io::stdout().lock());
        let mut reached = false;
        let broken = inputs.read(IMPORTS[0], |incoming| {
            match &incoming.read {
                Err(error) => drop(refusals.add(&incoming, error)),
                Ok(measurement) if !self.scope.holds(measurement) => {}
                Ok(measurement) => {
                    let line = Some(incoming.line);
                    for judgement in judge_with(&mut memory, measurement, &surroundings, line) {
                        reached |= self.fail_on.is_some_and(|level| level.reached_by(&judgement));
                        serde_json::to_writer(&mut out, &judgement)
                            .map_err(std::io::Error::from)?;
                        out.write_all(b"\n")?;
                    }
                }
            }
            Ok::<_, Trouble>(())
        })?;
        out.flush()?;
        refusals.close(&broken);
        let unread = self.strict && refusals.total() > 0;
        Ok(if unread || !broken.is_empty() { ExitCode::FAILURE } else { judged(reached) })
    }
}

/// Brings an archive's judgements up to date.
fn up_to_date<'a>(archive: &Archive, setting: &'a Setting<'a>) -> Result<Judging<'a>, Trouble> {
    let judging = Judging::of(archive, setting, Options::default(), |_| {})?;
    if let Some(why) = &judging.unkept {
        say(&format!("judgements are not stored: {why}"));
    }
    Ok(judging)
}

fn unnamed(damaged: u64, named: &[(u64, String)]) -> u64 {
    damaged.saturating_sub(named.len() as u64)
}

fn of_control(file: &Path, refusals: &mut Refusals) -> Result<Vec<Measurement>, Trouble> {
    let measurements = read_control(file, |incoming, error| _ = refusals.add(incoming, error))?;
    if measurements.is_empty() {
        let attempted = format!("cannot judge with the control {}", file.display());
        return Err(Trouble::new(attempted).because("no measurement is in it"));
    }
    Ok(measurements)
}
