//! `archive.json`: that there is an archive, its format, and its name.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::manifest::FORMAT;
use crate::sealed::{seal, unseal};
use crate::store::{INCOMING, Store};
use crate::{ArchiveError, Place};

const PATH: &str = "archive.json";

/// The longest that is read.
const MOST: u64 = 64 << 10;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct About {
    format: u32,
    /// 32 hexadecimal digits that no other archive has.
    pub(crate) id: String,
}

impl About {
    /// What is there says about itself; `None` where there is no archive.
    pub(crate) fn read(store: &Store) -> Result<Option<Self>, ArchiveError> {
        let text = match store.read_at_most(PATH, MOST) {
            Ok(text) => text,
            Err(ArchiveError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let about = unseal::<Self>(&text).filter(|about| about.format == FORMAT);
        about.map(Some).ok_or_else(|| ArchiveError::Format { path: PATH.into() })
    }

    /// Refuses a place where somebody else's files are.
    pub(crate) fn claim(store: &Store) -> Result<(), ArchiveError> {
        if Self::read(store)?.is_some() {
            return Ok(());
        }
        let occupied = match store.directory() {
            Some(dir) => match std::fs::read_dir(dir) {
                // A writer that was stopped before the archive had its name leaves no more.
                Ok(entries) => entries
                    .filter_map(Result::ok)
                    .any(|entry| entry.file_name() != "lock" && entry.file_name() != INCOMING),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
                Err(error) => return Err(ArchiveError::io("list", dir.display())(error)),
            },
            None => store.list("")?.iter().any(|entry| entry.path != "lock"),
        };
        // Another program may have made the archive meanwhile.
        if occupied && Self::read(store)?.is_none() {
            return Err(ArchiveError::Occupied { place: store.place().to_string() });
        }
        Ok(())
    }

    /// Makes the archive where there is none. The caller holds the lock.
    pub(crate) fn complete(store: &Store) -> Result<Self, ArchiveError> {
        if let Some(about) = Self::read(store)? {
            return Ok(about);
        }
        let mut id = [0; 16];
        let random = aws_lc_rs::rand::fill(&mut id);
        random
            .map_err(|_| std::io::Error::other("no random numbers"))
            .map_err(ArchiveError::io("make an archive in", store.place()))?;
        let about = Self { format: FORMAT, id: HEXLOWER.encode(&id) };
        store.put_new(PATH, Bytes::from(seal(&about)))?;
        Ok(about)
    }
}

pub(crate) fn absent(place: &Place) -> ArchiveError {
    ArchiveError::Absent { place: place.to_string() }
}
