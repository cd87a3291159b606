//! `--reference` and `--reference-add`: reference data from directories laid out like `certs/`.

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
}

impl ReferenceArgs {
    /// Reads and parses what was asked for.
    ///
    /// # Errors
    /// Reference data that is missing or not understood: there is no verdict without it.
    pub fn load(&self) -> Result<Reference, Trouble> {
        self.read().map_err(|error| {
            Trouble::new("cannot read the reference data")
                .because(error)
                .hint("a directory of reference data is laid out like certs/: stores/<program>.pem, interceptors/<name>.toml; use --reference-add to add to the built-in data")
        })
    }

    fn read(&self) -> Result<Reference, ReferenceReadError> {
        let mut files = match &self.reference {
            Some(dir) => files_below(dir)?,
            None => built_in_files().collect(),
        };
        for dir in &self.reference_add {
            files.extend(files_below(dir)?);
        }
        Ok(Reference::from_files(files)?)
    }
}

/// The files one or two levels below `dir`, in the order of their paths. Other files may lie there.
fn files_below(dir: &Path) -> Result<Vec<File>, ReferenceReadError> {
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

    #[test]
    fn built_in_data_loads_and_can_be_added_to() {
        let built_in = ReferenceArgs::default().load().unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("interceptors")).unwrap();
        let dossier = "id = \"x\"\ncountry = \"QZ\"\nactor = \"state\"\nnames = [\"CN=X\"]\n";
        std::fs::write(dir.path().join("interceptors/x.toml"), dossier).unwrap();
        let args = ReferenceArgs { reference_add: vec![dir.path().into()], ..Default::default() };
        assert_eq!(args.load().unwrap().dossiers.len(), built_in.dossiers.len() + 1);
    }

    #[test]
    fn nothing_is_an_error_and_never_an_empty_set() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().to_path_buf();
        for args in [
            ReferenceArgs { reference: Some(empty.clone()), ..Default::default() },
            ReferenceArgs { reference_add: vec![empty.clone()], ..Default::default() },
            ReferenceArgs { reference: Some(empty.join("absent")), ..Default::default() },
        ] {
            assert!(args.load().is_err(), "{args:?}");
        }
        std::fs::create_dir(empty.join("stores")).unwrap();
        std::fs::write(empty.join("stores/a.pem"), "# program: A\n").unwrap();
        assert!(ReferenceArgs { reference: Some(empty), ..Default::default() }.load().is_err());
    }
}
