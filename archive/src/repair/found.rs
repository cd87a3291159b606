//! A manifest from the files that it would name.

use std::collections::BTreeMap;

use crate::check::hash;
use crate::segment::Reader;
use crate::snapshot::MAX_TEXT;
use crate::{ArchiveError, FileHash, Inventory, Manifest, SegmentName, Settled, Store};

/// The settled segments, from batch 1, as far as they follow each other: of several that begin
/// with the same batch the longest, because the others were merged into it. The inventory is
/// written after the records: with it, a segment was finished.
pub(super) fn manifest(store: &Store) -> Result<Manifest, ArchiveError> {
    let mut segments = BTreeMap::<u64, Vec<SegmentName>>::new();
    let mut inventories = std::collections::BTreeSet::new();
    for entry in store.list("raw/")? {
        let Some(name) = SegmentName::of_file(&entry.path) else { continue };
        if entry.path == name.inventory() {
            inventories.insert(name);
        }
        if name.first() < name.last() {
            segments.entry(name.first()).or_default().push(name);
        }
    }
    let mut manifest = Manifest::default();
    let mut next = 1;
    while let Some(names) = segments.get(&next) {
        let live = SegmentName::of_batch(next).map(SegmentName::raw);
        let live = live.is_some_and(|path| matches!(store.size(&path), Ok(Some(_))));
        let longest = |finished: bool| {
            names.iter().copied().filter(|name| !finished || inventories.contains(name)).max()
        };
        // Without an inventory it may be what a crash left, as long as its batches are there.
        let Some(name) = longest(true).or_else(|| if live { None } else { longest(false) }) else {
            break;
        };
        manifest.settled.push(settled(store, name)?);
        next = name.last() + 1;
    }
    Ok(manifest)
}

fn settled(store: &Store, name: SegmentName) -> Result<Settled, ArchiveError> {
    let text = match store.read_at_most(&name.inventory(), MAX_TEXT) {
        Ok(text) => text,
        Err(ArchiveError::Missing { .. }) => Default::default(),
        Err(error) => return Err(error),
    };
    let inventory: Option<Inventory> = serde_json::from_slice(&text).ok();
    let (bytes, sha256, footer) = match hash(store, &name.raw()) {
        Ok((bytes, sha256)) => (bytes, sha256, Reader::open(store, &name.raw())?.records()),
        Err(ArchiveError::Missing { .. }) => (0, FileHash::of(b""), None),
        Err(error) => return Err(error),
    };
    let records = footer.or(inventory.map(|inventory| inventory.records)).unwrap_or_default();
    let (first, last, inventory) = (name.first(), name.last(), FileHash::of(&text));
    Ok(Settled { first, last, records, bytes, sha256, inventory })
}
