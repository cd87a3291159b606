//! The certificates of settled segments: looked up in the files that hold them, with bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use data_encoding::BASE64;
use kua::chain::Fingerprint;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::certificates::MAX_FILE;
use crate::tables::certificates::Pack;
use crate::{ArchiveError, Damage, FileHash, SegmentName, Store};

/// Most files that are remembered as open: their names and where their parts are.
const MAX_OPEN: usize = 512;

/// Most bytes of certificates that are remembered, in whole row groups and as text.
const MAX_GROUPS: usize = 48 << 20;
const MAX_TEXTS: usize = 16 << 20;

/// Files of certificates. What was read is shared by all who read a snapshot.
#[derive(Debug)]
pub(crate) struct Packs {
    store: Store,
    open: Mutex<Remembered<SegmentName, Option<Arc<Open>>>>,
    groups: Mutex<Remembered<(SegmentName, usize), Arc<Group>>>,
    texts: Mutex<Remembered<Fingerprint, Arc<[u8]>>>,
}

type Group = HashMap<Fingerprint, Vec<u8>>;

struct Open {
    pack: Pack,
    source: Source,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Open({})", self.source.path)
    }
}

impl Packs {
    pub(crate) fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
            open: Remembered::new(MAX_OPEN),
            groups: Remembered::new(MAX_GROUPS),
            texts: Remembered::new(MAX_TEXTS),
        }
    }

    /// The base64 text of a certificate that lies in one of these segments' files. `hash_of` says
    /// what hash the file of a segment has, where that is known.
    pub(crate) fn text(
        &self,
        segments: &[SegmentName],
        name: Fingerprint,
        hash_of: impl Fn(SegmentName) -> Option<FileHash>,
    ) -> Result<Arc<[u8]>, Damage> {
        if let Some(text) = lock(&self.texts).find(&name) {
            return Ok(text);
        }
        let mut unreadable = None;
        for segment in segments {
            let path = segment.certificates();
            let Some(open) = self.open(*segment, &hash_of)? else {
                unreadable = unreadable.or(Some(Damage::UnreadableFile { path }));
                continue;
            };
            let Some(number) = open.pack.group_of(name) else { continue };
            let Some(group) = self.group(*segment, &open, number)? else {
                unreadable = unreadable.or(Some(Damage::UnreadableFile { path }));
                continue;
            };
            let Some(der) = group.get(&name) else {
                unreadable =
                    unreadable.or(Some(Damage::BadCertificate { path, fingerprint: name }));
                continue;
            };
            let text: Arc<[u8]> = BASE64.encode(der).into_bytes().into();
            lock(&self.texts).keep(name, text.clone(), text.len() + 128);
            return Ok(text);
        }
        Err(unreadable.unwrap_or(Damage::MissingCertificate { fingerprint: name }))
    }

    /// Whether a certificate lies in the file of a segment.
    pub(crate) fn holds(
        &self,
        segment: SegmentName,
        name: Fingerprint,
        hash_of: impl Fn(SegmentName) -> Option<FileHash>,
    ) -> Result<bool, ArchiveError> {
        match self.open(segment, &hash_of) {
            Ok(open) => Ok(open.is_some_and(|open| open.pack.group_of(name).is_some())),
            Err(Damage::BrokenOff { error }) => Err(*error),
            Err(_) => Ok(false),
        }
    }

    /// `None` for a file that is not what was written.
    fn open(
        &self,
        segment: SegmentName,
        hash_of: &impl Fn(SegmentName) -> Option<FileHash>,
    ) -> Result<Option<Arc<Open>>, Damage> {
        if let Some(open) = lock(&self.open).find(&segment) {
            return Ok(open);
        }
        let path = segment.certificates();
        let file = match self.store.read_at_most(&path, MAX_FILE) {
            Ok(file) => file,
            // It has none, it was lost, or it was merged with others meanwhile.
            Err(ArchiveError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(broken_off(error)),
        };
        let sound = hash_of(segment).is_none_or(|hash| hash == FileHash::of(&file));
        let pack = sound.then(|| Pack::open(&file).ok()).flatten();
        let length = file.len() as u64;
        let source = Source { store: self.store.clone(), path: path.into(), length };
        let open = pack.map(|pack| Arc::new(Open { pack, source }));
        lock(&self.open).keep(segment, open.clone(), 1);
        Ok(open)
    }

    fn group(
        &self,
        segment: SegmentName,
        open: &Open,
        number: usize,
    ) -> Result<Option<Arc<Group>>, Damage> {
        if let Some(group) = lock(&self.groups).find(&(segment, number)) {
            return Ok(Some(group));
        }
        match open.pack.group(&open.source, number) {
            Ok(group) => {
                let group = Arc::new(group);
                let bytes = group.values().map(|der| der.len() + 128).sum();
                lock(&self.groups).keep((segment, number), group.clone(), bytes);
                Ok(Some(group))
            }
            Err(_) => match self.store.size(&open.source.path) {
                Ok(Some(_)) => Ok(None),
                // Merged with others meanwhile.
                Ok(None) => {
                    let path = open.source.path.to_string();
                    Err(broken_off(ArchiveError::Missing { path }))
                }
                Err(error) => Err(broken_off(error)),
            },
        }
    }
}

fn broken_off(error: ArchiveError) -> Damage {
    Damage::BrokenOff { error: Box::new(error) }
}

/// Nothing that is remembered is left half changed by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was read last; all is forgotten when it is too much.
#[derive(Debug)]
struct Remembered<K, V> {
    values: HashMap<K, V>,
    size: usize,
    most: usize,
}

impl<K: Eq + Hash, V: Clone> Remembered<K, V> {
    fn new(most: usize) -> Mutex<Self> {
        Mutex::new(Self { values: HashMap::new(), size: 0, most })
    }

    fn find(&self, key: &K) -> Option<V> {
        self.values.get(key).cloned()
    }

    fn keep(&mut self, key: K, value: V, size: usize) {
        if self.size + size > self.most {
            self.values.clear();
            self.size = 0;
        }
        self.size += size;
        self.values.insert(key, value);
    }
}

/// A file of the store, read in parts.
#[derive(Clone)]
struct Source {
    store: Store,
    path: Arc<str>,
    length: u64,
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Source {
    type T = io::Cursor<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        // A page's header; its body is asked for with its length.
        let end = start.saturating_add(HEADER).min(self.length);
        let length = usize::try_from(end.saturating_sub(start)).unwrap_or_default();
        Ok(io::Cursor::new(self.get_bytes(start, length)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let end = start.saturating_add(length as u64);
        let bytes = self.store.read_range(&self.path, start..end);
        let bytes = bytes.map_err(|error| ParquetError::External(Box::new(error)))?;
        if bytes.len() == length {
            Ok(bytes)
        } else {
            Err(ParquetError::EOF(format!("{} ends early", self.path)))
        }
    }
}

/// More than any header of a page.
const HEADER: u64 = 64 << 10;
