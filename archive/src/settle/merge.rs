//! Small settled segments that lie side by side, as one. What they hold is copied, not made anew.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bytes::Bytes;

use super::files::{Parts, TableFiles};
use super::{Done, Options, Settling, failed};
use crate::certificates::MAX_FILE;
use crate::segment::{Encoder, Reader};
use crate::tables::certificates;
use crate::tables::handshakes::PartitionFile;
use crate::{ArchiveError, FileHash, Inventory, SegmentName, Settled, Snapshot};

/// Certificates of a merged segment, in bytes of their files.
const MAX_CERTIFICATES: u64 = 32 << 20;

/// Records and rows of a merged segment.
const MAX_RECORDS: u64 = 1_000_000;

/// Which segments to merge next.
pub(super) fn run(snapshot: &Snapshot, options: &Options) -> Option<Range<usize>> {
    let settled = &snapshot.manifest().settled;
    let size = |settled: &Settled| {
        let mut most = options.smallest.max(1);
        let mut size = 0;
        while settled.bytes > most && size < 16 {
            most = most.saturating_mul(options.fan.max(2) as u64);
            size += 1;
        }
        size
    };
    let sizes: Vec<u32> = settled.iter().map(size).collect();
    for size in 0..=sizes.iter().copied().max()? {
        let mut begin = 0;
        while begin < settled.len() {
            let run = settled[begin..].iter().zip(&sizes[begin..]);
            let run = run.take_while(|(_, other)| **other <= size).count();
            let taken = fitting(snapshot, &settled[begin..begin + run], options);
            if taken >= options.fan.max(2) {
                return Some(begin..begin + taken);
            }
            begin += taken.max(1);
        }
    }
    None
}

/// How many of these one segment can hold.
fn fitting(snapshot: &Snapshot, run: &[Settled], options: &Options) -> usize {
    let (mut bytes, mut records, mut certificates) = (0, 0, 0);
    let fits = run.iter().take_while(|settled| {
        bytes += settled.bytes;
        records += settled.records;
        if bytes > options.longest || records > MAX_RECORDS {
            return false;
        }
        let Ok(inventory) = snapshot.inventory(settled) else { return false };
        let path = settled.name().map(SegmentName::certificates);
        let own = inventory.files.iter().find(|file| Some(&file.path) == path.as_ref());
        certificates += own.map_or(0, |file| file.bytes);
        certificates <= MAX_CERTIFICATES
    });
    fits.count()
}

impl Settling<'_> {
    /// Writes the files of the merged segment. `None` where one of the files is damaged: damage
    /// is not carried on.
    pub(super) fn merge(
        &mut self,
        snapshot: &Snapshot,
        run: Range<usize>,
        done: &mut Done,
    ) -> Result<Option<Settled>, ArchiveError> {
        match self.merge_sound(snapshot, &snapshot.manifest().settled[run]) {
            Err(ArchiveError::Damaged { path } | ArchiveError::Missing { path }) => {
                done.stopped_at = Some(path);
                Ok(None)
            }
            merged => merged.map(Some),
        }
    }

    fn merge_sound(
        &mut self,
        snapshot: &Snapshot,
        run: &[Settled],
    ) -> Result<Settled, ArchiveError> {
        let damaged = || ArchiveError::Damaged { path: "manifest".into() };
        let ends = run.first().zip(run.last());
        let name = ends.and_then(|(first, last)| SegmentName::new(first.first, last.last));
        let name = name.ok_or_else(damaged)?;
        let inventories: Result<Vec<Inventory>, _> =
            run.iter().map(|settled| snapshot.inventory(settled)).collect();
        let inventories = inventories?;
        let mut files = TableFiles::new(name);
        self.merge_certificates(&mut files, &inventories)?;
        self.merge_handshakes(&mut files, &inventories)?;
        let needs = inventories.iter().flat_map(|inventory| &inventory.needs);
        let needs = needs.filter(|batch| !name.covers(**batch));
        // One number stands for all of a file.
        let needs: BTreeSet<_> = needs
            .filter_map(|batch| snapshot.manifest().covering(*batch))
            .map(|settled| settled.first)
            .collect();
        let mut encoder = Encoder::new(Encoder::SMALL)?;
        encoder.reserve(run.iter().map(|settled| settled.bytes).sum());
        for settled in run {
            let path = settled.name().ok_or_else(damaged)?.raw();
            let raw = self.sound(&path, settled.bytes, settled.sha256)?;
            let mut reader = Reader::of_bytes(&path, raw)?;
            while let Some(part) = reader.next_part()? {
                encoder.push_frame(&part)?;
            }
        }
        let records = run.iter().map(|settled| settled.records).sum();
        files.finish(self, records, needs, encoder.finish()?)
    }

    fn merge_certificates(
        &mut self,
        files: &mut TableFiles,
        inventories: &[Inventory],
    ) -> Result<(), ArchiveError> {
        let mut all = BTreeMap::new();
        let packs = inventories.iter().flat_map(|inventory| &inventory.files);
        for file in packs.filter(|file| file.path.starts_with("certificates/")) {
            let bytes = self.sound(&file.path, file.bytes, file.sha256)?;
            let (certificates, _) = certificates::read(&bytes).map_err(failed(&file.path))?;
            all.extend(certificates);
        }
        files.certificates(self, &all)
    }

    fn merge_handshakes(
        &mut self,
        files: &mut TableFiles,
        inventories: &[Inventory],
    ) -> Result<(), ArchiveError> {
        let mut partitions = BTreeMap::<_, Vec<_>>::new();
        let tables = inventories.iter().flat_map(|inventory| &inventory.files);
        for file in tables {
            if let Some(partition) = SegmentName::partition_of(&file.path) {
                partitions.entry(partition).or_default().push(file);
            }
        }
        for (partition, tables) in partitions {
            let mut parts = Parts::default();
            for file in tables {
                let bytes = self.sound(&file.path, file.bytes, file.sha256)?;
                parts.add(PartitionFile { partition, rows: file.rows, bytes });
            }
            for file in parts.into_files().map_err(failed("handshakes"))? {
                files.handshakes(self, file.map_err(failed("handshakes"))?)?;
            }
        }
        Ok(())
    }

    /// A file that is as it was written.
    fn sound(&self, path: &str, bytes: u64, hash: FileHash) -> Result<Bytes, ArchiveError> {
        let file = self.store.read_at_most(path, bytes.max(MAX_FILE))?;
        if FileHash::of(&file) == hash {
            Ok(file)
        } else {
            Err(ArchiveError::Damaged { path: path.into() })
        }
    }
}
