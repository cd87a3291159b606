//! Measurements from files: which formats there are, and how their lines are read.

mod control;
mod document;
mod ooni;
mod read;
mod reason;
mod source;

use kua::measurement::Measurement;
use kua::wire::WireError;

pub use control::read_control;
pub use read::{Incoming, Inputs, ReadError, read_files};
pub use reason::reason;

/// A format that files may have.
#[derive(Debug)]
pub struct Import {
    /// Its name after `--as`.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Reads one record.
    pub(crate) read: fn(&[u8]) -> Result<Measurement, WireError>,
}

/// Every format, in the order in which help shows them; the first is the default.
pub static IMPORTS: &[&Import] = &[&ooni::IMPORT];
