//! The commands of `kua`, one a file.

mod control;
mod inspect;
mod probe;
mod records;
mod reference;

pub(crate) use inspect::Inspect;
pub(crate) use probe::Probe;
pub(crate) use reference::Reference;
