//! The certificates of settled segments: kept once, put back where a record had them.

use kua::chain::Fingerprint;

use crate::{ArchiveError, Damage, RecordHash, Segment, Snapshot};

/// The certificates that the records of a snapshot need.
#[derive(Debug)]
pub(crate) struct Certificates {}

impl Certificates {
    /// Those of a snapshot; none is read before it is needed.
    pub(crate) fn of(_snapshot: &Snapshot) -> Self {
        Self {}
    }

    /// The record as it was received. `short` has its line feeds, and not this hash: certificates
    /// were taken out of it.
    pub(crate) fn restore(
        &mut self,
        _segment: &Segment,
        _short: &[u8],
        hash: RecordHash,
    ) -> Result<Vec<u8>, Damage> {
        Err(Damage::BadHash { hash })
    }
}

/// The names of the certificates in the file of a settled segment.
pub(crate) fn names(
    _snapshot: &Snapshot,
    _segment: &Segment,
) -> Result<Vec<Fingerprint>, ArchiveError> {
    Ok(Vec::new())
}
