//! What controls saw, from a file of records.

use std::path::Path;

use kua::measurement::Measurement;
use kua::wire::WireError;

use super::{IMPORTS, Incoming, ReadError, read_files};

/// Reads the records of a control. They are few: they are all in memory. Hands over every line that
/// is no measurement; may give none at all.
///
/// # Errors
/// [`ReadError`] where the file does not exist or breaks off: half a control would change judgements.
pub fn read_control(
    file: &Path,
    mut refused: impl FnMut(&Incoming<'_>, &WireError),
) -> Result<Vec<Measurement>, ReadError> {
    let mut measurements = Vec::new();
    let broken = read_files(&[file.into()], IMPORTS[0], |incoming| {
        match incoming.read {
            Ok(measurement) => measurements.push(measurement),
            Err(ref error) => refused(&incoming, error),
        }
        Ok::<_, ReadError>(())
    })?;
    broken.into_iter().next().map_or(Ok(measurements), Err)
}
