//! A record as it comes out of the archive.

use crate::{Receipt, RecordHash};

/// One record, byte for byte as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The SHA-256 of [`Record::raw`].
    pub hash: RecordHash,
    /// How it came, where that was written down.
    pub receipt: Option<Receipt>,
    /// The bytes.
    pub raw: Vec<u8>,
}
