//! A log's size and root, signed by it (C2SP tlog-checkpoint).

use data_encoding::BASE64;

use super::note::from_base64;
use super::{Hash, Note, SigningKey, TlogError, VerifyingKey};

/// A log at one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The tree's hash.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads the signed checkpoint of the log with this key.
    ///
    /// # Errors
    /// Bytes that are no checkpoint, one of another log, and one that the log did not sign.
    pub fn open(bytes: &[u8], key: &VerifyingKey) -> Result<Self, TlogError> {
        Self::of(&Note::parse(bytes)?, key)
    }

    /// The same of a note that was parsed.
    ///
    /// # Errors
    /// A note that is no checkpoint, one of another log, and one that the log did not sign.
    pub fn of(note: &Note, key: &VerifyingKey) -> Result<Self, TlogError> {
        key.verify(note)?;
        let checkpoint = Self::parse(&note.text)?;
        if checkpoint.origin != key.name() {
            let (expected, found) = (key.name().to_owned(), checkpoint.origin);
            return Err(TlogError::AnotherLog { expected, found });
        }
        Ok(checkpoint)
    }

    /// What a note says whose signatures are not checked: for comparing files, never for trust.
    ///
    /// # Errors
    /// A note that is no checkpoint.
    pub fn unverified(note: &Note) -> Result<Self, TlogError> {
        Self::parse(&note.text)
    }

    /// Signs it with the key of the log.
    pub fn sign(&self, key: &SigningKey) -> Note {
        key.sign(&self.text())
    }

    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(&self.root))
    }

    /// Lines after the third are of no use here, and allowed.
    fn parse(text: &str) -> Result<Self, TlogError> {
        let malformed = |reason| TlogError::malformed("checkpoint", reason);
        let body = text.strip_suffix('\n').ok_or(malformed("no line break at its end"))?;
        let mut lines = body.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty());
        let origin = origin.ok_or(malformed("no origin"))?.to_owned();
        let size = lines.next().and_then(decimal).ok_or(malformed("no size"))?;
        let root = lines.next().and_then(hash).ok_or(malformed("no root"))?;
        if lines.any(str::is_empty) {
            return Err(malformed("an empty line"));
        }
        Ok(Self { origin, size, root })
    }
}

/// Without signs and leading zeroes.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

pub(super) fn hash(text: &str) -> Option<Hash> {
    from_base64(text)?.try_into().ok()
}
