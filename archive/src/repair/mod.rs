//! Making again what the records themselves still say: tables, inventories, footers, the manifest.

mod found;
mod segment;

#[cfg(test)]
mod tests;

use std::fmt;

use bytes::Bytes;

use crate::check::hash;
use crate::segment::{Encoder, Reader, is_whole};
use crate::{ArchiveError, Manifest, Place, Segment, SegmentName, Snapshot, Store};

/// What became of something that was damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The file, by its path in the archive.
    pub path: String,
    /// What became of it.
    pub what: String,
    /// Whether something is lost for good.
    pub lost: bool,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Files that were made again.
    pub mended: u64,
    /// Things that are lost for good.
    pub lost: u64,
}

/// Looks at every file, and makes again what is damaged or missing and can be made from `raw/`.
/// Records are never changed: those that are damaged stay named by `check`.
///
/// # Errors
/// [`ArchiveError::Busy`] while a writer works, [`ArchiveError::Absent`],
/// [`ArchiveError::Format`], [`ArchiveError::Io`], [`ArchiveError::Store`].
pub fn repair(place: &Place, mut tell: impl FnMut(&Told)) -> Result<Repaired, ArchiveError> {
    let store = Store::open(place)?;
    crate::about::About::read(&store)?.ok_or_else(|| crate::about::absent(place))?;
    let lock = store.lock(&format!("kua repair, process {}", std::process::id()))?;
    let mut repairing = Repairing { store: &store, tell: &mut tell, repaired: Repaired::default() };
    let (mut manifest, newest, found) = repairing.manifest()?;
    let mut changed = found;
    for at in 0..manifest.settled.len() {
        lock.check(place)?;
        if let Some(settled) = repairing.segment(&manifest, at)? {
            manifest.settled[at] = settled;
            changed = true;
        }
    }
    if changed {
        manifest.version = newest + 1;
        lock.check(place)?;
        store.put_new(&Manifest::path(manifest.version), Bytes::from(manifest.to_text()))?;
    }
    repairing.old_manifests(manifest.version)?;
    let snapshot = Snapshot::take(&store)?;
    for segment in snapshot.segments().iter().filter(|segment| !segment.settled) {
        lock.check(place)?;
        repairing.live(segment)?;
    }
    Ok(repairing.repaired)
}

struct Repairing<'a> {
    store: &'a Store,
    tell: &'a mut dyn FnMut(&Told),
    repaired: Repaired,
}

impl Repairing<'_> {
    fn mended(&mut self, path: &str, what: impl fmt::Display) {
        self.repaired.mended += 1;
        (self.tell)(&Told { path: path.into(), what: what.to_string(), lost: false });
    }

    fn lost(&mut self, path: &str, what: impl fmt::Display) {
        self.repaired.lost += 1;
        (self.tell)(&Told { path: path.into(), what: what.to_string(), lost: true });
    }

    /// The manifest that counts, the highest version that there is, and whether it had to be found
    /// out from the files.
    fn manifest(&mut self) -> Result<(Manifest, u64, bool), ArchiveError> {
        let entries = self.store.list(Manifest::FOLDER)?;
        let newest = entries.iter().filter_map(|entry| Manifest::version_of(&entry.path)).max();
        let newest = newest.unwrap_or_default();
        match Snapshot::take(self.store) {
            Ok(snapshot) if snapshot.manifest().version == newest && newest > 0 => {
                return Ok((snapshot.manifest().clone(), newest, false));
            }
            Ok(_) | Err(ArchiveError::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
        let manifest = found::manifest(self.store)?;
        if newest > 0 || !manifest.settled.is_empty() {
            self.mended(&Manifest::path(newest + 1), "made again from what is in raw/");
        }
        let any = !manifest.settled.is_empty() || newest > 0;
        Ok((manifest, newest, any))
    }

    /// Removes manifests that are damaged and no longer count.
    fn old_manifests(&mut self, version: u64) -> Result<(), ArchiveError> {
        for entry in self.store.list(Manifest::FOLDER)? {
            let of = Manifest::version_of(&entry.path);
            if of.is_some_and(|of| of < version) {
                let read = Manifest::from_text(&self.store.read(&entry.path)?);
                if read.map(|manifest| manifest.version) != of {
                    self.store.remove(&entry.path)?;
                    self.mended(&entry.path, "removed: a newer one counts");
                }
            }
        }
        Ok(())
    }

    fn live(&mut self, segment: &Segment) -> Result<(), ArchiveError> {
        let path = segment.name.raw();
        if segment.bytes == 0 {
            let empty = Encoder::new(Encoder::FAST)?.finish()?;
            self.store.put(&path, empty)?;
            self.lost(&path, "its records are gone; an empty batch stands in its place");
        } else if !is_whole(&self.store.read(&path)?) {
            self.footer(segment.name)?;
        }
        Ok(())
    }

    /// Writes the file of a segment again from its frames, with a footer that fits; how many
    /// records it holds.
    fn footer(&mut self, name: SegmentName) -> Result<u64, ArchiveError> {
        let path = name.raw();
        let mut reader = Reader::open(self.store, &path)?;
        let mut encoder = Encoder::new(Encoder::FAST)?;
        let mut damaged = 0;
        while let Some(part) = reader.next_part()? {
            if part.text.is_none() {
                damaged += part.records;
            }
            encoder.push_frame(&part)?;
        }
        let records = encoder.records();
        let bytes = encoder.finish()?;
        let there = hash(self.store, &path)?;
        if there != (bytes.len() as u64, crate::FileHash::of(&bytes)) {
            self.store.put(&path, bytes)?;
            self.mended(&path, "its footer was made again from its frames");
        }
        if damaged > 0 {
            self.lost(&path, format_args!("{damaged} records lie in damaged frames"));
        }
        Ok(records)
    }
}
