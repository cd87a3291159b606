//! The certificates of settled segments: kept once, put back where a record had them.

use std::sync::Arc;

use kua::chain::Fingerprint;

use crate::condense::restore;
use crate::packs::Packs;
use crate::tables::certificates;
use crate::{ArchiveError, Damage, FileHash, RecordHash, Segment, SegmentName, Settled, Snapshot};

/// The longest file of certificates that is read.
pub(crate) const MAX_FILE: u64 = 1 << 30;

/// The certificates that the records of a snapshot need.
#[derive(Debug)]
pub(crate) struct Certificates {
    snapshot: Snapshot,
    packs: Arc<Packs>,
    /// Where those of the segment that is being read lie.
    sources: Option<(SegmentName, Vec<SegmentName>)>,
    /// How often a newer snapshot was looked for, and there was none.
    vain: u8,
}

/// Most vain looks for a newer snapshot, where much is really lost.
const MAX_VAIN: u8 = 16;

impl Certificates {
    /// Those of a snapshot; none is read before it is needed.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        Self { snapshot: snapshot.clone(), packs: snapshot.packs().clone(), sources: None, vain: 0 }
    }

    /// The record as it was received. `short` has its line feeds, and not this hash: certificates
    /// were taken out of it.
    pub(crate) fn restore(
        &mut self,
        segment: &Segment,
        short: &[u8],
        hash: RecordHash,
    ) -> Result<Vec<u8>, Damage> {
        if !segment.settled {
            return Err(Damage::BadHash { hash });
        }
        match self.put_back(segment, short) {
            // The file may have been merged with others meanwhile.
            Err(Damage::MissingCertificate { .. } | Damage::UnreadableFile { .. })
                if self.is_renewed() =>
            {
                self.put_back(segment, short)
            }
            restored => restored,
        }
    }

    /// Takes the newest snapshot; `false` where it is the one that is there.
    fn is_renewed(&mut self) -> bool {
        if self.vain == MAX_VAIN {
            return false;
        }
        match Snapshot::take(self.snapshot.store()) {
            Ok(now) if now.manifest().version != self.snapshot.manifest().version => {
                *self = Self { vain: self.vain, ..Self::of(&now) };
                true
            }
            _ => {
                self.vain += 1;
                false
            }
        }
    }

    fn put_back(&mut self, segment: &Segment, short: &[u8]) -> Result<Vec<u8>, Damage> {
        if self.sources.as_ref().is_none_or(|(of, _)| *of != segment.name) {
            self.sources = Some((segment.name, self.sources_of(segment)));
        }
        let sources = self.sources.as_ref().map(|(_, sources)| &sources[..]).unwrap_or_default();
        let hash_of = |name| hash_of(&self.snapshot, name);
        restore(short, |name| self.packs.text(sources, name, hash_of))
    }

    /// Its own file and those that it needs, the newest first. Where its inventory is damaged, a
    /// certificate can be in any.
    fn sources_of(&self, segment: &Segment) -> Vec<SegmentName> {
        let manifest = self.snapshot.manifest();
        let settled = manifest.covering(segment.name.first());
        let inventory = settled.and_then(|settled| self.snapshot.inventory(settled).ok());
        let mut sources: Vec<_> = match &inventory {
            Some(inventory) => inventory
                .needs
                .iter()
                .filter_map(|batch| manifest.covering(*batch)?.name())
                .chain(settled.and_then(Settled::name))
                .collect(),
            None => manifest.settled.iter().filter_map(Settled::name).collect(),
        };
        sources.sort_unstable();
        sources.dedup();
        sources.reverse();
        sources
    }
}

/// The hash that the file of certificates of a settled segment has, where its inventory says so.
pub(crate) fn hash_of(snapshot: &Snapshot, name: SegmentName) -> Option<FileHash> {
    let inventory = snapshot.inventory(snapshot.manifest().covering(name.first())?);
    let path = name.certificates();
    let files = inventory.ok()?.files;
    files.into_iter().find(|file| file.path == path).map(|file| file.sha256)
}

/// The names of the certificates in the file of a settled segment; none where it has no file, or
/// a damaged one.
pub(crate) fn names(
    snapshot: &Snapshot,
    segment: &Segment,
) -> Result<Vec<Fingerprint>, ArchiveError> {
    match snapshot.store().read_at_most(&segment.name.certificates(), MAX_FILE) {
        Ok(file) => Ok(certificates::names(&file).unwrap_or_default()),
        Err(ArchiveError::Missing { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
