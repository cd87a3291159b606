//! The stored judgements of one version: what counts, and what is written and swept away.

use std::collections::BTreeMap;

use bytes::Bytes;
use kua::campaign::{Shape, ShapeId};
use kua_archive::judged::{Judged, JudgedFile, Version, folder, shapes, write_shapes};
use kua_archive::{ArchiveError, SegmentName, Store};

use super::around::{Part, keep, stored};
use super::error::JudgingError;

/// The judgements of one version in an archive.
#[derive(Debug)]
pub(super) struct Shelf {
    store: Store,
    pub(super) version: Version,
    /// The files that count.
    pub(super) files: Vec<JudgedFile>,
    /// What all shapes are.
    pub(super) shapes: BTreeMap<ShapeId, Shape>,
}

impl Shelf {
    pub(super) fn open(store: &Store, version: Version) -> Result<Self, ArchiveError> {
        let shapes = shapes(store, &version.id)?;
        let shapes = shapes.into_iter().map(|shape| (shape.id(), shape)).collect();
        Ok(Self { store: store.clone(), version, files: Vec::new(), shapes })
    }

    /// Which files counted when it was last written; none where their shapes are lost.
    pub(super) fn index(&self) -> Result<Judged, ArchiveError> {
        if self.shapes.is_empty() {
            return Ok(Judged::default());
        }
        Judged::read(&self.store, &self.version.id)
    }

    /// Whether these files are there, as long as they should be.
    pub(super) fn are_there(&self, files: &[JudgedFile]) -> Result<bool, ArchiveError> {
        for file in files {
            if self.store.size(&file.path)? != Some(file.bytes) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn part(&self, name: SegmentName) -> Result<Option<Part>, JudgingError> {
        stored(&self.store, &self.version.id, name)
    }

    pub(super) fn keep_part(&self, name: SegmentName, part: &Part) -> Result<(), JudgingError> {
        keep(&self.store, &self.version.id, name, part)
    }

    /// Says what the version is of, before anything of it is stored.
    pub(super) fn begin(&self) -> Result<(), ArchiveError> {
        self.version.write(&self.store)
    }

    /// Stores a file: first what its shapes are, then the file, last that it counts.
    pub(super) fn keep(
        &mut self,
        file: JudgedFile,
        bytes: Bytes,
        more: BTreeMap<ShapeId, Shape>,
    ) -> Result<(), ArchiveError> {
        if more.keys().any(|id| !self.shapes.contains_key(id)) {
            self.shapes.extend(more);
            // Another program may have added some.
            let others = shapes(&self.store, &self.version.id)?;
            self.shapes.extend(others.into_iter().map(|shape| (shape.id(), shape)));
            let all: Vec<_> = self.shapes.values().collect();
            write_shapes(&self.store, &self.version.id, &all)?;
        }
        self.store.put(&file.path, bytes)?;
        self.files.push(file);
        // Those of segments that were not looked at yet stay.
        let mut files = self.files.clone();
        let before = Judged::read(&self.store, &self.version.id)?;
        files.extend(before.judged.into_iter().filter(|old| {
            self.files.iter().all(|new| old.last < new.first || new.last < old.first)
        }));
        files.sort_by_key(|file| file.first);
        Judged::of(files, None).write(&self.store, &self.version.id)
    }

    /// Says that these files are all that count, as long as `last` is the last batch.
    pub(super) fn complete(&mut self, last: u64) -> Result<(), ArchiveError> {
        self.files.sort_by_key(|file| file.first);
        if self.files.is_empty() {
            return Ok(());
        }
        Judged::of(self.files.clone(), Some(last)).write(&self.store, &self.version.id)?;
        self.sweep()
    }

    /// Removes what no longer counts.
    fn sweep(&self) -> Result<(), ArchiveError> {
        let folder = folder(&self.version.id);
        for entry in self.store.list(&folder)? {
            let Some(name) = entry.path.strip_prefix(&folder) else { continue };
            let of = |file: &JudgedFile| file.name().map(|name| format!("{name}.zst"));
            let stale = match name.split_once('/') {
                Some(("around", part)) => {
                    self.files.iter().all(|file| of(file).as_deref() != Some(part))
                }
                Some(_) => false,
                None => {
                    name.ends_with(".parquet")
                        && self.files.iter().all(|file| file.path != entry.path)
                }
            };
            if stale {
                self.store.remove(&entry.path)?;
            }
        }
        Ok(())
    }
}
