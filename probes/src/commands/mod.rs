//! The commands of `kua`, one a file.

mod control;
mod inspect;
mod probe;
mod records;

pub(crate) use inspect::Inspect;
pub(crate) use probe::Probe;
