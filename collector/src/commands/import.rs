//! `kua-collector import`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::builder::{OsStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use kua_archive::{Kept, Place, Writer};
use kua_collector::import::{
    Batch, IMPORTS, Import as Format, Incoming, Input, InputState, Next, ReadError, Reading, State,
    expand,
};
use kua_collector::trouble::of_archive;
use kua_console::{CommonArgs, Trouble};

use super::progress::Progress;
use super::refusals::Refusals;
use super::say;
use super::stop::Stop;
use super::summary::{Summary, SummaryFormat};

/// How often what was taken is made to last, and noted for an import that is stopped.
const CHECKPOINT: Duration = Duration::from_secs(5);

/// How long a signal may have to wait where no input comes.
const PATIENCE: Duration = Duration::from_millis(100);

/// Most files that broke off that are named.
const NAMED: usize = 1_000;

/// Keep the measurements that files hold
///
/// Every record is kept as received, and every certificate once. What is kept already is not kept
/// again, so importing twice is importing once. A line that is no measurement is named, counted,
/// and set aside in DIR/rejected.jsonl; the rest is imported. An import that was stopped goes on
/// where it was, when the same command is given again.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kua-collector import --archive kz measurements.jsonl\n  \
    kua-collector import --archive kz 'ooni/*.jsonl.gz' postcans.tar.gz\n  \
    kua-collector import --archive kz --as hyperquack,ripe-atlas results/\n  \
    kua probe --suite kz --out - | kua-collector import --archive kz -")]
pub(crate) struct Import {
    /// The archive: a directory or s3://BUCKET/PREFIX; made if absent
    #[arg(long, value_name = "DIR", value_parser = OsStringValueParser::new().try_map(Place::parse))]
    archive: Place,
    /// The formats that the files may have, with commas; each record's shape tells which it has
    #[arg(
        long = "as",
        value_name = "FORMAT",
        default_value = IMPORTS[0].name,
        value_delimiter = ',',
        value_parser = formats()
    )]
    formats: Vec<String>,
    /// How the counts are written
    #[arg(long, value_enum, default_value_t)]
    format: SummaryFormat,
    /// Exit with 1 where a line was rejected
    #[arg(long)]
    strict: bool,
    /// Files, directories, patterns: plain, gzip or zstd, and tar of these; one record a line, or
    /// one JSON document; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

fn formats() -> PossibleValuesParser {
    let values = IMPORTS.iter().map(|import| PossibleValue::new(import.name).help(import.about));
    values.collect::<Vec<_>>().into()
}

impl Import {
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        let allowed =
            |import: &&&'static Format| self.formats.iter().any(|name| name == import.name);
        let formats: Vec<_> = IMPORTS.iter().filter(allowed).copied().collect();
        let files = expand(&self.files)?;
        let stop = Stop::listen()
            .map_err(|error| Trouble::new("cannot listen to signals").because(error))?;
        let writer = Writer::open(&self.archive).map_err(of_archive)?;
        let torn = writer.torn();
        if torn.files > 0 {
            let bytes = torn.bytes;
            say(&format!("note: removed {bytes} bytes of a batch that was never finished"));
        }
        let mut run = Run {
            state: State::open(writer.store().directory()),
            writer,
            summary: Summary::default(),
            refusals: Refusals::new(common),
            broken: Vec::new(),
            progress: Progress::of(&files),
            stop,
            checkpoint: Instant::now(),
            stale: Vec::new(),
        };
        let mut stopped = run.read(files, &formats, true)?;
        // What an archive should have had, and did not, is read from its beginning.
        let stale = std::mem::take(&mut run.stale);
        if !stopped && !stale.is_empty() {
            stopped = run.read(stale, &formats, false)?;
        }
        let Run { state, mut writer, summary, refusals, broken, progress, .. } = run;
        progress.clear();
        writer.commit().map_err(of_archive)?;
        refusals.close(&broken);
        let saved = if stopped { state.save() } else { state.remove() };
        if let Err(error) = saved {
            say(&format!("note: cannot note how far the import came: {error}"));
        }
        summary.print(self.format, writer.totals(), &refusals, stopped)?;
        if stopped {
            say("stopped: what was read is kept; the same command goes on from there");
            return Ok(Stop::EXIT_CODE.into());
        }
        let refused = self.strict && refusals.total() > 0;
        Ok(if refused || !broken.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// An import at work.
struct Run {
    writer: Writer,
    state: State,
    summary: Summary,
    refusals: Refusals,
    broken: Vec<ReadError>,
    progress: Progress,
    stop: Stop,
    checkpoint: Instant,
    /// Files of which the archive does not have what the state says.
    stale: Vec<PathBuf>,
}

/// A file of this run.
struct Present {
    now: Option<InputState>,
    /// Read on from the middle, and no record was met yet that the archive has.
    unproven: bool,
}

impl Run {
    /// Gives whether it was stopped.
    fn read(
        &mut self,
        files: Vec<PathBuf>,
        formats: &[&'static Format],
        goes_on: bool,
    ) -> Result<bool, Trouble> {
        let mut inputs = Vec::new();
        let mut present = Vec::new();
        for file in files {
            let now =
                InputState::of(&file).map_err(|source| ReadError { file: file.clone(), source });
            let mut now = now?;
            let before = now.as_ref().and_then(|now| self.state.of(now)).filter(|_| goes_on);
            let before = before.filter(|before| before.at.offset > 0).cloned();
            if let Some(before) = &before {
                self.summary.taken_before += before.records;
                now = Some(before.clone());
            }
            let at = before.as_ref().map(|before| before.at);
            present.push(Present { now, unproven: at.is_some() });
            let mut input = Input::new(file);
            input.at = at;
            inputs.push(input);
        }
        let mut reading = Reading::start(inputs, formats);
        loop {
            match reading.next(PATIENCE) {
                Next::Batch(batch) => {
                    let present = &mut present[batch.input];
                    let file = reading.file(batch.input).to_owned();
                    self.take(batch, present, &file)?;
                }
                Next::Broken(error) => {
                    self.summary.broken += 1;
                    if self.broken.len() < NAMED {
                        self.broken.push(error);
                    }
                }
                Next::Ended(_) => self.progress.next_file(),
                Next::Waiting => {}
                Next::End => return Ok(false),
            }
            if self.stop.asked() {
                return Ok(true);
            }
        }
    }

    fn take(&mut self, batch: Batch, present: &mut Present, file: &Path) -> Result<(), Trouble> {
        let (at, packed, bytes) = (batch.at, batch.packed, batch.bytes());
        let records = batch.len() as u64;
        batch.each(|incoming| self.record(&incoming, present, file))?;
        self.progress.advance(packed, bytes, self.summary.read);
        if let Some(now) = &mut present.now {
            // Nothing is spared by the beginning of a file.
            if let Some(at) = at.filter(|at| at.offset > 0) {
                now.at = at;
                self.state.set(now.clone());
            }
            now.records += records;
        }
        if self.checkpoint.elapsed() > CHECKPOINT {
            self.writer.commit().map_err(of_archive)?;
            // A hint that cannot be noted costs time only.
            let _ = self.state.save();
            self.checkpoint = Instant::now();
        }
        Ok(())
    }

    fn record(
        &mut self,
        incoming: &Incoming<'_>,
        present: &mut Present,
        file: &Path,
    ) -> Result<(), Trouble> {
        self.summary.read += 1;
        match &incoming.read {
            Ok(measurement) => {
                let kept = self.writer.keep(incoming.raw, measurement, None).map_err(of_archive)?;
                if kept == Kept::AlreadyThere {
                    self.summary.already_there += 1;
                } else if present.unproven {
                    self.stale.push(file.to_owned());
                }
                present.unproven = false;
            }
            Err(error) => {
                let reason = self.progress.beside(|| self.refusals.add(incoming, error));
                let (file, line) = (incoming.file, incoming.line);
                self.writer.reject(file, line, &reason, incoming.raw).map_err(of_archive)?;
            }
        }
        Ok(())
    }
}
