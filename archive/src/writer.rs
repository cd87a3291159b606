//! The one writer of an archive: batches that last before they are acknowledged.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use kua::chain::Fingerprint;
use kua::measurement::Measurement;

use crate::about::About;
use crate::known::{Known, News, names_in};
use crate::rejected::Rejected;
use crate::segment::{Encoder, can_be_kept};
use crate::settle::{self, Settler};
use crate::store::{Lock, Torn};
use crate::{ArchiveError, Place, Receipt, RecordHash, SegmentName, Snapshot, Store};

/// Most certificates that are remembered as kept without asking the index.
const REMEMBERED: usize = 100_000;

/// How a writer works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where its index is; else `index` in a directory, and below the user's cache directory for
    /// an object store.
    pub index: Option<PathBuf>,
    /// Most records of a batch.
    pub batch_records: usize,
    /// Most bytes of a batch, unless one record is longer.
    pub batch_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { index: None, batch_records: 10_000, batch_bytes: 64 << 20 }
    }
}

/// Adds to an archive. Only one program does at a time; dropping it ends that, and loses what was
/// not committed.
pub struct Writer {
    store: Store,
    options: Options,
    id: String,
    index: PathBuf,
    /// Absent after a failure, until it is known again what the archive holds.
    known: Option<Known>,
    rejected: Rejected,
    batch: Batch,
    seen: HashSet<Fingerprint>,
    totals: Totals,
    torn: Torn,
    lock: Arc<Lock>,
    settling: Arc<Mutex<()>>,
}

/// What waits for the next commit.
#[derive(Default)]
struct Batch {
    encoder: Option<Encoder>,
    hashes: Vec<RecordHash>,
    places: HashMap<RecordHash, usize>,
    certificates: Vec<Fingerprint>,
    new_certificates: HashSet<Fingerprint>,
    bytes: usize,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The same bytes were kept before, or wait to be.
    AlreadyThere,
    /// New; it lasts once it was committed.
    New,
}

/// What a commit made last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The place of its first record in the archive, from 0. Records lie in the order in which
    /// they were taken.
    pub first: u64,
    /// How many records it holds.
    pub records: u64,
}

/// What a writer has added for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Records.
    pub records: u64,
    /// Certificates that no record had before.
    pub certificates: u64,
}

impl Writer {
    /// Opens an archive for writing; makes it where there is nothing.
    ///
    /// # Errors
    /// [`ArchiveError::Busy`] where another program writes, [`ArchiveError::Occupied`] where the
    /// place holds something else, [`ArchiveError::Format`], [`ArchiveError::Io`],
    /// [`ArchiveError::Store`].
    pub fn open(place: &Place) -> Result<Self, ArchiveError> {
        Self::open_with(place, Options::default())
    }

    /// As [`Writer::open`].
    ///
    /// # Errors
    /// As [`Writer::open`].
    pub fn open_with(place: &Place, options: Options) -> Result<Self, ArchiveError> {
        let store = Store::open(place)?;
        About::claim(&store)?;
        let lock = Arc::new(store.lock(&own_name())?);
        let torn = store.tidy()?;
        let id = About::complete(&store)?.id;
        let index = match (&options.index, store.directory()) {
            (Some(index), _) => index.clone(),
            (None, Some(dir)) => dir.join("index"),
            (None, None) => cache_directory().join(format!("archive-{id}")),
        };
        let rejected = Rejected::new(&store);
        let (batch, seen, totals) = Default::default();
        let mut writer = Self {
            store,
            options,
            id,
            index,
            known: None,
            rejected,
            batch,
            seen,
            totals,
            torn,
            lock,
            settling: Arc::default(),
        };
        writer.known()?;
        Ok(writer)
    }

    /// The archive's files.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What an earlier writer left unfinished, and that was removed on opening.
    pub fn torn(&self) -> Torn {
        self.torn
    }

    /// What was added since opening, and lasts.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// How many records wait for the next commit.
    pub fn pending(&self) -> usize {
        self.batch.hashes.len()
    }

    /// The place of a record in the archive, from 0; of one that waits, the place that it will
    /// have. `None` where it was never kept.
    ///
    /// # Errors
    /// [`ArchiveError::Index`], [`ArchiveError::Io`].
    pub fn place_of(&mut self, hash: RecordHash) -> Result<Option<u64>, ArchiveError> {
        let waiting = self.batch.places.get(&hash).copied();
        let known = self.known()?;
        match waiting {
            Some(at) => Ok(Some(known.records() + at as u64)),
            None => known.place(hash),
        }
    }

    /// The batch in which a certificate was seen first; `None` where no committed record has it.
    ///
    /// # Errors
    /// [`ArchiveError::Index`], [`ArchiveError::Io`].
    pub fn first_seen(&mut self, certificate: Fingerprint) -> Result<Option<u64>, ArchiveError> {
        self.known()?.certificate(certificate)
    }

    /// Takes a record: `raw` as received, without the line break after it, what it says, and how
    /// it came.
    ///
    /// # Errors
    /// [`ArchiveError::NotARecord`] for bytes that `measurement` cannot have been read from;
    /// [`ArchiveError::Io`] and others where a full batch could not be committed.
    #[expect(clippy::needless_pass_by_value, reason = "a receipt goes with its record")]
    pub fn keep(
        &mut self,
        raw: &[u8],
        measurement: &Measurement,
        receipt: Option<Receipt>,
    ) -> Result<Kept, ArchiveError> {
        if !can_be_kept(raw) {
            return Err(ArchiveError::NotARecord { length: raw.len() });
        }
        let hash = RecordHash::of(raw);
        if self.place_of(hash)?.is_some() {
            return Ok(Kept::AlreadyThere);
        }
        let encoder = match &mut self.batch.encoder {
            Some(encoder) => encoder,
            empty => empty.insert(Encoder::new(Encoder::FAST)?),
        };
        encoder.push(hash, receipt.as_ref(), raw)?;
        self.batch.places.insert(hash, self.batch.hashes.len());
        self.batch.hashes.push(hash);
        self.batch.bytes += raw.len();
        for name in names_in(measurement) {
            self.see(name)?;
        }
        self.commit_if_full()?;
        Ok(Kept::New)
    }

    /// Sets a line aside that is no measurement; the same text only once.
    ///
    /// # Errors
    /// As [`Writer::commit`], where a full batch could not be committed.
    pub fn reject(
        &mut self,
        file: &Path,
        line: u64,
        reason: &str,
        raw: &[u8],
    ) -> Result<(), ArchiveError> {
        let (hash, waits) = self.rejected.look(raw);
        if !waits && !self.known()?.is_rejected(hash)? {
            self.rejected.add(hash, file, line, reason, raw);
        }
        self.commit_if_full()
    }

    /// Makes everything last that was taken, as one batch. Where it fails, the batch is not there
    /// and its records may be taken again.
    ///
    /// # Errors
    /// [`ArchiveError::LeaseLost`] and [`ArchiveError::AlreadyThere`] where another program has
    /// written meanwhile, [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn commit(&mut self) -> Result<Committed, ArchiveError> {
        let batch = std::mem::take(&mut self.batch);
        let first = self.known()?.records();
        let records = batch.hashes.len() as u64;
        if let Some(encoder) = batch.encoder {
            let number = self.known()?.next();
            self.put(number, &encoder.finish()?)?;
            let news = News { records: &batch.hashes, certificates: &batch.certificates };
            // The batch lasts, whatever becomes of the index: that is made again before it is
            // asked again.
            if self.known()?.add(number, &news).is_err() {
                self.forget();
            }
            self.totals.records += records;
            self.totals.certificates += batch.certificates.len() as u64;
            self.seen.extend(batch.certificates);
            if self.seen.len() > REMEMBERED {
                self.seen.clear();
            }
        }
        if let Some((hashes, end)) = self.rejected.commit()?
            && self.known()?.add_rejected(hashes, end).is_err()
        {
            self.forget();
        }
        Ok(Committed { first, records })
    }

    /// Writes the file of a batch. Where that fails, there is no such file, or what is in it is
    /// looked at before anything else is done.
    fn put(&mut self, batch: u64, bytes: &Bytes) -> Result<(), ArchiveError> {
        self.lock.check(self.store.place())?;
        let name = SegmentName::of_batch(batch);
        let name = name.ok_or_else(|| ArchiveError::BadPath { path: batch.to_string() })?;
        let path = name.raw();
        let Err(error) = self.store.put_new(&path, bytes.clone()) else { return Ok(()) };
        let ours = || self.store.read(&path).is_ok_and(|there| there == *bytes);
        if self.store.directory().is_none() {
            // What an object store shows, it keeps: its answer was lost, or a try of ours came
            // through late.
            if ours() {
                return Ok(());
            }
        } else if !matches!(error, ArchiveError::AlreadyThere { .. }) && ours() {
            // It has its name, but nobody knows whether the name lasts.
            let _ = self.store.remove(&path);
        }
        self.forget();
        Err(error)
    }

    /// What settles the archive beside this writer, in a thread of its own.
    ///
    /// # Errors
    /// [`ArchiveError::Index`], [`ArchiveError::Io`].
    pub fn settler(&mut self) -> Result<Settler, ArchiveError> {
        let seen = self.known()?.seen();
        let (store, lock) = (self.store.clone(), self.lock.clone());
        Ok(Settler { store, lock, seen, one: self.settling.clone() })
    }

    /// Commits, and settles everything.
    ///
    /// # Errors
    /// As [`Writer::commit`] and [`Settler::run`].
    pub fn settle(
        &mut self,
        options: &settle::Options,
        mut progress: impl FnMut(&settle::Done),
    ) -> Result<settle::Done, ArchiveError> {
        self.commit()?;
        let mut total = settle::Done::default();
        loop {
            let snapshot = Snapshot::take(&self.store)?;
            // A settled segment never has the name of a live one: a batch that would be alone is
            // settled with one that is empty.
            if snapshot.last() == snapshot.manifest().last() + 1 {
                let empty = Encoder::new(Encoder::FAST)?.finish()?;
                let number = self.known()?.next();
                self.put(number, &empty)?;
                if self.known()?.add(number, &News::default()).is_err() {
                    self.forget();
                }
            }
            let before = total.clone();
            let done = self.settler()?.run(options, |done| progress(&before.plus(done)))?;
            let stuck = done.batches == 0 || done.stopped_at.is_some();
            total = total.plus(&done);
            let now = Snapshot::take(&self.store)?;
            if stuck || now.last() == now.manifest().last() {
                return Ok(total);
            }
        }
    }

    fn see(&mut self, name: Fingerprint) -> Result<(), ArchiveError> {
        if self.seen.contains(&name) || self.batch.new_certificates.contains(&name) {
            return Ok(());
        }
        if self.known()?.certificate(name)?.is_some() {
            self.seen.insert(name);
        } else {
            self.batch.new_certificates.insert(name);
            self.batch.certificates.push(name);
        }
        Ok(())
    }

    fn commit_if_full(&mut self) -> Result<(), ArchiveError> {
        let bytes = self.batch.bytes + self.rejected.waiting();
        if self.pending() >= self.options.batch_records || bytes >= self.options.batch_bytes {
            self.commit()?;
        }
        Ok(())
    }

    /// The index; opened anew where it is not certain what the archive holds.
    fn known(&mut self) -> Result<&mut Known, ArchiveError> {
        let known = match self.known.take() {
            Some(known) => known,
            None => Known::open(&self.index, &self.id, &self.store, &mut self.rejected)?,
        };
        Ok(self.known.insert(known))
    }

    fn forget(&mut self) {
        self.known = None;
        self.seen.clear();
    }
}

/// What other programs are told who it is that writes.
fn own_name() -> String {
    let program = std::env::current_exe().ok();
    let program = program.as_deref().and_then(Path::file_name).unwrap_or_default();
    format!("{}, process {}", program.to_string_lossy(), std::process::id())
}

fn cache_directory() -> PathBuf {
    let of = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = of("XDG_CACHE_HOME").or_else(|| Some(of("HOME")?.join(".cache")));
    cache.unwrap_or_else(std::env::temp_dir).join("kua")
}
