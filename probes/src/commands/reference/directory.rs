//! The directory of refreshed reference data: replaced as a whole or not at all, and the last good one
//! is kept beside it.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// What a directory of reference data may hold; one that holds more is somebody's own, and is not
/// replaced.
const OURS: &[&str] = &[
    "blocklists",
    "browsers.toml",
    "interceptors",
    "logs",
    "networks",
    "private_pki.toml",
    "products.toml",
    "roots.csv",
    "roots.pem",
    "stores",
];

/// Writes `files` (path below, content) as the new content of `dir`; what was there moves to
/// `<dir>.previous`. Until the last step, `dir` is untouched.
///
/// # Errors
/// What the system said, or that the directory holds other things; then `dir` holds what it held.
pub(super) fn replace(dir: &Path, files: &[kua::reference::File]) -> io::Result<()> {
    let (new, previous) = (beside(dir, "new"), beside(dir, "previous"));
    for dir in [dir, &new, &previous] {
        holds_only_ours(dir)?;
    }
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    // Of an update that was killed.
    absent(fs::remove_dir_all(&new))?;
    let written = write_all(&new, files).and_then(|()| {
        absent(fs::remove_dir_all(&previous))?;
        absent(fs::rename(dir, &previous))
    });
    if let Err(error) = written {
        fs::remove_dir_all(&new).ok();
        return Err(error);
    }
    if let Err(error) = fs::rename(&new, dir) {
        fs::rename(&previous, dir).ok();
        fs::remove_dir_all(&new).ok();
        return Err(error);
    }
    // The parent of a name alone is the current directory.
    dir.parent().map_or(Ok(()), |parent| sync(&Path::new(".").join(parent)))
}

/// The directory to begin from: `dir`, or the previous one where an update was killed between its two
/// last steps.
pub(super) fn current(dir: &Path) -> Option<PathBuf> {
    let previous = beside(dir, "previous");
    [dir.to_path_buf(), previous].into_iter().find(|dir| dir.is_dir())
}

/// `reference.previous` beside `reference`.
pub(super) fn beside(dir: &Path, word: &str) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{word}"));
    dir.with_file_name(name)
}

fn holds_only_ours(dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name();
        if !OURS.iter().any(|ours| name == *ours) {
            let path = dir.join(name);
            return Err(io::Error::other(format!("{} is no reference data", path.display())));
        }
    }
    Ok(())
}

fn write_all(dir: &Path, files: &[kua::reference::File]) -> io::Result<()> {
    fs::create_dir(dir)?;
    for file in files {
        let path = dir.join(&file.path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut written = File::create_new(path)?;
        written.write_all(&file.bytes)?;
        written.sync_all()?;
    }
    sync(dir)
}

/// Makes the names in a directory last; not every system can.
fn sync(dir: &Path) -> io::Result<()> {
    match File::open(dir).and_then(|dir| dir.sync_all()) {
        Err(error) if cfg!(unix) => Err(error),
        _ => Ok(()),
    }
}

fn absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> kua::reference::File {
        kua::reference::File { path: path.into(), bytes: text.into() }
    }

    fn held(dir: &Path, path: &str) -> Option<String> {
        fs::read_to_string(dir.join(path)).ok()
    }

    #[test]
    fn the_last_good_directory_stays_beside_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("below/reference");
        let previous = folder.path().join("below/reference.previous");
        assert_eq!(current(&dir), None);
        for (number, before) in [("1", None), ("2", Some("1")), ("3", Some("2"))] {
            replace(&dir, &[file("logs/a.toml", number), file("roots.csv", "")]).unwrap();
            assert_eq!(held(&dir, "logs/a.toml").as_deref(), Some(number));
            assert_eq!(held(&previous, "logs/a.toml").as_deref(), before);
        }
        assert_eq!(fs::read_dir(folder.path().join("below")).unwrap().count(), 2);
        fs::rename(&dir, folder.path().join("lost")).unwrap();
        assert_eq!(current(&dir), Some(previous));
    }

    #[test]
    fn what_an_update_that_was_killed_left_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("reference");
        fs::create_dir_all(folder.path().join("reference.new/logs")).unwrap();
        replace(&dir, &[file("products.toml", "1")]).unwrap();
        assert_eq!(held(&dir, "products.toml").as_deref(), Some("1"));
    }

    #[test]
    fn a_directory_of_somebody_elses_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("reference");
        for (kind, other) in [("itself", "reference"), ("the one before", "reference.previous")] {
            let letter = folder.path().join(other).join("letter.txt");
            fs::create_dir_all(letter.parent().unwrap()).unwrap();
            fs::write(&letter, "dear").unwrap();
            assert!(replace(&dir, &[file("roots.csv", "1")]).is_err(), "{kind}");
            assert_eq!(fs::read_to_string(&letter).unwrap(), "dear", "{kind}");
            fs::remove_file(letter).unwrap();
        }
    }

    #[test]
    fn a_directory_that_cannot_be_written_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("reference");
        replace(&dir, &[file("logs", "1")]).unwrap();
        assert!(replace(&dir, &[file("logs", "2"), file("logs/b.toml", "3")]).is_err());
        assert_eq!(held(&dir, "logs").as_deref(), Some("1"));
        assert!(!folder.path().join("reference.new").exists());
    }
}
