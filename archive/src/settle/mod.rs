//! Settling: tables are made of live segments, certificates taken out, small segments merged, and
//! files that nothing names any more removed.

mod files;
mod merge;
mod sweep;
mod unit;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use kua::chain::Fingerprint;

use crate::known::Seen;
use crate::store::Lock;
use crate::tables::TableError;
use crate::{ArchiveError, Manifest, Snapshot, Store};

pub(crate) use files::{Parts, TableFiles};

/// How to settle.
#[derive(Clone, Debug)]
pub struct Options {
    /// Text after which a run of batches is settled, so that memory is bounded.
    pub unit_text: u64,
    /// How many segments of about one size are merged.
    pub fan: usize,
    /// Files up to this length are the smallest size; each next is `fan` times as long.
    pub smallest: u64,
    /// The longest file that is made by merging.
    pub longest: u64,
    /// How long files stay that a manifest no longer names, for who reads by an older one.
    pub grace: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            unit_text: 256 << 20,
            fan: 8,
            smallest: 1 << 20,
            longest: 96 << 20,
            grace: Duration::from_secs(15 * 60),
        }
    }
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Batches that were settled.
    pub batches: u64,
    /// Their records.
    pub records: u64,
    /// Segments that were merged into others.
    pub merged: u64,
    /// Files that were removed.
    pub removed: u64,
    /// The damaged file at which settling or merging stopped; `repair` is what helps.
    pub stopped_at: Option<String>,
}

impl Done {
    /// Both together.
    pub(crate) fn plus(&self, more: &Self) -> Self {
        Self {
            batches: self.batches + more.batches,
            records: self.records + more.records,
            merged: self.merged + more.merged,
            removed: self.removed + more.removed,
            stopped_at: more.stopped_at.clone().or_else(|| self.stopped_at.clone()),
        }
    }
}

/// Settles an archive beside its writer, which may go on meanwhile.
#[derive(Clone)]
pub struct Settler {
    pub(crate) store: Store,
    pub(crate) lock: Arc<Lock>,
    pub(crate) seen: Seen,
    pub(crate) one: Arc<Mutex<()>>,
}

impl Settler {
    /// Settles all live segments but a last one that would be alone, merges, and removes what is
    /// no longer needed. `progress` hears what was done so far.
    ///
    /// # Errors
    /// [`ArchiveError::LeaseLost`], [`ArchiveError::Damaged`] where the newest manifest is,
    /// [`ArchiveError::Io`], [`ArchiveError::Store`]. What was not finished does not count.
    pub fn run(
        &self,
        options: &Options,
        mut progress: impl FnMut(&Done),
    ) -> Result<Done, ArchiveError> {
        let _one = self.one.lock().unwrap_or_else(PoisonError::into_inner);
        let mut put = |path: &str, bytes: Bytes| self.put(path, &bytes);
        let mut settling = Settling {
            store: &self.store,
            put: &mut put,
            first_seen: &mut |name| self.seen.certificate(name),
        };
        let mut done = Done::default();
        self.sweep(options, &mut done)?;
        let settled = settling.all(options, &mut done, &mut progress);
        // What a failure left unfinished goes as well.
        let swept = self.sweep(options, &mut done);
        settled?;
        swept?;
        Ok(done)
    }

    fn put(&self, path: &str, bytes: &Bytes) -> Result<(), ArchiveError> {
        self.lock.check(self.store.place())?;
        match self.store.put_new(path, bytes.clone()) {
            // A try of ours that came through late.
            Err(ArchiveError::AlreadyThere { .. }) if self.store.read(path)? == *bytes => Ok(()),
            other => other,
        }
    }

    fn sweep(&self, options: &Options, done: &mut Done) -> Result<(), ArchiveError> {
        self.lock.check(self.store.place())?;
        done.removed += sweep::sweep(&self.store, options.grace, SystemTime::now())?;
        Ok(())
    }
}

/// What settling needs of the world; files are written through it alone.
pub(crate) struct Settling<'a> {
    pub(crate) store: &'a Store,
    /// Writes a file whole under a new name; it lasts on return.
    pub(crate) put: &'a mut dyn FnMut(&str, Bytes) -> Result<(), ArchiveError>,
    /// The batch in which a certificate was seen first.
    pub(crate) first_seen: &'a mut dyn FnMut(Fingerprint) -> Result<Option<u64>, ArchiveError>,
}

impl Settling<'_> {
    pub(crate) fn all(
        &mut self,
        options: &Options,
        done: &mut Done,
        progress: &mut dyn FnMut(&Done),
    ) -> Result<(), ArchiveError> {
        loop {
            let snapshot = self.snapshot()?;
            let Some(settled) = self.unit(&snapshot, options, done)? else { break };
            done.batches += settled.last - settled.first + 1;
            done.records += settled.records;
            let mut manifest = snapshot.manifest().clone();
            manifest.settled.push(settled);
            self.count(manifest)?;
            progress(done);
        }
        loop {
            let snapshot = self.snapshot()?;
            let Some(run) = merge::run(&snapshot, options) else { return Ok(()) };
            let count = run.len() as u64;
            let Some(merged) = self.merge(&snapshot, run.clone(), done)? else { return Ok(()) };
            let mut manifest = snapshot.manifest().clone();
            manifest.settled.splice(run, [merged]);
            self.count(manifest)?;
            done.merged += count;
            progress(done);
        }
    }

    fn snapshot(&self) -> Result<Snapshot, ArchiveError> {
        let snapshot = Snapshot::take(self.store)?;
        if snapshot.newest_version() == snapshot.manifest().version {
            Ok(snapshot)
        } else {
            // Settling anew what the damaged one names would be in its way.
            Err(ArchiveError::Damaged { path: Manifest::path(snapshot.newest_version()) })
        }
    }

    /// Makes what was settled count.
    fn count(&mut self, mut manifest: Manifest) -> Result<(), ArchiveError> {
        manifest.version += 1;
        (self.put)(&Manifest::path(manifest.version), Bytes::from(manifest.to_text()))
    }
}

/// A table that could not be made of what is in memory.
fn failed(path: &str) -> impl FnOnce(TableError) -> ArchiveError {
    move |source| ArchiveError::Table { path: path.into(), source }
}
