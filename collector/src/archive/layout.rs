//! Which files an archive has, and how an empty one begins.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ArchiveError;
use super::disk::{make_directory, rename, sync_names, write_synced};

pub(super) const CERTIFICATES: &str = "certificates";
pub(super) const INCOMING: &str = "incoming";
pub(super) const LOCK: &str = "lock";
pub(super) const RECORDS: &str = "records";
pub(super) const REJECTED: &str = "rejected.jsonl";

const ABOUT: &str = "archive.toml";
const FORMAT: u32 = 1;

#[derive(Deserialize)]
struct About {
    format: u32,
}

/// Whether there is an archive in `dir`.
///
/// # Errors
/// [`ArchiveError::Format`] for an archive that this program does not read.
pub(super) fn has_archive(dir: &Path) -> Result<bool, ArchiveError> {
    let file = dir.join(ABOUT);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(ArchiveError::io("read", &file)(error)),
    };
    match toml::from_str::<About>(&text) {
        Ok(About { format: FORMAT }) => Ok(true),
        _ => Err(ArchiveError::Format { file }),
    }
}

/// Makes the directory, unless somebody else's files are in it.
pub(super) fn claim(dir: &Path) -> Result<(), ArchiveError> {
    make_directory(dir)?;
    if has_archive(dir)? {
        return Ok(());
    }
    // A writer that was stopped before the archive had its name leaves no more than these.
    let ours = [LOCK, INCOMING];
    let entries = fs::read_dir(dir).map_err(ArchiveError::io("read", dir))?;
    for entry in entries {
        let name = entry.map_err(ArchiveError::io("read", dir))?.file_name();
        if !ours.iter().any(|our| name == *our) {
            // Another program may have made the archive meanwhile.
            if has_archive(dir)? {
                return Ok(());
            }
            return Err(ArchiveError::Occupied { dir: dir.into() });
        }
    }
    Ok(())
}

/// Makes what is missing of an archive. The caller holds the lock.
pub(super) fn complete(dir: &Path) -> Result<(), ArchiveError> {
    let incoming = dir.join(INCOMING);
    make_directory(&incoming)?;
    for left in files_in(&incoming)? {
        fs::remove_file(&left).map_err(ArchiveError::io("remove", &left))?;
    }
    if !has_archive(dir)? {
        let about = incoming.join(ABOUT);
        write_synced(&about, format!("format = {FORMAT}\n").as_bytes())?;
        rename(&about, &dir.join(ABOUT))?;
        sync_names(dir)?;
    }
    make_directory(&dir.join(CERTIFICATES))?;
    Ok(())
}

fn files_in(dir: &Path) -> Result<Vec<PathBuf>, ArchiveError> {
    let entries = fs::read_dir(dir).map_err(ArchiveError::io("read", dir))?;
    let paths = entries.map(|entry| Ok(entry.map_err(ArchiveError::io("read", dir))?.path()));
    paths.collect()
}
