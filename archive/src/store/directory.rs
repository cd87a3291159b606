//! Files in a directory, written so that they survive a loss of power.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::{Entry, Torn};
use crate::ArchiveError;

/// Files on their way.
pub(crate) const INCOMING: &str = "incoming";

/// Longest range that memory is set aside for before its bytes are there.
const AHEAD: u64 = 16 << 20;

#[derive(Clone, Debug)]
pub(super) struct Directory {
    path: Arc<Path>,
}

impl Directory {
    pub(super) fn new(path: &Path) -> Result<Self, ArchiveError> {
        let absolute = std::path::absolute(path).map_err(ArchiveError::io("find", path.display()));
        Ok(Self { path: absolute?.into() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file of the archive is. Paths come from files too, and must not lead elsewhere.
    fn file(&self, path: &str) -> Result<PathBuf, ArchiveError> {
        let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if path.is_empty() || !inside {
            return Err(ArchiveError::BadPath { path: path.into() });
        }
        Ok(self.path.join(path))
    }

    pub(super) fn location(&self, path: &str) -> object_store::path::Path {
        // A path of the archive has no characters that this would refuse.
        object_store::path::Path::from_absolute_path(self.path.join(path)).unwrap_or_default()
    }

    pub(super) fn put(&self, path: &str, bytes: &[u8], replace: bool) -> Result<(), ArchiveError> {
        let file = self.file(path)?;
        let incoming = self.path.join(INCOMING);
        make_directory(&incoming)?;
        let shelf = file.parent().unwrap_or(&self.path);
        make_directory(shelf)?;
        let fails = || ArchiveError::io("write", file.display());
        let mut builder = tempfile::Builder::new();
        readable(&mut builder);
        let mut temporary = builder.tempfile_in(&incoming).map_err(fails())?;
        temporary.write_all(bytes).map_err(fails())?;
        temporary.as_file().sync_all().map_err(fails())?;
        let named = match replace {
            true => temporary.persist(&file),
            false => temporary.persist_noclobber(&file),
        };
        match named {
            Ok(_) => sync_names(shelf),
            Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => {
                Err(ArchiveError::AlreadyThere { path: path.into() })
            }
            Err(failed) => Err(fails()(failed.error)),
        }
    }

    /// Waits until the names in a folder last: whoever made them may have been stopped before.
    pub(super) fn settle_names(&self, folder: &str) -> Result<(), ArchiveError> {
        let folder = self.path.join(folder);
        if folder.is_dir() { sync_names(&folder) } else { Ok(()) }
    }

    pub(super) fn read(&self, path: &str) -> Result<Bytes, ArchiveError> {
        fs::read(self.file(path)?).map(Bytes::from).map_err(missing("read", path))
    }

    pub(super) fn open(&self, path: &str) -> Result<File, ArchiveError> {
        File::open(self.file(path)?).map_err(missing("read", path))
    }

    pub(super) fn read_range(&self, path: &str, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        range_of(&mut self.open(path)?, range).map_err(missing("read", path))
    }

    pub(super) fn size(&self, path: &str) -> Result<Option<u64>, ArchiveError> {
        match fs::metadata(self.file(path)?) {
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(ArchiveError::io("read", path)(error)),
        }
    }

    pub(super) fn remove(&self, path: &str) -> Result<(), ArchiveError> {
        match fs::remove_file(self.file(path)?) {
            Err(error) if !is_absent(&error) => Err(ArchiveError::io("remove", path)(error)),
            _ => Ok(()),
        }
    }

    pub(super) fn list(&self, folder: &str) -> Result<Vec<Entry>, ArchiveError> {
        let mut entries = Vec::new();
        let mut folders = vec![folder.trim_end_matches('/').to_owned()];
        while let Some(folder) = folders.pop() {
            let dir = if folder.is_empty() { self.path.to_path_buf() } else { self.file(&folder)? };
            let fails = || ArchiveError::io("list", dir.display());
            let found = match fs::read_dir(&dir) {
                Ok(found) => found,
                Err(error) if is_absent(&error) => continue,
                Err(error) => return Err(fails()(error)),
            };
            for entry in found {
                let entry = entry.map_err(fails())?;
                // What has a name that is no text was not written by us.
                let Ok(name) = entry.file_name().into_string() else { continue };
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                let metadata = match entry.metadata() {
                    Ok(metadata) => metadata,
                    // Removed since.
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    Err(error) => return Err(fails()(error)),
                };
                if metadata.is_dir() {
                    folders.extend((path != INCOMING).then_some(path));
                } else if metadata.is_file() {
                    let modified = metadata.modified().map_err(fails())?;
                    entries.push(Entry { path, bytes: metadata.len(), modified });
                }
            }
        }
        Ok(entries)
    }

    /// Removes what an earlier writer left on its way.
    pub(super) fn empty_incoming(&self) -> Result<Torn, ArchiveError> {
        let incoming = self.path.join(INCOMING);
        make_directory(&incoming)?;
        let fails = || ArchiveError::io("empty", incoming.display());
        let mut torn = Torn::default();
        for left in fs::read_dir(&incoming).map_err(fails())? {
            let left = left.map_err(fails())?;
            let metadata = left.metadata().map_err(fails())?;
            if metadata.is_file() {
                fs::remove_file(left.path()).map_err(fails())?;
                torn.files += 1;
                torn.bytes += metadata.len();
            }
        }
        Ok(torn)
    }
}

/// Others may read an archive, as far as the user's own mask lets them.
fn readable(builder: &mut tempfile::Builder<'_, '_>) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(Permissions::from_mode(0o644));
    }
    #[cfg(not(unix))]
    let _: (&tempfile::Builder<'_, '_>, Option<Permissions>) = (builder, None);
}

pub(super) fn range_of(file: &mut File, range: Range<u64>) -> io::Result<Bytes> {
    let length = range.end.saturating_sub(range.start);
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(AHEAD)).unwrap_or_default());
    file.seek(SeekFrom::Start(range.start))?;
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

fn missing(doing: &'static str, path: &str) -> impl FnOnce(io::Error) -> ArchiveError {
    let path = path.to_owned();
    move |error| {
        if is_absent(&error) {
            ArchiveError::Missing { path }
        } else {
            ArchiveError::io(doing, path)(error)
        }
    }
}

/// There is no such file; where a file is in a folder's place, none is below it either.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Waits until the names in a directory are on the disk. Only Unix has a way to ask for it.
fn sync_names(dir: &Path) -> Result<(), ArchiveError> {
    if cfg!(unix) {
        let synced = File::open(dir).and_then(|dir| dir.sync_all());
        synced.map_err(ArchiveError::io("write", dir.display()))?;
    }
    Ok(())
}

/// Makes a directory where it is absent, and waits until its name is on the disk.
pub(super) fn make_directory(dir: &Path) -> Result<(), ArchiveError> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(above) = dir.parent() {
        make_directory(above)?;
    }
    match fs::create_dir(dir) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(ArchiveError::io("make", dir.display())(error))
        }
        _ => dir.parent().map_or(Ok(()), sync_names),
    }
}
