//! Finds the stores of a machine and reads them, without a lock or a change.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::container::{self, Kind};
use super::environment::{self, Setting};
use super::places::{self, PLACES};
use super::remedy::Remedy;
use super::{Content, Held, MAX_CERTIFICATES, MAX_STORE, StoreError, Trust, policies, system};

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
    /// Stores, in the order of [`PLACES`].
    pub stores: Vec<Store>,
    /// What could not be read.
    pub failed: Vec<Failed>,
    /// Settings that change what is trusted.
    pub settings: Vec<Setting>,
    /// Files that were read, so that a second name of one is not read again.
    seen: BTreeSet<PathBuf>,
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
    fn real(&self, path: &Path) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_path_buf(),
        }
    }

    /// The paths of the machine that fit a pattern and exist.
    fn expand(&self, pattern: &str) -> Vec<PathBuf> {
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

/// Looks at every place that is known.
pub fn search(machine: &Machine) -> Found {
    let mut found = Found::default();
    for place in PLACES {
        for path in machine.expand(place.pattern) {
            found.open(machine, &path, place.what, place.remedy, place.trust);
        }
    }
    if machine.root.is_none() {
        for listed in system::listed(machine.homes.first().map(PathBuf::as_path)) {
            let (what, remedy) = (listed.what.to_owned(), listed.remedy);
            match listed.content {
                Ok(content) => {
                    let kind = Kind::System;
                    found.stores.push(Store { path: listed.path, what, kind, remedy, content });
                }
                Err(error) => found.failed.push(Failed { path: listed.path, error }),
            }
        }
    }
    browsers(machine, &mut found);
    debian(machine, &mut found);
    overrides(machine, &mut found);
    found
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
    fn open(&mut self, machine: &Machine, path: &Path, what: &str, remedy: Remedy, trust: Trust) {
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
        if !self.seen.insert(canonical.clone()) {
            return;
        }
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
                self.stores.push(Store { path: shown, what, kind, remedy, content });
            }
            Err(error) => self.fail(shown, error),
        }
    }

    fn fail(&mut self, path: String, error: StoreError) {
        self.failed.push(Failed { path, error });
    }

    /// The text of a file that need not be there.
    fn text(&mut self, machine: &Machine, path: &Path) -> Option<String> {
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

/// What browsers are told: preferences of each profile, and policies.
fn browsers(machine: &Machine, found: &mut Found) {
    for place in
        PLACES.iter().filter(|place| matches!(place.remedy, Remedy::Firefox | Remedy::Thunderbird))
    {
        for profile in machine.expand(place.pattern) {
            let texts: Vec<_> = ["prefs.js", "user.js"]
                .iter()
                .filter_map(|name| found.text(machine, &profile.join(name)))
                .collect();
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            if let Some(on) = policies::enterprise_roots(&texts) {
                found.settings.push(policies::enterprise_setting(&profile.to_string_lossy(), on));
            }
        }
    }
    for pattern in policies::FIREFOX {
        for path in machine.expand(pattern) {
            let Some(text) = found.text(machine, &path) else { continue };
            let shown = path.to_string_lossy().into_owned();
            match policies::firefox(&text) {
                Ok((roots, install)) => {
                    if let Some(on) = roots {
                        found.settings.push(policies::enterprise_setting(&shown, on));
                    }
                    for name in install {
                        installed(machine, found, &name);
                    }
                }
                Err(error) => {
                    found.fail(shown, StoreError::Unreadable(std::io::Error::other(error)))
                }
            }
        }
    }
    for (pattern, browser) in policies::CHROMIUM {
        for path in machine.expand(pattern) {
            let Some(text) = found.text(machine, &path) else { continue };
            let shown = path.to_string_lossy().into_owned();
            match policies::chromium(&text) {
                Ok(content) if content == Content::default() => {}
                Ok(content) => found.stores.push(Store {
                    path: shown,
                    what: format!("policy of {browser}"),
                    kind: Kind::Pem,
                    remedy: Remedy::BrowserPolicy,
                    content,
                }),
                Err(error) => {
                    found.fail(shown, StoreError::Unreadable(std::io::Error::other(error)))
                }
            }
        }
    }
}

/// A certificate that a policy installs: a whole path, or a name in one of a few folders.
fn installed(machine: &Machine, found: &mut Found, name: &str) {
    let what = "installed by Firefox's policy";
    if name.starts_with('/') || name.contains(":\\") {
        return found.open(machine, Path::new(name), what, Remedy::BrowserPolicy, Trust::Trusted);
    }
    for folder in policies::FIREFOX_CERTIFICATES {
        for folder in machine.expand(folder) {
            let path = folder.join(name);
            if machine.real(&path).is_file() {
                found.open(machine, &path, what, Remedy::BrowserPolicy, Trust::Trusted);
            }
        }
    }
}

/// Certificates that Debian's list turns off.
fn debian(machine: &Machine, found: &mut Found) {
    let Some(list) = found.text(machine, Path::new(policies::DEBIAN)) else { return };
    let mut content = Content::default();
    for name in policies::turned_off(&list) {
        let path = Path::new("/usr/share/ca-certificates").join(name);
        if let Ok((_, read)) = file(&machine.real(&path)) {
            let off =
                |held: Held| Held { trust: Trust::Distrusted, label: name.to_owned(), ..held };
            content.held.extend(read.held.into_iter().map(off));
        }
    }
    if !content.held.is_empty() {
        let (path, kind) = (policies::DEBIAN.to_owned(), Kind::Pem);
        let what = "turned off on this machine".to_owned();
        found.stores.push(Store { path, what, kind, remedy: Remedy::Generated, content });
    }
}

/// Stores that variables and settings name, and what turns verification off.
fn overrides(machine: &Machine, found: &mut Found) {
    let mut named = environment::named(&machine.environment);
    for (pattern, setting, reader) in environment::FILES {
        for path in machine.expand(pattern) {
            let Some(text) = found.text(machine, &path) else { continue };
            let name = format!("{setting} of {}", path.display());
            let values = environment::values(&text, setting);
            named.extend(
                values.into_iter().map(|value| (name.clone(), (*reader).to_owned(), value)),
            );
        }
    }
    for (name, readers, value) in named {
        let path = match (value.strip_prefix("~/"), machine.homes.first()) {
            (Some(below), Some(home)) => home.join(below),
            _ => PathBuf::from(&value),
        };
        let means = format!("these roots count for {readers}");
        found.settings.push(Setting { place: name.clone(), says: value, means });
        let before = found.stores.len();
        found.open(
            machine,
            &path,
            &format!("named by {name}"),
            Remedy::Environment,
            Trust::Trusted,
        );
        for store in &mut found.stores[before..] {
            store.content.held.iter_mut().for_each(|held| held.label.clone_from(&name));
        }
    }
    found.settings.extend(environment::switches(&machine.environment));
}

/// One file of any kind. A file with one certificate lends it its date.
fn file(path: &Path) -> Result<(Kind, Content), StoreError> {
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
