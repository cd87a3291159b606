//! Writing so that it lasts: what these functions return from survives a loss of power.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::ArchiveError;

/// Writes a file and waits until its bytes are on the disk. Its name is not yet.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), ArchiveError> {
    let write = || -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(ArchiveError::io("write", path))
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), ArchiveError> {
    fs::rename(from, to).map_err(ArchiveError::io("write", to))
}

/// Waits until the names in a directory are on the disk. Only Unix has a way to ask for it.
pub(super) fn sync_names(dir: &Path) -> Result<(), ArchiveError> {
    if cfg!(unix) {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(ArchiveError::io("write", dir))?;
    }
    Ok(())
}

/// Makes a directory where it is absent, and waits until its name is on the disk.
pub(super) fn make_directory(dir: &Path) -> Result<(), ArchiveError> {
    if dir.is_dir() {
        return Ok(());
    }
    let above = dir.parent().filter(|above| !above.as_os_str().is_empty());
    let above = above.unwrap_or(Path::new("."));
    if above != Path::new(".") {
        make_directory(above)?;
    }
    match fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(ArchiveError::io("make", dir)(error))
        }
        _ => sync_names(above),
    }
}
