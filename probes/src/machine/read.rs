//! Opens the stores of a machine and reads them, without a lock or a change.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::container::{self, Kind};
use super::environment::Setting;
use super::places;
use super::remedy::Remedy;
use super::{Content, MAX_CERTIFICATES, MAX_STORE, StoreError, Trust};

/// Deepest folder below a directory of certificates that is looked into.
const DEPTH: usize = 4;

/// The machine that is looked at.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// The folder in which its files lie; `None` for the machine that this program runs on.
    pub root: Option<PathBuf>,
    /// Homes of its users.
    pub homes: Vec<PathBuf>,
    /// Its variables.
    pub environment: BTreeMap<String, String>,
}

/// A store that was read.
#[derive(Clone, Debug)]
pub struct Store {
    /// Where it lies on the machine.
    pub path: String,
    /// What it is, in words.
    pub what: String,
    /// Its form.
    pub kind: Kind,
    /// How it is changed.
    pub remedy: Remedy,
    /// What it holds.
    pub content: Content,
}

/// A store that could not be read.
#[derive(Debug)]
pub struct Failed {
    /// Where it lies on the machine.
    pub path: String,
    /// Why.
    pub error: StoreError,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Stores, in the order of [`places::PLACES`].
    pub stores: Vec<Store>,
    /// What could not be read.
    pub failed: Vec<Failed>,
    /// Settings that change what is trusted.
    pub settings: Vec<Setting>,
    /// Files that were read, so that a second name of one is not read again.
    seen: BTreeMap<PathBuf, Remedy>,
}

impl Machine {
    /// The machine that this program runs on, for its present user.
    pub fn this() -> Self {
        let environment: BTreeMap<_, _> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let home = environment.get("HOME").or_else(|| environment.get("USERPROFILE"));
        Self { root: None, homes: home.map(PathBuf::from).into_iter().collect(), environment }
    }

    /// A machine whose files lie below `root`, with all homes that are there and no variables.
    pub fn below(root: &Path) -> Self {
        let mut homes = vec![PathBuf::from("/root")];
        for folder in ["home", "Users"] {
            let names = names(&root.join(folder));
            homes.extend(names.iter().map(|name| Path::new("/").join(folder).join(name)));
        }
        homes.retain(|home| root.join(home.strip_prefix("/").unwrap_or(home)).is_dir());
        Self { root: Some(root.into()), homes, environment: BTreeMap::new() }
    }

    /// Where a path of the machine lies on this one.
    pub(super) fn real(&self, path: &Path) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_path_buf(),
        }
    }

    /// The paths of the machine that fit a pattern and exist.
    pub(super) fn expand(&self, pattern: &str) -> Vec<PathBuf> {
        let (start, rest) = pattern.split_once('/').unwrap_or((pattern, ""));
        let starts = match start {
            "~" => self.homes.clone(),
            "" => vec![PathBuf::from("/")],
            variable => {
                let value = self.environment.get(variable.trim_start_matches('$'));
                value.filter(|value| !value.is_empty()).map(PathBuf::from).into_iter().collect()
            }
        };
        let mut paths = starts;
        for part in rest.split('/') {
            paths = paths.iter().flat_map(|path| self.step(path, part)).collect();
        }
        paths.retain(|path| fs::symlink_metadata(self.real(path)).is_ok());
        paths
    }

    fn step(&self, path: &Path, part: &str) -> Vec<PathBuf> {
        if !part.contains('*') {
            return vec![path.join(part)];
        }
        let names = names(&self.real(path));
        names.iter().filter(|name| places::fits(part, name)).map(|name| path.join(name)).collect()
    }
}

/// Reads what somebody asked for: a file or a directory.
pub fn asked(machine: &Machine, paths: &[PathBuf]) -> Found {
    let mut found = Found::default();
    for path in paths {
        found.open(machine, path, "asked for", Remedy::File, Trust::Trusted);
    }
    found
}

impl Found {
    pub(super) fn open(
        &mut self,
        machine: &Machine,
        path: &Path,
        what: &str,
        remedy: Remedy,
        trust: Trust,
    ) {
        let real = machine.real(path);
        let nss = |name: &str| real.join(name).is_file();
        let browser = matches!(
            remedy,
            Remedy::Firefox | Remedy::Thunderbird | Remedy::Chromium | Remedy::Certutil
        );
        let (path, real) = if nss("cert9.db") || nss("cert8.db") {
            let name = if nss("cert9.db") { "cert9.db" } else { "cert8.db" };
            (path.join(name), real.join(name))
        } else if browser && real.is_dir() {
            return;
        } else {
            (path.to_path_buf(), real)
        };
        let shown = path.to_string_lossy().into_owned();
        let canonical = match fs::canonicalize(&real) {
            Ok(canonical) => canonical,
            Err(error) => return self.fail(shown, StoreError::Unreadable(error)),
        };
        if let Some(root) = machine.root.as_ref().and_then(|root| fs::canonicalize(root).ok())
            && !canonical.starts_with(root)
        {
            let error = std::io::Error::other("it leads out of the folder that is looked at");
            return self.fail(shown, StoreError::Unreadable(error));
        }
        if self.seen.contains_key(&canonical) {
            return;
        }
        self.seen.insert(canonical.clone(), remedy);
        let read = if canonical.is_dir() {
            directory(&canonical).map(|(content, failed)| {
                let below =
                    |failed: Failed| Failed { path: format!("{shown}/{}", failed.path), ..failed };
                self.failed.extend(failed.into_iter().map(below));
                (Kind::Directory, content)
            })
        } else {
            file(&canonical)
        };
        match read {
            Ok((kind, mut content)) => {
                if trust == Trust::Distrusted {
                    content.held.iter_mut().for_each(|held| held.trust = Trust::Distrusted);
                }
                let what = what.to_owned();
                let asked = remedy == Remedy::File;
                let remedy = if asked { Remedy::of_asked(kind) } else { remedy };
                self.stores.push(Store { path: shown, what, kind, remedy, content });
            }
            Err(error) => self.fail(shown, error),
        }
    }

    pub(super) fn fail(&mut self, path: String, error: StoreError) {
        self.failed.push(Failed { path, error });
    }

    /// Whether a path leads to a store that was read before and that the system makes.
    pub(super) fn is_generated(&self, machine: &Machine, path: &Path) -> bool {
        let canonical = fs::canonicalize(machine.real(path));
        let remedy = canonical.ok().and_then(|canonical| self.seen.get(&canonical).copied());
        remedy.is_some_and(Remedy::is_generated)
    }

    /// The text of a file that need not be there.
    pub(super) fn text(&mut self, machine: &Machine, path: &Path) -> Option<String> {
        match bytes(&machine.real(path)) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(StoreError::Unreadable(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                None
            }
            Err(error) => {
                self.fail(path.to_string_lossy().into_owned(), error);
                None
            }
        }
    }
}

/// One file of any kind. A file with one certificate lends it its date.
pub(super) fn file(path: &Path) -> Result<(Kind, Content), StoreError> {
    let (kind, mut content) = container::read(&bytes(path)?)?;
    if let ([one], Kind::Pem | Kind::Der) = (content.held.as_mut_slice(), kind) {
        one.since = written(path);
    }
    Ok((kind, content))
}

fn bytes(path: &Path) -> Result<Vec<u8>, StoreError> {
    let file = File::open(path).map_err(StoreError::Unreadable)?;
    // A pipe or a device would never end.
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(StoreError::Unreadable(std::io::Error::other("it is not a regular file")));
    }
    let mut bytes = Vec::new();
    let limit = MAX_STORE as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(StoreError::Unreadable)?;
    if bytes.len() > MAX_STORE { Err(StoreError::TooLong) } else { Ok(bytes) }
}

/// When the file was written, or the link to it made.
fn written(path: &Path) -> Option<OffsetDateTime> {
    fs::symlink_metadata(path).ok()?.modified().ok().map(OffsetDateTime::from)
}

/// Every certificate in the files of a directory, and the files that should hold one and are broken.
fn directory(path: &Path) -> Result<(Content, Vec<Failed>), StoreError> {
    let (mut files, mut failed, mut length) = (Vec::new(), Vec::new(), 0);
    below(path, "", DEPTH, &mut files)?;
    let mut parts = Vec::new();
    for name in files {
        let path = path.join(&name);
        let read = bytes(&path).and_then(|bytes| {
            length += bytes.len();
            if length > MAX_STORE { Err(StoreError::TooLong) } else { container::read(&bytes) }
        });
        match read {
            Ok((Kind::Pem | Kind::Der, mut content)) => {
                let several = content.held.len() > 1;
                for held in &mut content.held {
                    held.label.clone_from(&name);
                    held.since = if several { None } else { written(&path) };
                }
                parts.push(((several, is_hashed(&name), name), content));
            }
            Ok(_) => {}
            Err(StoreError::TooLong) if length > MAX_STORE => return Err(StoreError::TooLong),
            // Other files may lie there; only those that claim to be a certificate are missed.
            Err(StoreError::NoStore) if !is_certificate(&name) => {}
            Err(error) => failed.push(Failed { path: name, error }),
        }
    }
    // A certificate lies there under several names: its own first, then its hash, then a bundle.
    parts.sort_by(|(left, _), (right, _)| left.cmp(right));
    let mut content = Content::default();
    for (_, part) in parts {
        content.passed_over += part.passed_over;
        content.held.extend(part.held);
        if content.held.len() > MAX_CERTIFICATES {
            return Err(StoreError::TooMany);
        }
    }
    Ok((content.each_once(), failed))
}

fn below(
    path: &Path,
    prefix: &str,
    depth: usize,
    files: &mut Vec<String>,
) -> Result<(), StoreError> {
    fs::read_dir(path).map_err(StoreError::Unreadable)?;
    for name in names(path) {
        let entry = path.join(&name);
        let shown = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let Ok(kind) = fs::symlink_metadata(&entry).map(|metadata| metadata.file_type()) else {
            continue;
        };
        if kind.is_dir() && depth > 0 {
            // One folder that nobody may look into hides only itself.
            let _ = below(&entry, &shown, depth - 1, files);
        } else if entry.is_file() {
            files.push(shown);
        }
        if files.len() > MAX_CERTIFICATES {
            return Err(StoreError::TooMany);
        }
    }
    Ok(())
}

/// The name that `openssl rehash` gives: eight hexadecimal digits and a number.
fn is_hashed(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.split_once('.').is_some_and(|(hash, number)| {
        hash.len() == 8
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_certificate(name: &str) -> bool {
    is_hashed(name)
        || [".crt", ".pem", ".cer", ".der", ".p11-kit"].iter().any(|ending| name.ends_with(ending))
}

/// The names in a folder, sorted; none where nobody may look.
fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<_> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}
