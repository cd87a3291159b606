//! Files of an archive by name, in a directory or an object store; what is written lasts.

mod bucket;
mod directory;
mod handle;
mod lock;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use object_store::ObjectStore;

use crate::{ArchiveError, Place};
use bucket::Bucket;
use directory::Directory;
pub(crate) use directory::INCOMING;
pub(crate) use handle::Handle;
pub(crate) use lock::Lock;

/// The files of one place. Clones are cheap and share it.
#[derive(Clone, Debug)]
pub struct Store {
    place: Arc<Place>,
    backend: Backend,
}

#[derive(Clone, Debug)]
enum Backend {
    Directory(Directory),
    Bucket(Bucket),
}

/// A file that a listing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the archive.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// When it was written.
    pub modified: SystemTime,
}

/// What a writer that was stopped had not finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Torn {
    /// How many files.
    pub files: u64,
    /// Their length.
    pub bytes: u64,
}

impl Store {
    /// Reaches a place; neither makes nor reads anything.
    ///
    /// # Errors
    /// [`ArchiveError::Store`] for settings that reach no object store.
    pub fn open(place: &Place) -> Result<Self, ArchiveError> {
        let backend = match place {
            Place::Directory(dir) => Backend::Directory(Directory::new(dir)?),
            Place::S3 { bucket, prefix, settings } => {
                Backend::Bucket(Bucket::open(bucket, prefix, settings)?)
            }
        };
        Ok(Self { place: Arc::new(place.clone()), backend })
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The directory, where it is one.
    pub fn directory(&self) -> Option<&Path> {
        match &self.backend {
            Backend::Directory(directory) => Some(directory.path()),
            Backend::Bucket(_) => None,
        }
    }

    /// Writes a file whole, under a name that nothing has. It lasts when this returns; where it
    /// fails, nobody sees a part of it.
    ///
    /// # Errors
    /// [`ArchiveError::AlreadyThere`]; [`ArchiveError::Io`] and [`ArchiveError::Store`], after
    /// which an object store may have the file all the same.
    pub fn put_new(&self, path: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        match &self.backend {
            Backend::Directory(directory) => directory.put(path, &bytes, false),
            Backend::Bucket(store) => store.put_new(path, bytes),
        }
    }

    /// Writes a file whole, in the place of one of that name if there is one. It lasts when this
    /// returns.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn put(&self, path: &str, bytes: Bytes) -> Result<(), ArchiveError> {
        match &self.backend {
            Backend::Directory(directory) => directory.put(path, &bytes, true),
            Backend::Bucket(store) => store.put(path, bytes),
        }
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// [`ArchiveError::Missing`], [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn read(&self, path: &str) -> Result<Bytes, ArchiveError> {
        match &self.backend {
            Backend::Directory(directory) => directory.read(path),
            Backend::Bucket(store) => store.read(path),
        }
    }

    /// Reads a whole file unless it is longer than `most`.
    ///
    /// # Errors
    /// [`ArchiveError::TooLong`], and as [`Store::read`].
    pub fn read_at_most(&self, path: &str, most: u64) -> Result<Bytes, ArchiveError> {
        match self.size(path)? {
            Some(bytes) if bytes > most => Err(ArchiveError::TooLong { path: path.into(), bytes }),
            Some(_) => self.read(path),
            None => Err(ArchiveError::Missing { path: path.into() }),
        }
    }

    /// Reads a part of a file; fewer bytes where the file ends before.
    ///
    /// # Errors
    /// [`ArchiveError::Missing`], [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn read_range(&self, path: &str, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        match &self.backend {
            Backend::Directory(directory) => directory.read_range(path, range),
            Backend::Bucket(store) => store.read_range(path, range),
        }
    }

    /// Every file whose path begins with this folder (`raw/`; empty for all), sorted by path.
    /// Files on their way (`incoming/`) are none.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn list(&self, folder: &str) -> Result<Vec<Entry>, ArchiveError> {
        let mut entries = match &self.backend {
            Backend::Directory(directory) => directory.list(folder)?,
            Backend::Bucket(store) => store.list(folder)?,
        };
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// The length of a file, if there is one.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn size(&self, path: &str) -> Result<Option<u64>, ArchiveError> {
        match &self.backend {
            Backend::Directory(directory) => directory.size(path),
            Backend::Bucket(store) => store.size(path),
        }
    }

    /// Removes a file; nothing happens where there is none.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn remove(&self, path: &str) -> Result<(), ArchiveError> {
        match &self.backend {
            Backend::Directory(directory) => directory.remove(path),
            Backend::Bucket(store) => store.remove(path),
        }
    }

    /// The same files for an asynchronous reader: what [`Store::url`] stands for.
    ///
    /// # Errors
    /// [`ArchiveError::Store`] for settings that reach no object store.
    pub fn object_store(&self) -> Result<Arc<dyn ObjectStore>, ArchiveError> {
        match &*self.place {
            Place::Directory(_) => Ok(Arc::new(object_store::local::LocalFileSystem::new())),
            // Its own connections: they belong to the runtime of whoever uses them.
            Place::S3 { bucket, settings, .. } => Ok(Arc::new(bucket::client(bucket, settings)?)),
        }
    }

    /// What [`Store::object_store`] is registered under: `file:///`, or `s3://bucket/`.
    pub fn url(&self) -> String {
        match &*self.place {
            Place::Directory(_) => "file:///".into(),
            Place::S3 { bucket, .. } => format!("s3://{bucket}/"),
        }
    }

    /// Where [`Store::object_store`] has the file of this path in the archive.
    pub fn location(&self, path: &str) -> object_store::path::Path {
        match &self.backend {
            Backend::Directory(directory) => directory.location(path),
            Backend::Bucket(store) => store.location(path),
        }
    }

    /// Opens a file for reading in parts.
    pub(crate) fn handle(&self, path: &str) -> Result<Handle, ArchiveError> {
        match &self.backend {
            Backend::Directory(directory) => Handle::of_file(path, directory.open(path)?),
            Backend::Bucket(_) => Handle::of_object(path, self.clone()),
        }
    }

    /// Becomes the one writer. The name tells others who it is.
    pub(crate) fn lock(&self, name: &str) -> Result<Lock, ArchiveError> {
        match &self.backend {
            Backend::Directory(directory) => Lock::of_directory(directory, &self.place, name),
            Backend::Bucket(store) => Lock::of_bucket(store, &self.place, name),
        }
    }

    /// Waits until the names of the files in a folder last.
    pub(crate) fn settle_names(&self, folder: &str) -> Result<(), ArchiveError> {
        match &self.backend {
            Backend::Directory(directory) => directory.settle_names(folder),
            Backend::Bucket(_) => Ok(()),
        }
    }

    /// Removes what an earlier writer left unfinished. The caller holds the lock.
    pub(crate) fn tidy(&self) -> Result<Torn, ArchiveError> {
        match &self.backend {
            Backend::Directory(directory) => directory.empty_incoming(),
            // What an object store has not finished, it does not show.
            Backend::Bucket(_) => Ok(Torn::default()),
        }
    }
}
