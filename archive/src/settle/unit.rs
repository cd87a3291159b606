//! A run of live batches as one settled segment.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use kua::chain::{Certificate, Chain, Fingerprint};
use kua::measurement::Measurement;

use super::files::{Parts, TableFiles};
use super::{Done, Options, Settling, failed};
use crate::certificates::hash_of;
use crate::condense::condense;
use crate::segment::{Encoder, Line, Part, Reader};
use crate::{ArchiveError, Record, RecordHash, SegmentName, Settled, Snapshot, scan};

/// Compressed records, and certificates, after which a unit ends.
const MAX_HELD: usize = 48 << 20;
const MAX_CERTIFICATES: usize = 24 << 20;

impl Settling<'_> {
    /// Settles the oldest live batches, as many as memory is set aside for, and at least two: the
    /// file of one would have the name that it has already. `None` where there are fewer.
    pub(super) fn unit(
        &mut self,
        snapshot: &Snapshot,
        options: &Options,
        done: &mut Done,
    ) -> Result<Option<Settled>, ArchiveError> {
        let live = snapshot.segments().iter().filter(|segment| !segment.settled);
        let live: Vec<_> = live.collect();
        let mut unit = Unit::new(snapshot)?;
        let mut last = None;
        for (taken, segment) in live.iter().enumerate() {
            if segment.bytes == 0 {
                done.stopped_at = Some(segment.name.raw());
                break;
            }
            if taken >= 2 && unit.is_full(options) {
                break;
            }
            if live.len() < 2 || (taken == 0 && live[1].bytes == 0) {
                break;
            }
            unit.take(segment.name, self)?;
            last = Some(segment.name.last());
        }
        let first = snapshot.manifest().last() + 1;
        let name = last.filter(|last| *last > first);
        let Some(name) = name.and_then(|last| SegmentName::new(first, last)) else {
            return Ok(None);
        };
        unit.write(name, self).map(Some)
    }
}

struct Unit<'a> {
    snapshot: &'a Snapshot,
    encoder: Encoder,
    parts: Parts,
    new: BTreeMap<Fingerprint, Certificate>,
    new_bytes: usize,
    /// Certificates that lie in older files.
    older: HashSet<Fingerprint>,
    needs: BTreeSet<u64>,
    text: u64,
    /// How many records are settled before it, and in it.
    before: u64,
    records: u64,
}

impl<'a> Unit<'a> {
    fn new(snapshot: &'a Snapshot) -> Result<Self, ArchiveError> {
        let settled = &snapshot.manifest().settled;
        Ok(Self {
            snapshot,
            encoder: Encoder::new(Encoder::SMALL)?,
            parts: Parts::default(),
            new: BTreeMap::new(),
            new_bytes: 0,
            older: HashSet::new(),
            needs: BTreeSet::new(),
            text: 0,
            before: settled.iter().map(|settled| settled.records).sum(),
            records: 0,
        })
    }

    fn is_full(&self, options: &Options) -> bool {
        self.text >= options.unit_text
            || self.encoder.held() >= MAX_HELD
            || self.new_bytes >= MAX_CERTIFICATES
    }

    fn take(&mut self, name: SegmentName, settling: &mut Settling<'_>) -> Result<(), ArchiveError> {
        let mut reader = Reader::open(self.snapshot.store(), &name.raw())?;
        while let Some(part) = reader.next_part()? {
            self.text += part.length;
            self.take_part(&part, settling)?;
        }
        Ok(())
    }

    fn take_part(&mut self, part: &Part, settling: &mut Settling<'_>) -> Result<(), ArchiveError> {
        let lines: Vec<_> = part.lines().collect();
        let sound = part.text.is_some() && lines.iter().flatten().count() == lines.len();
        let mut whole = sound;
        let mut records = Vec::with_capacity(lines.len());
        for (number, line) in (1..).zip(&lines) {
            let record = line.as_ref().ok().and_then(record);
            whole &= record.is_some();
            let number = self.before + self.records + number;
            records.push(record.map(|record| (number, record)));
        }
        // What is damaged stays as it is, with all that shares its frame.
        if !whole {
            self.encoder.push_frame(part)?;
        }
        for (line, record) in lines.iter().zip(records) {
            let (Ok(line), Some((number, record))) = (line, record) else { continue };
            let measurement = scan::measurement(&record).ok();
            if let Some(measurement) = &measurement {
                let rows = self.parts.rows().map_err(failed("handshakes"))?;
                rows.add(number, *record.hash.as_bytes(), measurement);
            }
            if whole {
                let certificates = measurement.iter().flat_map(certificates);
                let text = condense(&record.raw, certificates.clone());
                for certificate in certificates {
                    self.see(certificate, settling)?;
                }
                self.encoder.push_line(Line { text: &text, ..*line })?;
            }
        }
        self.records += part.records;
        Ok(())
    }

    /// Finds out whether a certificate lies in an older file; else it is new here.
    fn see(
        &mut self,
        certificate: &Certificate,
        settling: &mut Settling<'_>,
    ) -> Result<(), ArchiveError> {
        let name = certificate.fingerprint();
        if self.older.contains(&name) || self.new.contains_key(&name) {
            return Ok(());
        }
        if let Some(batch) = (settling.first_seen)(name)?
            && let Some(settled) = self.snapshot.manifest().covering(batch)
            && let Some(segment) = settled.name()
            && self
                .snapshot
                .packs()
                .holds(segment, name, |segment| hash_of(self.snapshot, segment))?
        {
            self.needs.insert(segment.first());
            self.older.insert(name);
            return Ok(());
        }
        self.new_bytes += certificate.der().len();
        self.new.insert(name, certificate.clone());
        Ok(())
    }

    fn write(
        self,
        name: SegmentName,
        settling: &mut Settling<'_>,
    ) -> Result<Settled, ArchiveError> {
        let mut files = TableFiles::new(name);
        files.certificates(settling, &self.new)?;
        drop(self.new);
        for file in self.parts.into_files().map_err(failed("handshakes"))? {
            files.handshakes(settling, file.map_err(failed("handshakes"))?)?;
        }
        files.finish(settling, self.records, self.needs, self.encoder.finish()?)
    }
}

/// The record of a line of a live segment, if it has its hash.
fn record(line: &Line<'_>) -> Option<Record> {
    let raw = line.with_line_feeds();
    let receipt = line.receipt().ok().flatten();
    (RecordHash::of(&raw) == line.hash).then_some(Record { hash: line.hash, receipt, raw })
}

fn certificates(measurement: &Measurement) -> impl Iterator<Item = &Certificate> + Clone {
    let chains = measurement.handshakes.iter().filter_map(|shaken| shaken.chain.as_ref());
    chains.flat_map(Chain::certificates)
}
