//! What the intake needs of an archive's writer.

use kua::chain::Fingerprint;
use kua::intake::Record;
use kua_archive::{Kept, Receipt};

/// Keeps records durably. One thread has it.
pub trait Keep: Send + 'static {
    /// Takes a record into the batch; gives whether it is new, and the place in the archive, from 0, that it
    /// has or will have.
    ///
    /// # Errors
    /// [`KeepError::NotARecord`] concerns this record alone. Any other: the batch is gone, and its
    /// records may be taken again.
    fn keep(&mut self, record: &Record, receipt: &Receipt) -> Result<(Kept, u64), KeepError>;

    /// Makes the batch last.
    ///
    /// # Errors
    /// A [`KeepError`]; then the batch is gone, and its records may be taken again.
    fn commit(&mut self) -> Result<(), KeepError>;
}

/// Why a record was not kept.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// The writer failed.
    #[error("{reason}")]
    Failed {
        /// The error and its causes.
        reason: String,
    },
    /// There is no room left.
    #[error("{reason}")]
    Full {
        /// The error and its causes.
        reason: String,
    },
    /// The bytes cannot be a line of an archive.
    #[error("the record holds bytes that JSON does not have")]
    NotARecord,
}

/// A record that lasts, as it is told after each commit and before it is acknowledged.
#[derive(Clone, Debug)]
pub struct Committed {
    /// SHA-256 of the record as it was kept.
    pub hash: Fingerprint,
    /// How it came.
    pub receipt: Receipt,
    /// Whether it was new.
    pub kept: Kept,
    /// Its place in the archive, from 0.
    pub place: u64,
}
