//! Lines of `records`: a hash, a space, a record.

use std::fmt;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use kua::wire::MAX_RECORD;

/// Longest line, without its line break.
pub(super) const MAX_LINE: usize = HASH_LENGTH + 1 + MAX_RECORD;

const HASH_LENGTH: usize = 64;

/// The SHA-256 of a record as it was received.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RecordHash([u8; 32]);

impl RecordHash {
    pub(super) fn of(raw: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, raw).as_ref());
        Self(hash)
    }
}

impl fmt::Display for RecordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// Adds a line for a record to `lines`.
pub(super) fn append(lines: &mut Vec<u8>, hash: RecordHash, record: &[u8]) {
    lines.extend_from_slice(hash.to_string().as_bytes());
    lines.push(b' ');
    lines.extend_from_slice(record);
    lines.push(b'\n');
}

/// The hash and the record of a line; `None` where it does not begin with a hash.
pub(super) fn split(line: &[u8]) -> Option<(RecordHash, &[u8])> {
    let (hex, rest) = line.split_at_checked(HASH_LENGTH)?;
    let hash = HEXLOWER.decode(hex).ok()?.try_into().ok()?;
    Some((RecordHash(hash), rest.strip_prefix(b" ")?))
}
