//! Bringing the index up to what the archive holds.

use std::collections::HashSet;

use kua::chain::{Chain, Fingerprint};
use kua::measurement::Measurement;

use super::{Known, Meta, certificate_key, failed, record_key};
use crate::segment::Reader;
use crate::{ArchiveError, Damage, RecordHash, Segment, Snapshot, certificates, scan};

/// Most entries that are written at once.
const AT_ONCE: usize = 20_000;

impl Known {
    /// Takes in every batch after the last that is known.
    pub(super) fn absorb(&mut self, snapshot: &Snapshot) -> Result<(), ArchiveError> {
        let mut before = 0;
        for segment in snapshot.segments() {
            if segment.name.last() > self.meta.last {
                let count = self.absorb_segment(snapshot, segment, before)?;
                before += segment.records.unwrap_or(count);
            } else if segment.settled {
                before += segment.records.unwrap_or_default();
            } else {
                // All before it is settled or known: its end is what is known.
                before = self.meta.records;
            }
        }
        Ok(())
    }

    /// Takes in a segment before which so many records lie; gives how many it holds.
    fn absorb_segment(
        &mut self,
        snapshot: &Snapshot,
        segment: &Segment,
        before: u64,
    ) -> Result<u64, ArchiveError> {
        let seen = if segment.settled {
            let records = self.absorb_lines(snapshot, segment, before)?;
            for name in certificates::names(snapshot, segment)? {
                self.keep_certificate(name, segment.name.first())?;
            }
            records
        } else {
            self.absorb_records(snapshot, segment, before)?
        };
        let records = before + segment.records.unwrap_or(seen.records);
        let last = segment.name.last();
        let meta = Meta { last, first_of_last: seen.first, records, ..self.meta.clone() };
        self.write(self.database.batch(), meta)?;
        Ok(seen.records)
    }

    /// Records of a settled segment, by what its lines say.
    fn absorb_lines(
        &mut self,
        snapshot: &Snapshot,
        segment: &Segment,
        before: u64,
    ) -> Result<Seen, ArchiveError> {
        let mut reader = match Reader::open(snapshot.store(), &segment.name.raw()) {
            Ok(reader) => reader,
            Err(ArchiveError::Missing { .. }) => return Ok(Seen::default()),
            Err(error) => return Err(error),
        };
        let mut seen = Seen::default();
        let mut writing = self.database.batch();
        while let Some(line) = reader.next_line()? {
            match line {
                Ok(line) => {
                    let place = before + seen.add(line.hash);
                    writing.insert(&self.entries, record_key(line.hash), place.to_be_bytes());
                }
                Err(damage) => seen.records += damage.records(),
            }
            if writing.len() >= AT_ONCE {
                let full = std::mem::replace(&mut writing, self.database.batch());
                full.commit().map_err(|error| failed(&self.path, error))?;
            }
        }
        writing.commit().map_err(|error| failed(&self.path, error))?;
        Ok(seen)
    }

    /// Records of a live segment, with the certificates that they hold.
    fn absorb_records(
        &mut self,
        snapshot: &Snapshot,
        segment: &Segment,
        before: u64,
    ) -> Result<Seen, ArchiveError> {
        let records = match snapshot.records(segment) {
            Ok(records) => records,
            Err(ArchiveError::Missing { .. }) => return Ok(Seen::default()),
            Err(error) => return Err(error),
        };
        let mut seen = Seen::default();
        let mut names = HashSet::new();
        let mut writing = self.database.batch();
        for read in records {
            match read {
                Ok(record) => {
                    let place = before + seen.add(record.hash);
                    writing.insert(&self.entries, record_key(record.hash), place.to_be_bytes());
                    let read = scan::measurement(&record);
                    names.extend(read.iter().flat_map(names_in));
                }
                Err(Damage::BrokenOff { error }) => return Err(*error),
                Err(damage) => seen.records += damage.records(),
            }
        }
        writing.commit().map_err(|error| failed(&self.path, error))?;
        for name in names {
            self.keep_certificate(name, segment.name.first())?;
        }
        Ok(seen)
    }

    fn keep_certificate(&mut self, name: Fingerprint, batch: u64) -> Result<(), ArchiveError> {
        if self.certificate(name)?.is_some() {
            return Ok(());
        }
        let kept = self.entries.insert(certificate_key(name), batch.to_be_bytes());
        kept.map_err(|error| failed(&self.path, error))
    }
}

/// What was seen of a segment.
#[derive(Debug, Default)]
struct Seen {
    records: u64,
    first: Option<RecordHash>,
}

impl Seen {
    /// Gives how many were before it.
    fn add(&mut self, hash: RecordHash) -> u64 {
        if self.records == 0 {
            self.first = Some(hash);
        }
        self.records += 1;
        self.records - 1
    }
}

/// The certificates of a measurement.
pub(crate) fn names_in(measurement: &Measurement) -> impl Iterator<Item = Fingerprint> {
    let chains = measurement.handshakes.iter().filter_map(|shaken| shaken.chain.as_ref());
    chains.flat_map(Chain::certificates).map(kua::chain::Certificate::fingerprint)
}

/// The hash of the first record of a live batch.
pub(super) fn first_of(snapshot: &Snapshot, batch: u64) -> Option<RecordHash> {
    let name = crate::SegmentName::of_batch(batch)?;
    let mut reader = Reader::open(snapshot.store(), &name.raw()).ok()?;
    match reader.next_line() {
        Ok(Some(Ok(line))) => Some(line.hash),
        _ => None,
    }
}
