//! What the writer remembers of an archive: which records and certificates were kept. It is made
//! again from the segments whenever it is absent, foreign or behind.

mod absorb;

pub(crate) use absorb::names_in;

use std::fs;
use std::path::{Path, PathBuf};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch};
use kua::chain::Fingerprint;
use serde::{Deserialize, Serialize};

use crate::rejected::Rejected;
use crate::{ArchiveError, RecordHash, Snapshot, Store};

/// Memory for blocks of the index that were read.
const CACHE: u64 = 32 << 20;

/// Memory for entries that are not in its files yet.
const MEMTABLE: u64 = 16 << 20;

/// Room on the disk for its journal.
const JOURNAL: u64 = 64 << 20;

const META: &[u8] = b"m";

/// The index, open.
pub(crate) struct Known {
    database: Database,
    entries: Keyspace,
    path: PathBuf,
    meta: Meta,
    /// The number that the next batch has.
    next: u64,
}

/// How far the index knows its archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Meta {
    /// The archive's name.
    archive: String,
    /// The last batch that is known.
    last: u64,
    /// The first record of that batch, where it has one.
    first_of_last: Option<RecordHash>,
    /// How many records there are up to it.
    records: u64,
    /// How far the lines that were set aside are known.
    rejected: u64,
}

/// What a batch adds.
#[derive(Debug, Default)]
pub(crate) struct News<'a> {
    pub(crate) records: &'a [RecordHash],
    pub(crate) certificates: &'a [Fingerprint],
}

impl Known {
    /// Opens the index of an archive, and brings it up to what the archive holds.
    pub(crate) fn open(
        path: &Path,
        archive: &str,
        store: &Store,
        rejected: &mut Rejected,
    ) -> Result<Self, ArchiveError> {
        // What is known counts as kept, so it must last first.
        store.settle_names("raw")?;
        let snapshot = Snapshot::take(store)?;
        let opened = Self::at(path).ok().filter(|known| known.is_of(archive, &snapshot));
        let mut known = match opened {
            Some(known) => known,
            None => {
                remove(path)?;
                let mut known = Self::at(path)?;
                known.meta.archive = archive.into();
                known
            }
        };
        known.absorb(&snapshot)?;
        known.next = known.meta.last.max(snapshot.highest()) + 1;
        known.absorb_rejected(rejected)?;
        Ok(known)
    }

    fn at(path: &Path) -> Result<Self, ArchiveError> {
        let open = || {
            let database = Database::builder(path)
                .cache_size(CACHE)
                .max_journaling_size(JOURNAL)
                .worker_threads(1)
                .open()?;
            let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE);
            let entries = database.keyspace("known", options)?;
            let meta = entries.get(META)?;
            Ok((database, entries, meta))
        };
        let (database, entries, meta) = open().map_err(|error| failed(path, error))?;
        let meta = meta.and_then(|meta| serde_json::from_slice(&meta).ok()).unwrap_or_default();
        Ok(Self { database, entries, path: path.into(), meta, next: 1 })
    }

    /// Whether all it knows is in this archive, as far as that can be seen at its end.
    fn is_of(&self, archive: &str, snapshot: &Snapshot) -> bool {
        let meta = &self.meta;
        if meta.archive != archive || meta.last > snapshot.highest() {
            return false;
        }
        if meta.last == 0 {
            return true;
        }
        match snapshot.manifest().covering(meta.last) {
            // Where the segment ends with what is known, so must the count.
            Some(settled) if settled.last == meta.last => {
                let settled = &snapshot.manifest().settled;
                let up_to = settled.iter().take_while(|settled| settled.last <= meta.last);
                up_to.map(|settled| settled.records).sum::<u64>() == meta.records
            }
            Some(_) => true,
            None => absorb::first_of(snapshot, meta.last) == meta.first_of_last,
        }
    }

    /// The number that the next batch has.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// How many records are known.
    pub(crate) fn records(&self) -> u64 {
        self.meta.records
    }

    /// The place of a record in the archive, from 0.
    pub(crate) fn place(&self, hash: RecordHash) -> Result<Option<u64>, ArchiveError> {
        self.number(record_key(hash))
    }

    /// The batch in which a certificate was seen first.
    pub(crate) fn certificate(&self, name: Fingerprint) -> Result<Option<u64>, ArchiveError> {
        self.number(certificate_key(name))
    }

    /// The same answers for another thread.
    pub(crate) fn seen(&self) -> Seen {
        Seen { entries: self.entries.clone(), path: self.path.clone() }
    }

    /// Whether a line was set aside.
    pub(crate) fn is_rejected(&self, hash: RecordHash) -> Result<bool, ArchiveError> {
        let found = self.entries.contains_key(rejected_key(hash));
        found.map_err(|error| failed(&self.path, error))
    }

    /// Remembers a batch that lasts.
    pub(crate) fn add(&mut self, batch: u64, news: &News<'_>) -> Result<(), ArchiveError> {
        let mut writing = self.database.batch();
        for (place, hash) in (self.meta.records..).zip(news.records) {
            writing.insert(&self.entries, record_key(*hash), place.to_be_bytes());
        }
        for name in news.certificates {
            writing.insert(&self.entries, certificate_key(*name), batch.to_be_bytes());
        }
        let meta = Meta {
            last: batch,
            first_of_last: news.records.first().copied(),
            records: self.meta.records + news.records.len() as u64,
            ..self.meta.clone()
        };
        self.write(writing, meta)?;
        self.next = batch + 1;
        Ok(())
    }

    /// Remembers lines that were set aside for good, up to here.
    pub(crate) fn add_rejected(
        &mut self,
        hashes: impl IntoIterator<Item = RecordHash>,
        up_to: u64,
    ) -> Result<(), ArchiveError> {
        let mut writing = self.database.batch();
        for hash in hashes {
            writing.insert(&self.entries, rejected_key(hash), []);
        }
        self.write(writing, Meta { rejected: up_to, ..self.meta.clone() })
    }

    fn absorb_rejected(&mut self, rejected: &mut Rejected) -> Result<(), ArchiveError> {
        let from = self.meta.rejected;
        rejected.open_from(from, |hashes, up_to| self.add_rejected(hashes, up_to))
    }

    fn number(&self, key: [u8; 33]) -> Result<Option<u64>, ArchiveError> {
        number(&self.entries, &self.path, key)
    }

    /// Writes entries and how far the index now knows: both or neither.
    fn write(&mut self, mut writing: OwnedWriteBatch, meta: Meta) -> Result<(), ArchiveError> {
        // A value of numbers and text always serialises.
        let text = serde_json::to_vec(&meta).unwrap_or_default();
        writing.insert(&self.entries, META, text);
        writing.commit().map_err(|error| failed(&self.path, error))?;
        self.meta = meta;
        Ok(())
    }
}

/// What settling asks the index, beside the writer.
#[derive(Clone)]
pub(crate) struct Seen {
    entries: Keyspace,
    path: PathBuf,
}

impl Seen {
    /// The batch in which a certificate was seen first.
    pub(crate) fn certificate(&self, name: Fingerprint) -> Result<Option<u64>, ArchiveError> {
        number(&self.entries, &self.path, certificate_key(name))
    }
}

fn number(entries: &Keyspace, path: &Path, key: [u8; 33]) -> Result<Option<u64>, ArchiveError> {
    let found = entries.get(key).map_err(|error| failed(path, error))?;
    Ok(found.and_then(|bytes| Some(u64::from_be_bytes(bytes.as_ref().try_into().ok()?))))
}

fn record_key(hash: RecordHash) -> [u8; 33] {
    key(b'r', hash.as_bytes())
}

fn certificate_key(name: Fingerprint) -> [u8; 33] {
    key(b'c', name.as_bytes())
}

fn rejected_key(hash: RecordHash) -> [u8; 33] {
    key(b'x', hash.as_bytes())
}

fn key(kind: u8, hash: &[u8; 32]) -> [u8; 33] {
    let mut key = [kind; 33];
    key[1..].copy_from_slice(hash);
    key
}

fn remove(path: &Path) -> Result<(), ArchiveError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ArchiveError::io("remove", path.display())(error))
        }
        _ => Ok(()),
    }
}

/// What the system said is kept apart from what the index says, so that a full disk is told.
fn failed(path: &Path, error: fjall::Error) -> ArchiveError {
    let path = path.display().to_string();
    match error {
        fjall::Error::Io(source) => ArchiveError::Io { doing: "write", path, source },
        fjall::Error::Storage(fjall::LsmError::Io(source)) => {
            ArchiveError::Io { doing: "write", path, source }
        }
        error => ArchiveError::Index { path, source: Box::new(error) },
    }
}
