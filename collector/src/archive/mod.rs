//! The archive: measurements and certificates in a directory, kept byte for byte, added to and
//! never changed.
//!
//! # Layout
//!
//! ```text
//! archive.toml                    format = 1
//! records                         one line a record, in the order of arrival
//! certificates/ab/ab12...ef.der   each certificate once, named by the SHA-256 of its bytes
//! rejected.jsonl                  lines that were no measurement, with file, line and reason
//! incoming/                       certificates on their way; empty unless a writer is at work
//! lock                            held by the one writer
//! ```
//!
//! A line of `records` is `<sha256> <record>`. The hash, in lower-case hexadecimal, is that of the
//! record as it was received: a line of a file without its line break, or a document of several
//! lines. `<record>` is what was received, with two changes that are undone on reading:
//!
//! - a JSON string that is the base64 text of one of the record's peer certificates is replaced by
//!   `sha256:<sha256 of the certificate>`, so that certificates are kept once; a text with every
//!   slash escaped by `sha256:<sha256 of the certificate>\/`;
//! - a line feed within the record (JSON has them only between its tokens) is written as the byte
//!   1E, which no JSON text holds.
//!
//! A record that undoing would not give back byte for byte (it holds such a string itself) keeps
//! its certificates' text. A reader tells the two apart by the hash: where it is the hash of the
//! line feeds restored alone, nothing else is to be undone.
//!
//! # Durability
//!
//! Records are kept in batches of at most 1,000 records or 8 MiB. A batch's new certificates are
//! written to `incoming/`, fsynced, renamed, and their directories fsynced; then its lines are
//! appended to `records` and fsynced; only then is the batch acknowledged. A crash leaves the
//! archive as it was before some record of the batch or after it: every whole line has its
//! certificates. The next writer cuts off a last line that is not whole and empties `incoming/`.
//!
//! # Reading and writing
//!
//! There is one [`Writer`] at a time. Readers need no lock: they read whole lines only, and what
//! they read does not change. [`Archive::scan`] is how everybody reads.

mod certificates;
mod condensed;
mod disk;
mod error;
mod journal;
mod layout;
mod records;
mod rejected;
mod scan;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use error::{ArchiveError, Damage};
pub use scan::{Damaged, Scanned};
pub use writer::{Kept, Torn, Totals, Writer};

/// An archive, open for reading.
#[derive(Clone, Debug)]
pub struct Archive {
    dir: PathBuf,
}

impl Archive {
    /// # Errors
    /// [`ArchiveError::Absent`] where there is no archive in `dir`, [`ArchiveError::Format`] for
    /// one of another format, [`ArchiveError::Io`].
    pub fn open(dir: &Path) -> Result<Self, ArchiveError> {
        if layout::has_archive(dir)? {
            Ok(Self { dir: dir.into() })
        } else {
            Err(ArchiveError::Absent { dir: dir.into() })
        }
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}
