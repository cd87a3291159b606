//! The archive's transparency log: one entry a record, in the order of the archive, in the files of C2SP
//! tlog-tiles below `log/`.
//!
//! The log follows the archive: what it says is computed from what is kept, and only what lasts is put
//! into it. Tiles are written before the checkpoint that counts them. What was signed last is also
//! kept beside the key, so that a checkpoint that went back, or an archive that did, is noticed before
//! another tree of the same size is signed.

mod error;
mod files;
mod key;
mod tail;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use kua::tlog::{
    Checkpoint, Entry, Growing, Hash, TILE_WIDTH, Tile, VerifyingKey, bundle, sha256, tile_bytes,
};

use crate::{Archive, ArchiveError, Place, RecordHash, Store};

pub use error::LogError;
pub use files::{proof, read};
pub use key::{LogKey, default_key};

/// The folder of the log in the archive.
pub const FOLDER: &str = "log/";

/// Entries after which a long catching up is signed and written down.
const STEP: u64 = 1 << 16;

/// The log, open for growing.
#[derive(Debug)]
pub struct Log {
    store: Store,
    key: LogKey,
    growing: Growing,
    /// The entries of the bundle that is not full.
    bundle: Vec<Entry>,
    /// The size that was signed last.
    signed: u64,
    /// What was signed last according to the key's own note, where the archive's checkpoint is behind it.
    promised: Option<Checkpoint>,
}

impl Log {
    /// Opens the log of an archive whose one writer the caller has; there is none yet, or it goes on where
    /// its checkpoint ends. The end of the log is compared with the archive.
    ///
    /// # Errors
    /// A [`LogError`] where checkpoint, tiles, key and archive do not fit together: then nothing more
    /// may be signed.
    pub fn open(store: &Store, key: LogKey) -> Result<Self, LogError> {
        let store = store.clone();
        let head = files::checkpoint(&store, key.signing().public())?;
        let promised = key.last_signed()?;
        let size = head.as_ref().map_or(0, |head| head.size);
        let growing = Growing::resume(size, |tile| files::hashes_of(&store, tile))?;
        let wrong = |what| LogError::Disagrees { size, what };
        if head.as_ref().is_some_and(|head| head.root != growing.root()) {
            return Err(wrong("the tiles do not have the checkpoint's hash"));
        }
        let mut log =
            Self { store, key, growing, bundle: Vec::new(), signed: size, promised: None };
        log.bundle = log.open_bundle()?;
        match (promised, head) {
            (Some(promised), _) if promised.size > size => log.promised = Some(promised),
            (Some(promised), Some(head)) if promised.size == size && promised != head => {
                return Err(wrong("the checkpoint is not the one that was signed"));
            }
            // The key came from elsewhere without its note, or the archive was on another machine.
            (_, Some(head)) => log.key.remember(&head)?,
            (_, None) => {}
        }
        log.compare_end()?;
        Ok(log)
    }

    /// How many entries it has, all of them signed.
    pub fn size(&self) -> u64 {
        self.signed
    }

    /// The key that signs.
    pub fn key(&self) -> &LogKey {
        &self.key
    }

    /// Takes entries in from the archive until it has `size`, which must last already; signs, and writes
    /// that down. A long way is signed in steps.
    ///
    /// # Errors
    /// [`LogError::Lost`] for an archive that is shorter than what was signed, [`LogError::Damaged`]
    /// where a record that is still to be taken in is, and [`LogError::Archive`]. The log is what it was
    /// at its last checkpoint and must be opened anew.
    pub fn catch_up(&mut self, size: u64) -> Result<(), LogError> {
        let lost = |signed| LogError::Lost { signed, kept: size };
        if size < self.signed {
            return Err(lost(self.signed));
        }
        if let Some(promised) = self.promised.as_ref().filter(|promised| promised.size > size) {
            return Err(lost(promised.size));
        }
        if size <= self.growing.size() {
            return self.sign();
        }
        let place = self.store.place().clone();
        let snapshot = Archive::open(&place)?.snapshot()?;
        for entry in tail::entries_from(&snapshot, self.growing.size())? {
            if self.growing.size() == size {
                break;
            }
            self.take(entry?)?;
            if self.growing.size().is_multiple_of(STEP) {
                self.sign()?;
            }
        }
        if self.growing.size() < size {
            return Err(LogError::Lost { signed: size, kept: self.growing.size() });
        }
        self.sign()
    }

    /// Takes in the entries of commits that last, each after the place in the archive of the first of them;
    /// signs, and writes that down. What lies between is taken from the archive.
    ///
    /// # Errors
    /// As [`Log::catch_up`].
    pub fn append(&mut self, commits: &[(u64, Vec<Entry>)]) -> Result<(), LogError> {
        for (first, entries) in commits {
            if *first > self.growing.size() {
                self.catch_up(*first)?;
            }
            let known = self.growing.size() - first;
            for entry in entries.iter().skip(usize::try_from(known).unwrap_or(usize::MAX)) {
                self.take(*entry)?;
            }
        }
        self.sign()
    }

    /// One more entry; the tiles that it fills are written.
    fn take(&mut self, entry: Entry) -> Result<(), LogError> {
        let index = self.growing.size() / TILE_WIDTH as u64;
        self.bundle.push(entry);
        let full = self.growing.push(entry.leaf_hash());
        if self.bundle.len() == TILE_WIDTH {
            let tile = Tile::Entries { index, width: TILE_WIDTH as u16 };
            self.put(tile, bundle(&self.bundle))?;
            self.bundle.clear();
        }
        for (tile, hashes) in full {
            self.put(tile, tile_bytes(&hashes))?;
        }
        if let Some(promised) = &self.promised
            && promised.size == self.growing.size()
        {
            if promised.root != self.growing.root() {
                let what = "the archive does not hold what was signed";
                return Err(LogError::Disagrees { size: promised.size, what });
            }
            self.promised = None;
        }
        Ok(())
    }

    /// Signs the tree as it is: first its tiles are made durable, then the key's own note, then the
    /// checkpoint.
    fn sign(&mut self) -> Result<(), LogError> {
        let size = self.growing.size();
        // What was signed before is not signed otherwise; it is passed on the way.
        if size == self.signed || self.promised.is_some() {
            return Ok(());
        }
        for (tile, hashes) in self.growing.partial() {
            self.put(tile, tile_bytes(hashes))?;
        }
        if let Some(tile) = Tile::partial(size).into_iter().find(|tile| is_bundle(*tile)) {
            self.put(tile, bundle(&self.bundle))?;
        }
        let origin = self.key.signing().public().name().to_owned();
        let head = Checkpoint { origin, size, root: self.growing.root() };
        self.key.remember(&head)?;
        let note = head.sign(self.key.signing()).to_string();
        self.store.put(files::CHECKPOINT, Bytes::from(note))?;
        let before = std::mem::replace(&mut self.signed, size);
        self.sweep(before);
        Ok(())
    }

    /// A tile is written once. One that is there already, after a crash, holds the same.
    fn put(&self, tile: Tile, bytes: Vec<u8>) -> Result<(), LogError> {
        let path = files::path(tile);
        let bytes = Bytes::from(bytes);
        match self.store.put_new(&path, bytes.clone()) {
            Err(ArchiveError::AlreadyThere { .. }) if self.store.read(&path)? == bytes => Ok(()),
            Err(ArchiveError::AlreadyThere { .. }) => Err(LogError::OtherTile { path }),
            other => Ok(other?),
        }
    }

    /// Removes the partial tiles of those that are full since `before`. What is left is no harm.
    fn sweep(&self, before: u64) {
        for tile in Tile::partial(before) {
            let full = Tile::partial(self.signed).iter().all(|now| now.filled() != tile.filled());
            if !full {
                continue;
            }
            let folder = format!("{}.p/", files::path(tile.filled()));
            for entry in self.store.list(&folder).unwrap_or_default() {
                let _ = self.store.remove(&entry.path);
            }
        }
    }

    fn open_bundle(&self) -> Result<Vec<Entry>, LogError> {
        let tile = Tile::partial(self.signed).into_iter().find(|tile| is_bundle(*tile));
        tile.map_or(Ok(Vec::new()), |tile| files::entries_of(&self.store, tile))
    }

    /// The last entries of the log are those of the archive, in the same places.
    fn compare_end(&self) -> Result<(), LogError> {
        let Some(last) = self.signed.checked_sub(1) else { return Ok(()) };
        let index = last / TILE_WIDTH as u64;
        let begin = index * TILE_WIDTH as u64;
        let logged = match self.bundle.is_empty() {
            false => self.bundle.clone(),
            true => {
                let width = TILE_WIDTH as u16;
                files::entries_of(&self.store, Tile::Entries { index, width })?
            }
        };
        let snapshot = Archive::open(self.store.place())?.snapshot()?;
        let mut kept = tail::entries_from(&snapshot, begin)?;
        for (place, entry) in logged.iter().enumerate() {
            match kept.next() {
                Some(Ok(found)) if found == *entry => {}
                // Damage is told by `check`, and is no other content.
                Some(Err(LogError::Damaged { .. })) => return Ok(()),
                Some(Err(error)) => return Err(error),
                Some(Ok(_)) => {
                    let what = "the archive holds other records than the log says";
                    return Err(LogError::Disagrees { size: begin + place as u64 + 1, what });
                }
                None => {
                    let kept = begin + place as u64;
                    return Err(LogError::Lost { signed: self.signed, kept });
                }
            }
        }
        Ok(())
    }
}

fn is_bundle(tile: Tile) -> bool {
    matches!(tile, Tile::Entries { .. })
}

/// What the log says of a record and the text of its receipt.
pub fn entry(record: RecordHash, receipt: Option<&[u8]>) -> Entry {
    Entry { record: *record.as_bytes(), receipt: receipt.map(sha256) }
}

/// Compares the whole log with the whole archive, from files alone: every tile, every entry, and the
/// checkpoint's hash and signature. Gives the log's size; nothing where there is no log.
///
/// # Errors
/// The first thing that does not fit.
pub fn check(place: &Place, key: Option<&VerifyingKey>) -> Result<Option<u64>, LogError> {
    let archive = Archive::open(place)?;
    let store = archive.store();
    let Some(note) = files::note(store)? else { return Ok(None) };
    let head = match key {
        Some(key) => Checkpoint::of(&note, key)?,
        None => Checkpoint::unverified(&note)?,
    };
    let snapshot = archive.snapshot()?;
    let mut growing = Growing::default();
    let mut kept = Some(tail::entries_from(&snapshot, 0)?);
    while growing.size() < head.size {
        let index = growing.size() / TILE_WIDTH as u64;
        let width = (head.size - growing.size()).min(TILE_WIDTH as u64) as u16;
        for logged in files::entries_of(store, Tile::Entries { index, width })? {
            // What is damaged is passed over: that is told elsewhere, and the log goes by its own entries.
            let next = match &mut kept {
                Some(tail) if tail.place() == Some(growing.size()) => tail.next(),
                _ => Some(Ok(logged)),
            };
            match next {
                Some(Ok(found)) if found == logged => {}
                Some(Ok(_)) => {
                    let what = "the archive holds other records than the log says";
                    return Err(LogError::Disagrees { size: growing.size() + 1, what });
                }
                Some(Err(LogError::Damaged { .. })) => {}
                // Where the next records are is not known any more.
                Some(Err(LogError::Archive(ArchiveError::Missing { .. }))) => kept = None,
                Some(Err(error)) => return Err(error),
                None => {
                    return Err(LogError::Lost { signed: head.size, kept: growing.size() });
                }
            }
            for (tile, expected) in growing.push(logged.leaf_hash()) {
                same_tile(store, tile, &expected)?;
            }
        }
    }
    for (tile, expected) in growing.partial() {
        same_tile(store, tile, expected)?;
    }
    if growing.root() != head.root {
        let what = "the tiles do not have the checkpoint's hash";
        return Err(LogError::Disagrees { size: head.size, what });
    }
    Ok(Some(head.size))
}

fn same_tile(store: &Store, tile: Tile, expected: &[Hash]) -> Result<(), LogError> {
    match files::hashes_of(store, tile) {
        Ok(found) if found == expected => Ok(()),
        Err(LogError::Archive(error)) => Err(error.into()),
        _ => Err(LogError::OtherTile { path: files::path(tile) }),
    }
}
