//! `kua-collector judge`

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{OsStringValueParser, TypedValueParser};
use kua::measurement::Measurement;
use kua::memory::Memory;
use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::verdict::judge_with;
use kua_archive::{Archive, Place};
use kua_collector::import::{IMPORTS, Inputs, ReadError, read_control};
use kua_collector::scope::Scope;
use kua_collector::trouble::{Ended, of_archive};
use kua_console::{CommonArgs, FailOn, ReferenceArgs, Trouble, judged};

use super::refusals::Refusals;
use super::say;

/// Judge measurements again, with the reference data of today
///
/// One judgement a line goes to standard output, in the order of the records; `line` is a record's
/// number in the archive, or its line in its file. A record that cannot be read is named and the
/// rest is judged. All records are read twice: first for what else was seen, by the same run and for
/// the same name by others, also outside of the scope; then to be judged beside it.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kua-collector judge --archive kz\n  \
    kua-collector judge --archive kz --cc KZ --since 2023-10-01 --until 2023-10-31\n  \
    kua-collector judge measurements.jsonl.gz --control control.jsonl --fail-on confirmed")]
pub(crate) struct Judge {
    /// The archive: a directory or s3://BUCKET/PREFIX
    #[arg(
        long,
        value_name = "DIR",
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
    /// How judgements are written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
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

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    /// One kua.judgement/1 object a line
    #[default]
    Json,
}

impl Judge {
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        let reference = self.reference.load()?;
        let mut refusals = Refusals::new(common);
        let mut surroundings = match &self.control {
            Some(file) => of_control(file, &reference, &mut refusals)?,
            None => Surroundings::none(),
        };
        let inputs = Inputs::new(&self.files)?;
        let mut memory = Memory::new(&reference);
        look_around(self.archive.as_ref(), &inputs, &mut memory, &mut surroundings)?;
        let mut out = BufWriter::new(std::io::stdout().lock());
        let mut reached = false;
        let mut each = |line: u64, measurement: &Measurement| -> Result<(), Trouble> {
            if !self.scope.holds(measurement) {
                return Ok(());
            }
            for judgement in judge_with(&mut memory, measurement, &surroundings, Some(line)) {
                reached |= self.fail_on.is_some_and(|level| level.reached_by(&judgement));
                match self.format {
                    Format::Json => serde_json::to_writer(&mut out, &judgement),
                }
                .map_err(std::io::Error::from)?;
                out.write_all(b"\n")?;
            }
            Ok(())
        };
        let (mut damaged, mut broken) = (0, Vec::new());
        match &self.archive {
            Some(place) => damaged = from_archive(place, &mut each)?,
            None => broken = from_files(&inputs, &mut refusals, &mut each)?,
        }
        out.flush()?;
        refusals.close(&broken);
        let unread = self.strict && damaged + refusals.total() > 0;
        Ok(if unread || !broken.is_empty() { ExitCode::FAILURE } else { judged(reached) })
    }
}

fn of_control(
    file: &Path,
    reference: &Reference,
    refusals: &mut Refusals,
) -> Result<Surroundings, Trouble> {
    let measurements = read_control(file, |incoming, error| _ = refusals.add(incoming, error))?;
    if measurements.is_empty() {
        let attempted = format!("cannot judge with the control {}", file.display());
        return Err(Trouble::new(attempted).because("no measurement is in it"));
    }
    Ok(Surroundings::of_controls(&measurements, reference))
}

/// Takes in every record; what cannot be read is named when they are judged.
fn look_around(
    archive: Option<&Place>,
    inputs: &Inputs,
    memory: &mut Memory<'_>,
    surroundings: &mut Surroundings,
) -> Result<(), Trouble> {
    match archive {
        Some(place) => {
            drop(Archive::open(place).map_err(of_archive)?.scan(|_, measurement| {
                surroundings.add_with(memory, &measurement);
                Ok::<_, Ended>(())
            })?);
        }
        None => drop(inputs.read(IMPORTS[0], |incoming| {
            if let Ok(measurement) = &incoming.read {
                surroundings.add_with(memory, measurement);
            }
            Ok::<_, Trouble>(())
        })?),
    }
    Ok(())
}

/// Gives how many records could not be served.
fn from_archive(
    place: &Place,
    each: &mut impl FnMut(u64, &Measurement) -> Result<(), Trouble>,
) -> Result<u64, Trouble> {
    let archive = Archive::open(place).map_err(of_archive)?;
    let scanned =
        archive.scan(|number, measurement| each(number, &measurement).map_err(Ended::from))?;
    for damaged in &scanned.named {
        say(&format!("damaged: record {}: {}", damaged.number, damaged.damage));
    }
    let unnamed = scanned.unnamed();
    if unnamed > 0 {
        say(&format!("damaged: {unnamed} more"));
    }
    Ok(scanned.damaged)
}

/// Gives the files that broke off.
fn from_files(
    inputs: &Inputs,
    refusals: &mut Refusals,
    each: &mut impl FnMut(u64, &Measurement) -> Result<(), Trouble>,
) -> Result<Vec<ReadError>, Trouble> {
    inputs.read(IMPORTS[0], |incoming| match &incoming.read {
        Ok(measurement) => each(incoming.line, measurement),
        Err(error) => {
            refusals.add(&incoming, error);
            Ok(())
        }
    })
}
