//! Surroundings in bytes, so that what was seen in old records need not be worked out again.

use super::Surroundings;

/// Why bytes are no surroundings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoredError {
    /// They break off, or say what cannot be.
    #[error("they are not what was seen, or not all of it")]
    Garbled(#[from] postcard::Error),
    /// More follows than belongs to them.
    #[error("{length} bytes follow")]
    Trailing {
        /// How many.
        length: usize,
    },
}

impl Surroundings {
    /// What measurements added, for [`Surroundings::from_bytes`]. Controls and local keys, which are
    /// the caller's to set, are no part of it.
    ///
    /// # Errors
    /// [`StoredError::Garbled`] where memory ends.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoredError> {
        Ok(postcard::to_stdvec(&(&self.rows, &self.sessions, &self.genuine))?)
    }

    /// What [`Surroundings::to_bytes`] gave. Takes no more memory than a small multiple of `bytes`.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoredError> {
        let ((rows, sessions, genuine), rest) = postcard::take_from_bytes(bytes)?;
        if !rest.is_empty() {
            return Err(StoredError::Trailing { length: rest.len() });
        }
        Ok(Self { rows, sessions, genuine, ..Self::default() })
    }
}
