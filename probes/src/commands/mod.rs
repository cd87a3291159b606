//! The commands of `kua`, one a file.

mod control;
mod probe;

pub(crate) use probe::Probe;
