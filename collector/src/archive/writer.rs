//! The one writer of an archive: batches that are durable before they are acknowledged.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use kua::chain::{Certificate, Chain, Fingerprint};
use kua::measurement::Measurement;

use super::certificates::{self, Texts};
use super::condensed::{can_be_kept, condense};
use super::disk::sync_names;
use super::journal::Journal;
use super::layout::{LOCK, RECORDS, claim, complete};
use super::records::{MAX_LINE, RecordHash, append, split};
use super::rejected::Rejected;
use super::scan::{Unserved, received};
use super::{ArchiveError, Damage};

/// Most records of a batch.
const BATCH_RECORDS: usize = 1_000;

/// Most bytes of a batch, unless one record is longer.
const BATCH_BYTES: usize = 8 << 20;

/// Most names of certificates that are remembered as kept.
const REMEMBERED: usize = 100_000;

/// Adds to an archive. Only one program does at a time; dropping it ends that, and loses what was
/// not committed.
pub struct Writer {
    dir: PathBuf,
    _lock: File,
    records: Journal,
    rejected: Rejected,
    known: HashSet<RecordHash>,
    kept: HashSet<Fingerprint>,
    batch: Batch,
    totals: Totals,
    torn: Option<Torn>,
}

#[derive(Default)]
struct Batch {
    lines: Vec<u8>,
    hashes: Vec<RecordHash>,
    certificates: BTreeMap<Fingerprint, Certificate>,
    certificate_bytes: usize,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The same bytes were kept before.
    AlreadyThere,
    /// New; it lasts once it was committed.
    New,
}

/// What a writer has added for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Records.
    pub records: u64,
    /// Certificates.
    pub certificates: u64,
}

/// The end of `records` that an earlier writer left unfinished, and that was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Its length.
    pub bytes: u64,
}

impl Writer {
    /// Opens the archive in `dir` for writing; makes it where `dir` is absent or empty.
    ///
    /// # Errors
    /// [`ArchiveError::Busy`] where another program writes, [`ArchiveError::Occupied`] where `dir`
    /// holds something else, [`ArchiveError::Format`], [`ArchiveError::Io`].
    pub fn open(dir: &Path) -> Result<Self, ArchiveError> {
        claim(dir)?;
        let lock = lock(dir)?;
        complete(dir)?;
        let mut known = HashSet::new();
        let (mut records, mut torn) = Journal::open(&dir.join(RECORDS), MAX_LINE, |line| {
            known.extend(split(line).map(|(hash, _)| hash));
        })?;
        if torn == 0 {
            torn = cut_last_if_torn(dir, &mut records, &mut known)?;
        }
        let rejected = Rejected::open(dir)?;
        sync_names(dir)?;
        Ok(Self {
            dir: dir.into(),
            _lock: lock,
            records,
            rejected,
            known,
            kept: HashSet::new(),
            batch: Batch::default(),
            totals: Totals::default(),
            torn: (torn > 0).then_some(Torn { bytes: torn }),
        })
    }

    /// What was cut off on opening.
    pub fn torn(&self) -> Option<Torn> {
        self.torn
    }

    /// What was added since opening, and lasts.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Takes a record: `raw` as received, without the line break after it, and what it says. A
    /// certificate that is missing is kept again even where the record is already there.
    ///
    /// # Errors
    /// [`ArchiveError::NotARecord`] for bytes that `measurement` cannot have been read from,
    /// [`ArchiveError::Io`] where a full batch could not be committed.
    pub fn keep(&mut self, raw: &[u8], measurement: &Measurement) -> Result<Kept, ArchiveError> {
        if !can_be_kept(raw) {
            return Err(ArchiveError::NotARecord { length: raw.len() });
        }
        let chains = || measurement.handshakes.iter().filter_map(|shaken| shaken.chain.as_ref());
        for certificate in chains().flat_map(Chain::certificates) {
            self.take(certificate);
        }
        let hash = RecordHash::of(raw);
        let new = self.known.insert(hash);
        if new {
            let record = condense(raw, chains().flat_map(Chain::certificates));
            append(&mut self.batch.lines, hash, &record);
            self.batch.hashes.push(hash);
        }
        self.commit_if_full()?;
        Ok(if new { Kept::New } else { Kept::AlreadyThere })
    }

    /// Sets a line aside that is no measurement; the same text only once.
    ///
    /// # Errors
    /// [`ArchiveError::Io`] where a full batch could not be committed.
    pub fn reject(
        &mut self,
        file: &Path,
        line: u64,
        reason: &str,
        raw: &[u8],
    ) -> Result<(), ArchiveError> {
        self.rejected.add(file, line, reason, raw);
        self.commit_if_full()
    }

    /// Makes everything last that was taken. Where it fails, the batch is not there and its
    /// records may be taken again.
    ///
    /// # Errors
    /// [`ArchiveError::Io`].
    pub fn commit(&mut self) -> Result<(), ArchiveError> {
        let batch = std::mem::take(&mut self.batch);
        let kept = self.commit_batch(&batch);
        if kept.is_err() {
            batch.hashes.iter().for_each(|hash| _ = self.known.remove(hash));
        }
        kept?;
        self.totals.records += batch.hashes.len() as u64;
        self.rejected.commit()
    }

    fn commit_batch(&mut self, batch: &Batch) -> Result<(), ArchiveError> {
        if !batch.certificates.is_empty() {
            certificates::keep(&self.dir, &batch.certificates)?;
            self.totals.certificates += batch.certificates.len() as u64;
            if self.kept.len() > REMEMBERED {
                self.kept.clear();
            }
            self.kept.extend(batch.certificates.keys());
        }
        if batch.lines.is_empty() { Ok(()) } else { self.records.append(&batch.lines) }
    }

    fn commit_if_full(&mut self) -> Result<(), ArchiveError> {
        let batch = &self.batch;
        let bytes = batch.lines.len() + batch.certificate_bytes + self.rejected.waiting();
        if batch.hashes.len() >= BATCH_RECORDS || bytes >= BATCH_BYTES {
            self.commit()?;
        }
        Ok(())
    }

    fn take(&mut self, certificate: &Certificate) {
        let name = certificate.fingerprint();
        if self.kept.contains(&name) || self.batch.certificates.contains_key(&name) {
            return;
        }
        if certificates::is_kept(&self.dir, name) {
            self.kept.insert(name);
        } else {
            self.batch.certificate_bytes += certificate.der().len();
            self.batch.certificates.insert(name, certificate.clone());
        }
    }
}

fn lock(dir: &Path) -> Result<File, ArchiveError> {
    let path = dir.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(ArchiveError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ArchiveError::Busy { dir: dir.into() }),
        Err(TryLockError::Error(error)) => Err(ArchiveError::io("lock", &path)(error)),
    }
}

/// A last line that is not what was written may have been torn with its line break in place. A
/// certificate that is missing is no such sign: it was there before the line.
fn cut_last_if_torn(
    dir: &Path,
    records: &mut Journal,
    known: &mut HashSet<RecordHash>,
) -> Result<u64, ArchiveError> {
    let mut buffer = Vec::new();
    let Some(line) = records.last_into(MAX_LINE, &mut buffer)? else { return Ok(0) };
    match received(line, &buffer, &mut Texts::new(dir)) {
        Err(Unserved::Damage(Damage::BadHash | Damage::NoHash | Damage::TooLong)) => {
            if let Some((hash, _)) = split(&buffer) {
                known.remove(&hash);
            }
            records.cut_last()
        }
        Err(Unserved::Archive(error)) => Err(error),
        Ok(_) | Err(Unserved::Damage(_)) => Ok(0),
    }
}
