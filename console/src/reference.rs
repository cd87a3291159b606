//! Which reference data a command judges with: the built-in, what `kua reference update` fetched, and
//! directories laid out like `certs/` that the command line names.

use std::path::{Path, PathBuf};

use kua::reference::{File, MAX_FILE, Reference, ReferenceError, built_in_files};

use crate::Trouble;

/// Which reference data a command judges with.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ReferenceArgs {
    /// Judge with the reference data in DIR instead of the built-in
    #[arg(long, value_name = "DIR", help_heading = "Reference data")]
    pub reference: Option<PathBuf>,
    /// Add the reference data in DIR; may be repeated
    #[arg(long, value_name = "DIR", help_heading = "Reference data")]
    pub reference_add: Vec<PathBuf>,
    /// Judge without what `kua reference update` fetched
    #[arg(long, conflicts_with = "reference", help_heading = "Reference data")]
    pub reference_built_in: bool,
}

/// Where a reference file is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The program was built with it.
    BuiltIn,
    /// `kua reference update` fetched it for this user.
    Refreshed,
    /// The command line names its directory.
    Given,
}

impl ReferenceArgs {
    /// Reads and parses what was asked for.
    ///
    /// # Errors
    /// Reference data that is missing or not understood: there is no verdict without it.
    pub fn load(&self) -> Result<Reference, Trouble> {
        Ok(self.load_with_origins()?.0)
    }

    /// The same, with the path of each file in the order of reading and where it is from.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn load_with_origins(&self) -> Result<(Reference, Vec<(String, Origin)>), Trouble> {
        let files = self.read().map_err(|error| self.trouble(error))?;
        let origins = files.iter().map(|(file, origin)| (file.path.clone(), *origin)).collect();
        let reference = Reference::from_files(files.into_iter().map(|(file, _)| file));
        Ok((reference.map_err(|error| self.trouble(error.into()))?, origins))
    }

    fn read(&self) -> Result<Vec<(File, Origin)>, ReferenceReadError> {
        let given = |dir: &PathBuf| {
            let files = files_below(dir)?.into_iter();
            Ok::<_, ReferenceReadError>(files.map(|file| (file, Origin::Given)))
        };
        let mut files = match (&self.reference, self.refreshed()) {
            (Some(dir), _) => given(dir)?.collect(),
            (None, Some(dir)) => with_refreshed(files_below(&dir)?),
            (None, None) => with_refreshed(Vec::new()),
        };
        for dir in &self.reference_add {
            files.extend(given(dir)?);
        }
        Ok(files)
    }

    /// The user's directory, where it exists and counts.
    fn refreshed(&self) -> Option<PathBuf> {
        let asked = self.reference.is_none() && !self.reference_built_in;
        refreshed_directory().filter(|dir| asked && dir.exists())
    }

    fn trouble(&self, error: ReferenceReadError) -> Trouble {
        let trouble = Trouble::new("cannot read the reference data").because(error);
        match self.refreshed() {
            Some(dir) => trouble.hint(format!(
                "`kua reference update` makes {} anew; --reference-built-in judges without it",
                dir.display()
            )),
            None => trouble.hint("a directory of reference data is laid out like certs/: stores/<program>.pem, interceptors/<name>.toml; use --reference-add to add to the built-in data"),
        }
    }
}

/// Where `kua reference update` keeps what it fetches: `$KUA_REFERENCE_DIR` (empty: nowhere), else
/// `kua/reference` below `$XDG_DATA_HOME` or `~/.local/share`.
pub fn refreshed_directory() -> Option<PathBuf> {
    let named = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let is_named = |path: &PathBuf| !path.as_os_str().is_empty();
    if let Some(dir) = named("KUA_REFERENCE_DIR") {
        return Some(dir).filter(is_named);
    }
    let data = named("XDG_DATA_HOME").filter(|path| path.is_absolute());
    let data = data.or_else(|| Some(named("HOME").filter(is_named)?.join(".local/share")));
    Some(data?.join("kua/reference"))
}

/// The built-in files with `refreshed` ones in their place. The newer of two wins, as a new version of
/// the program may bring newer files; certificates and their owners add up, because files of both
/// kinds may name them.
pub fn with_refreshed(refreshed: Vec<File>) -> Vec<(File, Origin)> {
    let mut files: Vec<_> = built_in_files().map(|file| (file, Origin::BuiltIn)).collect();
    for file in refreshed {
        let known = files.iter_mut().find(|(known, _)| known.path == file.path);
        match known {
            Some(known) if !ADDING.contains(&file.path.as_str()) => {
                if stated_date(&file) >= stated_date(&known.0) {
                    *known = (file, Origin::Refreshed);
                }
            }
            _ => files.push((file, Origin::Refreshed)),
        }
    }
    files
}

/// Files whose content adds up.
const ADDING: &[&str] = &["roots.pem", "roots.csv"];

/// The day that a file states at its head.
fn stated_date(file: &File) -> Option<&str> {
    let mut lines = std::str::from_utf8(&file.bytes).ok()?.lines();
    lines.find_map(|line| line.strip_prefix("date = \"")?.strip_suffix('"'))
}

/// The files one or two levels below `dir`, in the order of their paths. Other files may lie there.
///
/// # Errors
/// A directory that cannot be read, or holds no reference data.
pub fn files_below(dir: &Path) -> Result<Vec<File>, ReferenceReadError> {
    let mut files = Vec::new();
    collect(dir, "", &mut files)?;
    files.sort_by(|left, right| left.path.cmp(&right.path));
    if files.is_empty() {
        return Err(ReferenceReadError::Empty { dir: dir.into() });
    }
    Ok(files)
}

fn collect(dir: &Path, prefix: &str, files: &mut Vec<File>) -> Result<(), ReferenceReadError> {
    let unreadable = |path: &Path| {
        let path = path.to_path_buf();
        move |source| ReferenceReadError::Unreadable { path, source }
    };
    for entry in std::fs::read_dir(dir).map_err(unreadable(dir))? {
        let entry = entry.map_err(unreadable(dir))?;
        let path = entry.path();
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let below = format!("{prefix}{name}");
        if path.is_dir() {
            if prefix.is_empty() {
                collect(&path, &format!("{below}/"), files)?;
            }
        } else if [".toml", ".pem", ".csv"].iter().any(|ending| name.ends_with(ending)) {
            let length = entry.metadata().map_err(unreadable(&path))?.len();
            if length > MAX_FILE as u64 {
                return Err(ReferenceReadError::TooLong { path, length });
            }
            let bytes = std::fs::read(&path).map_err(unreadable(&path))?;
            files.push(File { path: below, bytes });
        }
    }
    Ok(())
}

/// Why reference data could not be read from a directory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceReadError {
    /// A directory without a single file of reference data.
    #[error("{} holds no reference data", dir.display())]
    Empty {
        /// The directory.
        dir: PathBuf,
    },
    /// What was read is not understood.
    #[error("it is not understood")]
    NotUnderstood(#[from] ReferenceError),
    /// Above the limit.
    #[error("{} has {length} bytes, more than {MAX_FILE}", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        length: u64,
    },
    /// A file or directory that could not be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in() -> ReferenceArgs {
        ReferenceArgs { reference_built_in: true, ..Default::default() }
    }

    #[test]
    fn built_in_data_loads_and_can_be_added_to() {
        let known = built_in().load().unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("interceptors")).unwrap();
        let dossier = "id = \"x\"\ncountry = \"QZ\"\nactor = \"state\"\nnames = [\"CN=X\"]\n";
        std::fs::write(dir.path().join("interceptors/x.toml"), dossier).unwrap();
        let args = ReferenceArgs { reference_add: vec![dir.path().into()], ..built_in() };
        assert_eq!(args.load().unwrap().dossiers.len(), known.dossiers.len() + 1);
    }

    #[test]
    fn nothing_is_an_error_and_never_an_empty_set() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().to_path_buf();
        for args in [
            ReferenceArgs { reference: Some(empty.clone()), ..Default::default() },
            ReferenceArgs { reference_add: vec![empty.clone()], ..built_in() },
            ReferenceArgs { reference: Some(empty.join("absent")), ..Default::default() },
        ] {
            assert!(args.load().is_err(), "{args:?}");
        }
        std::fs::create_dir(empty.join("stores")).unwrap();
        std::fs::write(empty.join("stores/a.pem"), "# program: A\n").unwrap();
        assert!(ReferenceArgs { reference: Some(empty), ..Default::default() }.load().is_err());
    }

    #[test]
    fn the_newer_of_two_files_counts_and_roots_add_up() {
        let file = |path: &str, text: &str| File { path: path.into(), bytes: text.into() };
        let count = built_in_files().count();
        for (path, text, more, replaced) in [
            ("logs/chrome.toml", "program = \"Chrome\"\ndate = \"2999-01-01\"\n", 0, true),
            ("logs/chrome.toml", "program = \"Chrome\"\ndate = \"1999-01-01\"\n", 0, false),
            ("logs/chrome.toml", "no date", 0, false),
            ("blocklists/new.toml", "", 1, true),
        ] {
            let files = with_refreshed(vec![file(path, text)]);
            assert_eq!(files.len(), count + more, "{text}");
            let (found, origin) = files.iter().find(|(file, _)| file.path == path).unwrap();
            assert_eq!(found.bytes == text.as_bytes(), replaced, "{text}");
            assert_eq!(*origin == Origin::Refreshed, replaced, "{text}");
        }
        let roots = with_refreshed(vec![file("roots.pem", ""), file("roots.csv", "")]);
        let refreshed = roots.iter().filter(|(_, origin)| *origin == Origin::Refreshed);
        assert_eq!(refreshed.count(), 2);
    }
}
