//! Certificates, each kept once under the SHA-256 of its bytes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use kua::chain::{Certificate, Fingerprint, MAX_CERTIFICATE};

use super::disk::{make_directory, rename, sync_names, write_synced};
use super::layout::{CERTIFICATES, INCOMING};
use super::scan::Unserved;
use super::{ArchiveError, Damage};

/// How many threads wait for the disk at once.
const WAITING: usize = 32;

/// Where the certificate of this name lies.
fn path(dir: &Path, name: Fingerprint) -> PathBuf {
    let name = name.to_string();
    dir.join(CERTIFICATES).join(&name[..2]).join(format!("{name}.der"))
}

/// Whether the certificate of this name is kept.
pub(super) fn is_kept(dir: &Path, name: Fingerprint) -> bool {
    path(dir, name).is_file()
}

/// Keeps certificates that are not kept yet. They last when this returns.
pub(super) fn keep(
    dir: &Path,
    certificates: &BTreeMap<Fingerprint, Certificate>,
) -> Result<(), ArchiveError> {
    let incoming = |name: &Fingerprint| dir.join(INCOMING).join(name.to_string());
    let all: Vec<_> = certificates.iter().collect();
    all_at_once(&all, |(name, certificate)| write_synced(&incoming(name), certificate.der()))?;
    let mut touched = BTreeSet::new();
    for name in certificates.keys() {
        let place = path(dir, *name);
        if let Some(shelf) = place.parent() {
            make_directory(shelf)?;
            touched.insert(shelf.to_path_buf());
        }
        rename(&incoming(name), &place)?;
    }
    let touched: Vec<_> = touched.into_iter().collect();
    all_at_once(&touched, |shelf| sync_names(shelf))
}

/// Does something to each item from several threads. Waiting for the disk is nearly all there is
/// to do, and a disk that is asked for many things at once does them in one go.
fn all_at_once<T: Sync>(
    items: &[T],
    act: impl Fn(&T) -> Result<(), ArchiveError> + Sync,
) -> Result<(), ArchiveError> {
    let share = items.len().div_ceil(WAITING).max(1);
    std::thread::scope(|scope| {
        let waiting: Vec<_> = items
            .chunks(share)
            .map(|items| scope.spawn(|| items.iter().try_for_each(&act)))
            .collect();
        waiting.into_iter().try_for_each(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

/// Reads the base64 text of certificates, and remembers some of it: most chains share all but
/// their leaf.
pub(super) struct Texts<'a> {
    dir: &'a Path,
    seen: HashMap<Fingerprint, Vec<u8>>,
    bytes: usize,
}

impl<'a> Texts<'a> {
    /// Most bytes of text that are remembered.
    const MOST: usize = 16 << 20;

    pub(super) fn new(dir: &'a Path) -> Self {
        Self { dir, seen: HashMap::new(), bytes: 0 }
    }

    /// The text of the certificate of this name.
    pub(super) fn of(&mut self, fingerprint: Fingerprint) -> Result<Vec<u8>, Unserved> {
        if let Some(text) = self.seen.get(&fingerprint) {
            return Ok(text.clone());
        }
        let der = read(&path(self.dir, fingerprint))?
            .ok_or(Damage::MissingCertificate { fingerprint })?;
        if Fingerprint::of(&der) != fingerprint {
            return Err(Damage::BadCertificate { fingerprint }.into());
        }
        let text = BASE64.encode(&der).into_bytes();
        if self.bytes + text.len() > Self::MOST {
            self.seen.clear();
            self.bytes = 0;
        }
        self.bytes += text.len();
        self.seen.insert(fingerprint, text.clone());
        Ok(text)
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, ArchiveError> {
    let mut der = Vec::new();
    let most = MAX_CERTIFICATE as u64 + 1;
    match File::open(path).and_then(|file| file.take(most).read_to_end(&mut der)) {
        Ok(_) => Ok(Some(der)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ArchiveError::io("read", path)(error)),
    }
}
