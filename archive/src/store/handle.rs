//! One file, open for reading in parts: it stays readable when its name is removed meanwhile.

use std::fs::File;
use std::ops::Range;

use bytes::Bytes;

use super::Store;
use super::directory::range_of;
use crate::ArchiveError;

/// A file of a store, or bytes that stand for one.
#[derive(Debug)]
pub(crate) struct Handle {
    path: String,
    bytes: u64,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Memory(Bytes),
    File(File),
    Object(Store),
}

impl Handle {
    /// Bytes that are there already.
    pub(crate) fn of_bytes(path: &str, bytes: Bytes) -> Self {
        Self { path: path.into(), bytes: bytes.len() as u64, source: Source::Memory(bytes) }
    }

    pub(super) fn of_file(path: &str, file: File) -> Result<Self, ArchiveError> {
        let bytes = file.metadata().map_err(ArchiveError::io("read", path))?.len();
        Ok(Self { path: path.into(), bytes, source: Source::File(file) })
    }

    pub(super) fn of_object(path: &str, store: Store) -> Result<Self, ArchiveError> {
        let missing = || ArchiveError::Missing { path: path.into() };
        let bytes = store.size(path)?.ok_or_else(missing)?;
        Ok(Self { path: path.into(), bytes, source: Source::Object(store) })
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Its length.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A part of it; fewer bytes where it ends before.
    pub(crate) fn read(&mut self, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        let range = range.start.min(self.bytes)..range.end.min(self.bytes);
        match &mut self.source {
            Source::Memory(bytes) => {
                // Both ends are within its length, which is one of memory.
                let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
                Ok(bytes.slice(index(range.start)..index(range.end)))
            }
            Source::File(file) => {
                range_of(file, range).map_err(ArchiveError::io("read", &self.path))
            }
            Source::Object(store) => store.read_range(&self.path, range),
        }
    }
}
