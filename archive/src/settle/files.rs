//! The files of one settled segment, written in the order that makes a crash harmless.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use kua::chain::{Certificate, Fingerprint};

use super::{Settling, failed};
use crate::tables::handshakes::{PartitionFile, Rows, joined};
use crate::tables::partition::Partition;
use crate::tables::{TableError, certificates};
use crate::{ArchiveError, FileHash, Inventory, SegmentName, Settled, TableFile};

/// Rows that are in memory at once.
const MAX_ROWS: u64 = 128 * 1024;
const MAX_ROWS_BYTES: usize = 48 << 20;

/// Rows of handshakes, in memory as long as they are few, and then as Parquet.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    rows: Rows,
    parts: BTreeMap<Partition, Vec<PartitionFile>>,
}

impl Parts {
    /// The rows that wait.
    pub(crate) fn rows(&mut self) -> Result<&mut Rows, TableError> {
        if self.rows.count() >= MAX_ROWS || self.rows.bytes() >= MAX_ROWS_BYTES {
            self.flush()?;
        }
        Ok(&mut self.rows)
    }

    /// Adds a file that was made before.
    pub(crate) fn add(&mut self, file: PartitionFile) {
        self.parts.entry(file.partition).or_default().push(file);
    }

    fn flush(&mut self) -> Result<(), TableError> {
        for file in std::mem::take(&mut self.rows).into_files() {
            self.add(file?);
        }
        Ok(())
    }

    /// One file for each partition.
    pub(crate) fn into_files(
        mut self,
    ) -> Result<impl Iterator<Item = Result<PartitionFile, TableError>>, TableError> {
        self.flush()?;
        Ok(self.parts.into_iter().map(|(partition, files)| {
            let rows = files.iter().map(|file| file.rows).sum();
            let bytes = joined(files.into_iter().map(|file| file.bytes))?;
            Ok(PartitionFile { partition, rows, bytes })
        }))
    }
}

/// What is written of a segment before its records.
#[derive(Debug)]
pub(crate) struct TableFiles {
    name: SegmentName,
    inventory: Inventory,
}

impl TableFiles {
    pub(crate) fn new(name: SegmentName) -> Self {
        Self { name, inventory: Inventory::default() }
    }

    /// Writes its certificates, if there are any.
    pub(crate) fn certificates(
        &mut self,
        settling: &mut Settling<'_>,
        all: &BTreeMap<Fingerprint, Certificate>,
    ) -> Result<(), ArchiveError> {
        if all.is_empty() {
            return Ok(());
        }
        let path = self.name.certificates();
        let bytes = certificates::write(all).map_err(failed(&path))?;
        self.put(settling, path, all.len() as u64, bytes)
    }

    /// Writes the handshakes of one partition.
    pub(crate) fn handshakes(
        &mut self,
        settling: &mut Settling<'_>,
        file: PartitionFile,
    ) -> Result<(), ArchiveError> {
        self.put(settling, self.name.handshakes(file.partition), file.rows, file.bytes)
    }

    fn put(
        &mut self,
        settling: &mut Settling<'_>,
        path: String,
        rows: u64,
        bytes: Bytes,
    ) -> Result<(), ArchiveError> {
        let sha256 = FileHash::of(&bytes);
        let file = TableFile { path, rows, bytes: bytes.len() as u64, sha256 };
        (settling.put)(&file.path, bytes)?;
        self.add(file);
        Ok(())
    }

    /// Names a file that is there.
    pub(crate) fn add(&mut self, file: TableFile) {
        if SegmentName::partition_of(&file.path).is_some() {
            self.inventory.handshakes += file.rows;
        } else {
            self.inventory.certificates += file.rows;
        }
        self.inventory.files.push(file);
    }

    /// What was written and named.
    pub(crate) fn into_inventory(mut self, records: u64, needs: BTreeSet<u64>) -> Inventory {
        self.inventory.records = records;
        self.inventory.needs = needs.into_iter().collect();
        self.inventory
    }

    /// Writes the records and the inventory; what the manifest is to say of them.
    pub(crate) fn finish(
        self,
        settling: &mut Settling<'_>,
        records: u64,
        needs: BTreeSet<u64>,
        raw: Bytes,
    ) -> Result<Settled, ArchiveError> {
        let (bytes, sha256) = (raw.len() as u64, FileHash::of(&raw));
        let name = self.name;
        (settling.put)(&name.raw(), raw)?;
        let inventory = self.into_inventory(records, needs).to_text();
        let hash = FileHash::of(inventory.as_bytes());
        (settling.put)(&name.inventory(), inventory.into())?;
        let (first, last) = (name.first(), name.last());
        Ok(Settled { first, last, records, bytes, sha256, inventory: hash })
    }
}
