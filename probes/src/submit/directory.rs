//! Files that only their owner reads, made whole and durable, or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// How unfinished files begin.
const UNFINISHED: &str = ".new-";

/// After this time an unfinished file is that of a program that was killed.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Makes `dir` and what is above it; what is made is its owner's alone.
pub(super) fn make(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Writes `bytes` to `name` in `dir`, in place of what was there; durable when it returns.
pub(super) fn write(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let unfinished = dir.join(format!("{UNFINISHED}{}-{number}", std::process::id()));
    let written = create(&unfinished)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&unfinished, dir.join(name)));
    if written.is_err() {
        fs::remove_file(&unfinished).ok();
    }
    written?;
    sync(dir)
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Opens a file to lock it.
pub(super) fn lockable(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Removes a file; durable when it returns. One that is not there is removed already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => path.parent().map_or(Ok(()), sync),
    }
}

/// The content of a file of at most `limit` bytes, if it is there.
pub(super) fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let length = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        metadata => metadata?.len(),
    };
    if length > limit {
        return Err(io::Error::other(format!("it has {length} bytes, more than {limit}")));
    }
    fs::read(path).map(Some)
}

/// The names of the finished files in `dir`, sorted, with their lengths.
pub(super) fn names(dir: &Path) -> io::Result<Vec<(String, u64)>> {
    let mut names = Vec::new();
    for entry in entries(dir)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // One that another program sends now may be gone.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() && !name.starts_with(UNFINISHED) {
            names.push((name, metadata.len()));
        }
    }
    names.sort();
    Ok(names)
}

/// The directories in `dir`.
pub(super) fn folders(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in entries(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    Ok(folders)
}

/// Removes what programs that were killed left in `dir`.
pub(super) fn sweep(dir: &Path) -> io::Result<()> {
    for entry in entries(dir)? {
        let entry = entry?;
        let unfinished =
            entry.file_name().to_str().is_some_and(|name| name.starts_with(UNFINISHED));
        let changed = entry.metadata().and_then(|metadata| metadata.modified());
        let age = |changed| match SystemTime::now().duration_since(changed) {
            Ok(age) => age,
            Err(ahead) => ahead.duration(),
        };
        if unfinished && changed.is_ok_and(|changed| age(changed) > ABANDONED) {
            fs::remove_file(entry.path()).ok();
        }
    }
    Ok(())
}

/// Nothing is in a directory that does not exist.
fn entries(dir: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        entries => Some(entries?),
    };
    Ok(entries.into_iter().flatten())
}

/// Makes the names in a directory last; not every system can.
fn sync(dir: &Path) -> io::Result<()> {
    match File::open(dir).and_then(|dir| dir.sync_all()) {
        Err(error) if cfg!(unix) => Err(error),
        _ => Ok(()),
    }
}
