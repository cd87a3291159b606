//! OneCRL: what Firefox refuses, from the records that it ships.

use std::io;
use std::path::Path;

use crate::layout::BlockList;
use crate::reports::onecrl;

/// The list that `file` holds.
///
/// # Errors
/// When it is not readable, or a record is of neither shape.
pub fn read(file: &Path) -> io::Result<BlockList> {
    onecrl::from_bytes(&std::fs::read(file)?).map_err(io::Error::other)
}
