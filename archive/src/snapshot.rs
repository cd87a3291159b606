//! What an archive holds at one moment, whatever is written meanwhile.

use std::sync::Arc;

use crate::about::{About, absent};
use crate::manifest::{Inventory, Manifest, Settled};
use crate::packs::Packs;
use crate::records::Records;
use crate::{ArchiveError, Place, SegmentName, Store};

/// The longest manifest or inventory that is read.
pub(crate) const MAX_TEXT: u64 = 256 << 20;

/// How often a snapshot is begun anew because a writer settled meanwhile.
const TRIES: usize = 20;

/// An archive, open for reading.
#[derive(Clone, Debug)]
pub struct Archive {
    store: Store,
    id: String,
}

impl Archive {
    /// # Errors
    /// [`ArchiveError::Absent`] where there is no archive, [`ArchiveError::Format`] for one of
    /// another format, [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn open(place: &Place) -> Result<Self, ArchiveError> {
        let store = Store::open(place)?;
        let about = About::read(&store)?.ok_or_else(|| absent(place))?;
        Ok(Self { store, id: about.id })
    }

    /// Its files.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// 32 hexadecimal digits that no other archive has.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it holds now.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`] where no manifest can be read, [`ArchiveError::Io`],
    /// [`ArchiveError::Store`].
    pub fn snapshot(&self) -> Result<Snapshot, ArchiveError> {
        Snapshot::take(&self.store)
    }
}

/// What an archive holds at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    store: Store,
    manifest: Manifest,
    newest: u64,
    segments: Vec<Segment>,
    highest: u64,
    packs: Arc<Packs>,
}

/// A segment of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which batches it holds.
    pub name: SegmentName,
    /// Whether its tables are made and its certificates taken out.
    pub settled: bool,
    /// The length of its file; 0 where that is missing.
    pub bytes: u64,
    /// How many records it holds, where the manifest says so.
    pub records: Option<u64>,
}

impl Snapshot {
    pub(crate) fn take(store: &Store) -> Result<Self, ArchiveError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let (manifest, newest) = newest_manifest(store)?;
            let (segments, highest) = segments(store, &manifest)?;
            let complete = segments.iter().all(|segment| segment.bytes > 0);
            // What is missing may have been merged away since the manifest was read.
            if complete || tries == TRIES || newest_version(store)? == newest {
                let (store, packs) = (store.clone(), Arc::new(Packs::new(store)));
                return Ok(Self { store, manifest, newest, segments, highest, packs });
            }
        }
    }

    /// What there is by this manifest, whichever is the newest.
    pub(crate) fn of(store: &Store, manifest: Manifest) -> Result<Self, ArchiveError> {
        let (segments, highest) = segments(store, &manifest)?;
        let (newest, packs) = (manifest.version, Arc::new(Packs::new(store)));
        Ok(Self { store: store.clone(), manifest, newest, segments, highest, packs })
    }

    /// The archive's files.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where certificates are looked up, for all who read this snapshot.
    pub(crate) fn packs(&self) -> &Arc<Packs> {
        &self.packs
    }

    /// Which segments are settled.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The highest version of any manifest, also of one that is damaged.
    pub fn newest_version(&self) -> u64 {
        self.newest
    }

    /// Its segments, in order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The last batch; 0 where there is none.
    pub fn last(&self) -> u64 {
        self.segments.last().map_or(0, |segment| segment.name.last())
    }

    /// The highest batch number that any file has, also one that does not count.
    pub(crate) fn highest(&self) -> u64 {
        self.highest
    }

    /// The records of a segment, in order.
    ///
    /// # Errors
    /// [`ArchiveError::Missing`] where its file is gone: merged with others, if a newer snapshot
    /// does not name it. [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn records(&self, segment: &Segment) -> Result<Records, ArchiveError> {
        Records::of(self, segment)
    }

    /// What was made of a settled segment.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`] where it is not what the manifest names,
    /// [`ArchiveError::Missing`], [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn inventory(&self, settled: &Settled) -> Result<Inventory, ArchiveError> {
        let path = settled.name().map(SegmentName::inventory).unwrap_or_default();
        let text = self.store.read_at_most(&path, MAX_TEXT)?;
        Inventory::from_text(&text, settled.inventory).ok_or(ArchiveError::Damaged { path })
    }

    /// The tables below this folder (`handshakes/`, `certificates/`) of all settled segments, with
    /// their length. Those of a segment whose inventory is damaged are found by their names.
    ///
    /// # Errors
    /// [`ArchiveError::Io`], [`ArchiveError::Store`].
    pub fn tables(&self, folder: &str) -> Result<Vec<(String, u64)>, ArchiveError> {
        let mut tables = Vec::new();
        for settled in &self.manifest.settled {
            match self.inventory(settled) {
                Ok(inventory) => {
                    let files = inventory.files.into_iter();
                    let files = files.filter(|file| file.path.starts_with(folder));
                    tables.extend(files.map(|file| (file.path, file.bytes)));
                }
                Err(ArchiveError::Damaged { .. } | ArchiveError::Missing { .. }) => {
                    let files = self.store.list(folder)?.into_iter();
                    let files =
                        files.filter(|file| SegmentName::of_file(&file.path) == settled.name());
                    tables.extend(files.map(|file| (file.path, file.bytes)));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(tables)
    }
}

fn versions(store: &Store) -> Result<Vec<u64>, ArchiveError> {
    let entries = store.list(Manifest::FOLDER)?;
    Ok(entries.iter().filter_map(|entry| Manifest::version_of(&entry.path)).collect())
}

fn newest_version(store: &Store) -> Result<u64, ArchiveError> {
    Ok(versions(store)?.into_iter().max().unwrap_or_default())
}

/// The manifest that counts, and the highest version there is: where a bit of the highest is
/// flipped, the one before it still tells most.
fn newest_manifest(store: &Store) -> Result<(Manifest, u64), ArchiveError> {
    for _ in 0..TRIES {
        let versions = versions(store)?;
        let Some(newest) = versions.iter().copied().max() else {
            return Ok((Manifest::default(), 0));
        };
        let mut missing = false;
        for version in versions.into_iter().rev() {
            match store.read_at_most(&Manifest::path(version), MAX_TEXT) {
                Ok(text) => {
                    let manifest = Manifest::from_text(&text);
                    if let Some(manifest) = manifest.filter(|read| read.version == version) {
                        return Ok((manifest, newest));
                    }
                }
                Err(ArchiveError::Missing { .. }) => missing = true,
                Err(error) => return Err(error),
            }
        }
        // All that was listed was removed meanwhile: there are newer ones.
        if !missing {
            return Err(ArchiveError::Damaged { path: Manifest::path(newest) });
        }
    }
    Err(ArchiveError::Missing { path: Manifest::FOLDER.into() })
}

fn segments(store: &Store, manifest: &Manifest) -> Result<(Vec<Segment>, u64), ArchiveError> {
    let listed = store.list("raw/")?;
    let listed: std::collections::BTreeMap<_, _> = listed
        .iter()
        .filter(|entry| entry.path.ends_with(".zst"))
        .filter_map(|entry| Some((SegmentName::of_file(&entry.path)?, entry.bytes)))
        .collect();
    let settled = manifest.settled.iter().filter_map(|settled| {
        let name = settled.name()?;
        let bytes = listed.get(&name).copied().unwrap_or_default();
        Some(Segment { name, settled: true, bytes, records: Some(settled.records) })
    });
    let last = manifest.last();
    let live = |name: &SegmentName| name.first() == name.last() && name.first() > last;
    let mut segments: Vec<_> = settled.collect();
    let mut next = last + 1;
    for (name, bytes) in listed.iter().filter(|(name, _)| live(name)) {
        let mut add = |name, bytes| {
            segments.push(Segment { name, settled: false, bytes, records: None });
        };
        // Batches that are missing.
        if let Some(gap) = SegmentName::new(next, name.first() - 1) {
            add(gap, 0);
        }
        add(*name, *bytes);
        next = name.last() + 1;
    }
    let highest = listed.keys().map(|name| name.last()).max().unwrap_or_default().max(last);
    Ok((segments, highest))
}
