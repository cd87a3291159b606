//! Records of files, one after the other; what cannot be read is named.

use std::error::Error;
use std::path::Path;

use kua::chain::Fingerprint;
use kua::measurement::Measurement;
use kua::wire::WireError;
use kua_collector::import::{IMPORTS, Incoming, Inputs, ReadError, read_control, reason};
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

    /// Damaged records of an archive, of which the first are named.
    pub(super) fn damaged(&mut self, damaged: u64, named: &[(u64, String)]) {
        let said = self.most.saturating_sub(self.rejected);
        for (number, why) in named.iter().take(usize::try_from(said).unwrap_or(usize::MAX)) {
            say(&format!("rejected: record {number}: {why}"));
        }
        self.rejected += damaged;
    }

    fn broken(&mut self, files: &[ReadError]) {
        self.broken_off += files.len() as u64;
        for error in files {
            say(&format!("broken off: {}: {}", error.file.display(), error.source));
        }
    }
}

/// Hands every record of some files to `each`, with its line and its SHA-256. What cannot be read is
/// named and counted in `unread`, where that is asked for.
pub(super) fn of_files(
    inputs: &Inputs,
    mut unread: Option<&mut Unread>,
    mut each: impl FnMut(u64, Fingerprint, &Measurement),
) -> Result<(), Trouble> {
    let broken = inputs.read(IMPORTS[0], |incoming| {
        match (&incoming.read, &mut unread) {
            (Ok(measurement), _) => {
                each(incoming.line, Fingerprint::of(incoming.raw), measurement);
            }
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
