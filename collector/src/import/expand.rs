//! What was named on the command line to files: patterns, and directories with all below them.

use std::io;
use std::path::{Path, PathBuf};

use glob::MatchOptions;

use super::ReadError;

/// Directories within each other that are followed.
const MAX_DEPTH: usize = 32;

/// The files that `names` mean, each name's in the order of their paths.
///
/// A name that does not exist and has one of `*?[` in it is a pattern (a shell would have expanded
/// it, had it not been quoted). A directory stands for every file below it whose name does not
/// begin with a dot; links to directories are not followed. `-` stays.
///
/// # Errors
/// [`ReadError`] for a name, or a pattern, that means no file.
pub fn expand(names: &[PathBuf]) -> Result<Vec<PathBuf>, ReadError> {
    let mut files = Vec::new();
    for name in names {
        if name == Path::new("-") {
            files.push(name.clone());
            continue;
        }
        let fails = |source: io::Error| ReadError::new(name, source);
        let before = files.len();
        match std::fs::symlink_metadata(name) {
            Ok(_) => add(name, MAX_DEPTH, &mut files).map_err(fails)?,
            Err(error) => match pattern(name) {
                Some(pattern) => {
                    let hidden =
                        MatchOptions { require_literal_leading_dot: true, ..MatchOptions::new() };
                    let paths = glob::glob_with(pattern, hidden).map_err(io::Error::other);
                    for path in paths.map_err(fails)? {
                        let path = path.map_err(|error| fails(error.into()))?;
                        add(&path, MAX_DEPTH, &mut files).map_err(fails)?;
                    }
                }
                None => return Err(fails(error)),
            },
        }
        if files.len() == before {
            return Err(fails(io::Error::new(io::ErrorKind::NotFound, "no file is meant by it")));
        }
    }
    Ok(files)
}

fn pattern(name: &Path) -> Option<&str> {
    name.to_str().filter(|name| name.contains(['*', '?', '[']))
}

fn add(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !std::fs::metadata(path)?.is_dir() {
        files.push(path.into());
        return Ok(());
    }
    if depth == 0 {
        return Err(io::Error::other("directories within each other without an end"));
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        let hidden = entry.file_name().as_encoded_bytes().first() == Some(&b'.');
        let link = entry.file_type()?.is_symlink() && entry.path().is_dir();
        if !hidden && !link {
            entries.push(entry.path());
        }
    }
    entries.sort_unstable();
    entries.iter().try_for_each(|entry| add(entry, depth - 1, files))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_patterns_and_directories() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(at("d/e")).unwrap();
        for name in ["a.jsonl", "b.jsonl", "c[1].json", "d/2", "d/1", "d/e/3", "d/.hidden"] {
            std::fs::write(at(name), "").unwrap();
        }
        for (name, files) in [
            ("a.jsonl", &["a.jsonl"][..]),
            ("*.jsonl", &["a.jsonl", "b.jsonl"]),
            ("c[1].json", &["c[1].json"]),
            ("[ab].jsonl", &["a.jsonl", "b.jsonl"]),
            ("d", &["d/1", "d/2", "d/e/3"]),
            ("d/*", &["d/1", "d/2", "d/e/3"]),
        ] {
            let files: Vec<_> = files.iter().map(|file| at(file)).collect();
            assert_eq!(expand(&[at(name)]).unwrap(), files, "{name}");
        }
        assert_eq!(expand(&["-".into()]).unwrap(), [PathBuf::from("-")]);
        for name in ["absent", "*.none", "***"] {
            assert!(expand(&[at(name)]).is_err(), "{name}");
        }
        std::fs::create_dir(at("empty")).unwrap();
        assert!(expand(&[at("empty")]).is_err());
    }
}
