//! Records that wait on disk for their collector, and what came of others.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER};
use kua::submission::is_signed_by;
use kua::tlog::{Hash, MAX_NOTE, sha256};
use kua::wire::MAX_RECORD;
use serde::{Deserialize, Serialize};

use super::directory;
use super::state::State;

/// How many bytes wait at most, for all collectors together.
pub const MAX_SPOOL: u64 = 256 * 1024 * 1024;

/// How many receipts are kept at most until they are checked; then the oldest goes.
const MAX_RECEIPTS: usize = 10_000;

const MAX_STATE: u64 = 256 * 1024;

/// A record with the signature of who submits it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// As it is sent.
    pub record: String,
    /// Base64 of the public key.
    pub key: String,
    /// Base64 of the signature.
    pub signature: String,
    /// Why it is set aside, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Submission {
    /// SHA-256 of the record.
    pub fn hash(&self) -> Hash {
        sha256(self.record.as_bytes())
    }

    fn is_whole(&self) -> bool {
        let decoded = |text: &str| BASE64.decode(text.as_bytes()).unwrap_or_default();
        is_signed_by(&decoded(&self.key), &decoded(&self.signature), &self.hash())
    }
}

/// The records that wait for one collector.
#[derive(Debug)]
pub struct Spool {
    root: PathBuf,
    dir: PathBuf,
    url: String,
}

impl Spool {
    /// The spool below `root` for the collector at `url`. What waits for one is never sent to another.
    ///
    /// # Errors
    /// What the system said.
    pub fn open(root: &Path, url: &str) -> Result<Self, SpoolError> {
        let host = url.split("://").last().unwrap_or_default();
        let host = host.split(['/', ':', '?']).next().unwrap_or_default();
        let safe =
            |letter: &char| letter.is_ascii_alphanumeric() || *letter == '.' || *letter == '-';
        let host: String = host.chars().filter(safe).take(60).collect();
        let hash = HEXLOWER.encode(&sha256(url.as_bytes())[..4]);
        let dir = root.join(format!("{host}-{hash}"));
        let spool = Self { root: root.into(), dir, url: url.to_owned() };
        for folder in [WAITING, REFUSED, RECEIPTS] {
            let folder = spool.dir.join(folder);
            directory::make(&folder).map_err(|source| unwritable(&folder, source))?;
            directory::sweep(&folder).map_err(|source| unreadable(&folder, source))?;
        }
        directory::sweep(&spool.dir).map_err(|source| unreadable(&spool.dir, source))?;
        Ok(spool)
    }

    /// The directory of this collector.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Keeps a submission; it is durable when this returns. Says `false`, and keeps nothing, when
    /// [`MAX_SPOOL`] is reached.
    ///
    /// # Errors
    /// What the system said.
    pub fn keep(&self, submission: &Submission) -> Result<bool, SpoolError> {
        let bytes = json(submission);
        if self.length()? + bytes.len() as u64 > MAX_SPOOL {
            return Ok(false);
        }
        let last = self.waiting()?.pop();
        let last = last.as_deref().and_then(|name| name.split('-').next());
        let number = last.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) + 1;
        let name = format!("{number:012}-{}.json", HEXLOWER.encode(&submission.hash()[..8]));
        self.write(WAITING, &name, &bytes)?;
        Ok(true)
    }

    /// The bytes of all that waits, for whomever.
    fn length(&self) -> Result<u64, SpoolError> {
        let failed = |source| unreadable(&self.root, source);
        let mut length = 0;
        for collector in directory::folders(&self.root).map_err(failed)? {
            for folder in directory::folders(&collector).map_err(failed)? {
                let names = directory::names(&folder).map_err(failed)?;
                length += names.iter().map(|(_, length)| length).sum::<u64>();
            }
        }
        Ok(length)
    }

    /// The names of those that wait, oldest first.
    ///
    /// # Errors
    /// What the system said.
    pub fn waiting(&self) -> Result<Vec<String>, SpoolError> {
        self.names(WAITING)
    }

    /// Lets nobody else send while it is held; nothing where somebody else does already.
    pub(super) fn lock(&self) -> Result<Option<File>, SpoolError> {
        let path = self.dir.join("lock");
        let file = directory::lockable(&path).map_err(|source| unwritable(&path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(unwritable(&path, source)),
        }
    }

    /// A submission that waits; nothing where its file does not hold what was written.
    pub(super) fn read(&self, name: &str) -> Result<Option<Submission>, SpoolError> {
        // Text inside JSON is at most six times as long.
        let bytes = self.bytes(WAITING, name, 7 * MAX_RECORD as u64)?;
        let submission: Option<Submission> =
            bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(submission.filter(Submission::is_whole))
    }

    /// It is acknowledged.
    pub(super) fn remove(&self, name: &str) -> Result<(), SpoolError> {
        let path = self.dir.join(WAITING).join(name);
        directory::remove(&path).map_err(|source| unwritable(&path, source))
    }

    /// It will never be taken: it stays beside those that wait, with the reason.
    pub(super) fn set_aside(
        &self,
        name: &str,
        submission: Submission,
        why: &str,
    ) -> Result<(), SpoolError> {
        let submission = Submission { why: Some(why.to_owned()), ..submission };
        self.write(REFUSED, name, &json(&submission))?;
        self.remove(name)
    }

    /// A file that is damaged is moved as it is.
    pub(super) fn set_aside_damaged(&self, name: &str) -> Result<(), SpoolError> {
        let path = self.dir.join(WAITING).join(name);
        let moved = std::fs::rename(&path, self.dir.join(REFUSED).join(name));
        moved.map_err(|source| unwritable(&path, source))
    }

    /// Keeps the collector's signed word until it is checked in its log.
    pub(super) fn keep_receipt(&self, record: &Hash, note: &str) -> Result<(), SpoolError> {
        let mut known = self.receipts()?;
        if known.len() >= MAX_RECEIPTS {
            self.remove_receipt(&known.remove(0))?;
        }
        self.write(RECEIPTS, &HEXLOWER.encode(record), note.as_bytes())
    }

    pub(super) fn receipts(&self) -> Result<Vec<String>, SpoolError> {
        self.names(RECEIPTS)
    }

    pub(super) fn receipt(&self, name: &str) -> Result<Option<Vec<u8>>, SpoolError> {
        self.bytes(RECEIPTS, name, MAX_NOTE as u64)
    }

    pub(super) fn remove_receipt(&self, name: &str) -> Result<(), SpoolError> {
        let path = self.dir.join(RECEIPTS).join(name);
        directory::remove(&path).map_err(|source| unwritable(&path, source))
    }

    pub(super) fn state(&self) -> Result<State, SpoolError> {
        let path = self.dir.join(STATE);
        let bytes =
            directory::read(&path, MAX_STATE).map_err(|source| unreadable(&path, source))?;
        let Some(bytes) = bytes else {
            return Ok(State { url: self.url.clone(), ..State::default() });
        };
        serde_json::from_slice(&bytes).map_err(|error| unreadable(&path, error.into()))
    }

    pub(super) fn save(&self, state: &State) -> Result<(), SpoolError> {
        let written = directory::write(&self.dir, STATE, &json(state));
        written.map_err(|source| unwritable(&self.dir.join(STATE), source))
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, SpoolError> {
        let folder = self.dir.join(folder);
        let names = directory::names(&folder).map_err(|source| unreadable(&folder, source))?;
        Ok(names.into_iter().map(|(name, _)| name).collect())
    }

    fn bytes(&self, folder: &str, name: &str, limit: u64) -> Result<Option<Vec<u8>>, SpoolError> {
        let path = self.dir.join(folder).join(name);
        directory::read(&path, limit).map_err(|source| unreadable(&path, source))
    }

    fn write(&self, folder: &str, name: &str, bytes: &[u8]) -> Result<(), SpoolError> {
        let folder = self.dir.join(folder);
        let written = directory::write(&folder, name, bytes);
        written.map_err(|source| unwritable(&folder.join(name), source))
    }
}

const WAITING: &str = "waiting";
const REFUSED: &str = "refused";
const RECEIPTS: &str = "receipts";
const STATE: &str = "collector.json";

/// Values of text and numbers always have a form.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// `kua/spool` below `$XDG_STATE_HOME` or `~/.local/state`.
pub fn spool_directory() -> Option<PathBuf> {
    Some(base("XDG_STATE_HOME", ".local/state")?.join("kua/spool"))
}

/// `kua` below `$XDG_DATA_HOME` or `~/.local/share`.
pub fn key_directory() -> Option<PathBuf> {
    Some(base("XDG_DATA_HOME", ".local/share")?.join("kua"))
}

fn base(variable: &str, below_home: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| Some(home()?.join(below_home)))
}

/// Why records could not be kept for sending.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// A file or directory that cannot be read, or holds something else.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file or directory that cannot be written.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn unreadable(path: &Path, source: io::Error) -> SpoolError {
    SpoolError::Unreadable { path: path.into(), source }
}

fn unwritable(path: &Path, source: io::Error) -> SpoolError {
    SpoolError::Unwritable { path: path.into(), source }
}
