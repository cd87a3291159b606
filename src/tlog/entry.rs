//! What the log says of a record: its hash, and that of its receipt.

use super::{Hash, TILE_WIDTH, TlogError, leaf_hash};

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// SHA-256 of the record as it is kept.
    pub record: Hash,
    /// SHA-256 of the receipt's text in the archive; none for a record that came without.
    pub receipt: Option<Hash>,
}

impl Entry {
    /// 32 or 64 bytes: the record's hash, then the receipt's.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.record.to_vec();
        bytes.extend(self.receipt.iter().flatten());
        bytes
    }

    /// Reads one.
    ///
    /// # Errors
    /// Bytes of another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TlogError> {
        let (chunks, rest) = bytes.as_chunks::<32>();
        match (chunks, rest) {
            ([record], []) => Ok(Self { record: *record, receipt: None }),
            ([record, receipt], []) => Ok(Self { record: *record, receipt: Some(*receipt) }),
            _ => Err(TlogError::malformed("log entry", "neither 32 nor 64 bytes")),
        }
    }

    /// Its hash in the tree.
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.to_bytes())
    }
}

/// The bytes of an entry bundle: each entry after its length, two bytes, big-endian.
pub fn bundle(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * 66);
    for entry in entries {
        let entry = entry.to_bytes();
        bytes.extend([0, entry.len() as u8]);
        bytes.extend(entry);
    }
    bytes
}

/// Reads an entry bundle.
///
/// # Errors
/// Bytes that are none.
pub fn entries(mut bytes: &[u8]) -> Result<Vec<Entry>, TlogError> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let cut = TlogError::malformed("entry bundle", "it is cut");
        let (entry, rest) = rest.split_at_checked(length).ok_or(cut)?;
        if entries.len() == TILE_WIDTH {
            return Err(TlogError::malformed("entry bundle", "more than 256 entries"));
        }
        entries.push(Entry::from_bytes(entry)?);
        bytes = rest;
    }
    if bytes.is_empty() {
        Ok(entries)
    } else {
        Err(TlogError::malformed("entry bundle", "it is cut"))
    }
}
