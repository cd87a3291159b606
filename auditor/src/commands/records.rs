//! Records from an archive or from files, one after the other; what cannot be read is named.

use std::error::Error;
use std::path::{Path, PathBuf};

use kua::measurement::Measurement;
use kua::wire::WireError;
use kua_archive::{Archive, Place};
use kua_collector::import::{IMPORTS, Incoming, Inputs, ReadError, read_control, reason};
use kua_collector::trouble::{Ended, of_archive};
use kua_console::{CommonArgs, Trouble};

use super::say;

/// Most lines that are named, unless `--verbose` asks for all.
const NAMED: u64 = 20;

/// What could not be read.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// Lines that are no measurement, and damaged records of an archive.
    pub(super) rejected: u64,
    /// Files that could not be read to their end.
    pub(super) broken_off: u64,
    most: u64,
}

impl Unread {
    pub(super) fn new(common: &CommonArgs) -> Self {
        let most = if common.verbose > 0 { u64::MAX } else { NAMED };
        Self { most, ..Self::default() }
    }

    /// Says how many were not named.
    pub(super) fn close(&self) {
        if self.rejected > self.most {
            say(&format!("rejected: {} more; -v names them all", self.rejected - self.most));
        }
    }

    fn line(&mut self, refused: &Incoming<'_>, error: &WireError) {
        self.reject(&format!("{}:{}", refused.file.display(), refused.line), error);
    }

    fn reject(&mut self, place: &str, error: &dyn Error) {
        self.rejected += 1;
        if self.rejected > self.most {
            return;
        }
        say(&format!("rejected: {place}: {}", reason(error)));
    }

    fn broken(&mut self, files: &[ReadError]) {
        self.broken_off += files.len() as u64;
        for error in files {
            say(&format!("broken off: {}: {}", error.file.display(), error.source));
        }
    }
}

/// Where records come from; they can be read more than once.
pub(super) enum Records {
    Archive(Archive),
    Files(Inputs),
}

impl Records {
    /// An archive if one is given, else files.
    pub(super) fn open(archive: Option<&Place>, files: &[PathBuf]) -> Result<Self, Trouble> {
        Ok(match archive {
            Some(place) => Self::Archive(Archive::open(place).map_err(of_archive)?),
            None => Self::Files(Inputs::new(files)?),
        })
    }

    /// Hands every record to `each`, with its number in the archive or its line in its file. What
    /// cannot be read is named and counted in `unread`, where that is asked for.
    pub(super) fn each(
        &self,
        unread: Option<&mut Unread>,
        mut each: impl FnMut(u64, &Measurement),
    ) -> Result<(), Trouble> {
        match self {
            Self::Archive(archive) => of_archive(archive, unread, each),
            Self::Files(inputs) => of_files(inputs, unread, &mut each),
        }
    }
}

fn of_archive(
    archive: &Archive,
    unread: Option<&mut Unread>,
    mut each: impl FnMut(u64, &Measurement),
) -> Result<(), Trouble> {
    let scanned = archive.scan(|number, measurement| {
        each(number, &measurement);
        Ok::<_, Ended>(())
    })?;
    let Some(unread) = unread else { return Ok(()) };
    let before = unread.rejected;
    for damaged in &scanned.named {
        unread.reject(&format!("record {}", damaged.number), &damaged.damage);
    }
    // A damage may be that of many records, and the scan names the first only.
    unread.rejected = before + scanned.damaged;
    Ok(())
}

fn of_files(
    inputs: &Inputs,
    mut unread: Option<&mut Unread>,
    each: &mut impl FnMut(u64, &Measurement),
) -> Result<(), Trouble> {
    let broken = inputs.read(IMPORTS[0], |incoming| {
        match (&incoming.read, &mut unread) {
            (Ok(measurement), _) => each(incoming.line, measurement),
            (Err(error), Some(unread)) => unread.line(&incoming, error),
            (Err(_), None) => {}
        }
        Ok::<_, ReadError>(())
    })?;
    if let Some(unread) = unread {
        unread.broken(&broken);
    }
    Ok(())
}

/// What controls saw.
pub(super) fn of_control(file: &Path, unread: &mut Unread) -> Result<Vec<Measurement>, Trouble> {
    let attempted = format!("cannot compare with the control {}", file.display());
    let measurements = read_control(file, |incoming, error| unread.line(incoming, error));
    let measurements = measurements.map_err(|error| Trouble::new(&attempted).because(error))?;
    if measurements.is_empty() {
        return Err(Trouble::new(attempted).because("no measurement is in it"));
    }
    Ok(measurements)
}
