//! Keeps: measurements, certificates and tables, in a directory or an object store, byte for byte.
//!
//! The files are those of `docs/spec/archive.md`. There is one [`Writer`] at a time: it takes
//! records, and [`Writer::commit`] makes a batch of them last. Everybody reads through a
//! [`Snapshot`], which stays true while a writer works.

mod about;
mod certificates;
pub mod check;
mod condense;
mod error;
mod hash;
pub mod judged;
mod known;
pub mod log;
mod manifest;
mod name;
mod packs;
mod place;
mod receipt;
mod record;
mod records;
mod rejected;
pub mod repair;
mod scan;
mod sealed;
pub mod segment;
pub mod settle;
mod snapshot;
mod store;
pub mod tables;
mod writer;

#[cfg(test)]
mod tests;

pub use error::{ArchiveError, Damage};
pub use hash::{FileHash, RecordHash};
pub use manifest::{Inventory, Manifest, Settled, TableFile};
pub use name::{NotASegmentName, SegmentName};
pub use place::{NotAPlace, Place};
pub use receipt::{Receipt, Sender};
pub use record::Record;
pub use records::Records;
pub use scan::{Damaged, Scanned};
pub use snapshot::{Archive, Segment, Snapshot};
pub use store::{Entry, Store, Torn};
pub use writer::{Committed, Kept, Options, Totals, Writer};
