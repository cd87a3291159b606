//! Reading an archive from end to end, whatever happened to parts of it.

use std::collections::BTreeMap;

use kua::measurement::Measurement;
use kua::wire::from_record;

use crate::{Archive, ArchiveError, Damage, Record, Segment, Snapshot};

/// What a scan served, and what it could not.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Records that were served.
    pub served: u64,
    /// Records that are damaged.
    pub damaged: u64,
    /// The first [`Scanned::NAMED`] damages.
    pub named: Vec<Damaged>,
}

impl Scanned {
    /// Most damages that are named.
    pub const NAMED: usize = 20;

    /// Damaged records beyond those that are named.
    pub fn unnamed(&self) -> u64 {
        let named = self.named.iter().map(|damaged| damaged.damage.records());
        self.damaged.saturating_sub(named.sum())
    }

    fn add(&mut self, number: u64, damage: Damage) {
        self.damaged += damage.records();
        if self.named.len() < Self::NAMED {
            self.named.push(Damaged { number, damage });
        }
    }
}

/// What could not be served.
#[derive(Debug)]
pub struct Damaged {
    /// The number of its first record, from 1.
    pub number: u64,
    /// What happened.
    pub damage: Damage,
}

impl Archive {
    /// As [`Snapshot::scan`], of what the archive holds now.
    ///
    /// # Errors
    /// As [`Archive::snapshot`] and [`Snapshot::scan`].
    pub fn scan<E: From<ArchiveError>>(
        &self,
        visit: impl FnMut(u64, Measurement) -> Result<(), E>,
    ) -> Result<Scanned, E> {
        self.snapshot()?.scan(visit)
    }

    /// As [`Snapshot::scan_raw`], of what the archive holds now.
    ///
    /// # Errors
    /// As [`Archive::snapshot`] and [`Snapshot::scan_raw`].
    pub fn scan_raw<E: From<ArchiveError>>(
        &self,
        visit: impl FnMut(u64, &Record) -> Result<(), E>,
    ) -> Result<Scanned, E> {
        self.snapshot()?.scan_raw(visit)
    }
}

impl Snapshot {
    /// Hands every measurement to `visit`, in the order of arrival, with its number from 1.
    ///
    /// The bytes are restored, compared with their hash, and read. What is damaged is counted and
    /// named, keeps its numbers, and the rest is served. Memory is bounded by the longest record.
    ///
    /// # Errors
    /// [`ArchiveError::Io`] and [`ArchiveError::Store`] where reading fails; whatever `visit`
    /// gives, at once.
    pub fn scan<E: From<ArchiveError>>(
        &self,
        mut visit: impl FnMut(u64, Measurement) -> Result<(), E>,
    ) -> Result<Scanned, E> {
        let mut scanned = Scanned::default();
        self.each(|number, read| {
            match read.and_then(|record| measurement(&record)) {
                Ok(measurement) => {
                    scanned.served += 1;
                    visit(number, measurement)?;
                }
                Err(damage) => scanned.add(number, damage),
            }
            Ok::<_, E>(())
        })?;
        Ok(scanned)
    }

    /// As [`Snapshot::scan`], with each record as it was received.
    ///
    /// # Errors
    /// As [`Snapshot::scan`].
    pub fn scan_raw<E: From<ArchiveError>>(
        &self,
        mut visit: impl FnMut(u64, &Record) -> Result<(), E>,
    ) -> Result<Scanned, E> {
        let mut scanned = Scanned::default();
        self.each(|number, read| {
            match read {
                Ok(record) => {
                    scanned.served += 1;
                    visit(number, &record)?;
                }
                Err(damage) => scanned.add(number, damage),
            }
            Ok::<_, E>(())
        })?;
        Ok(scanned)
    }

    /// Hands over every record, or the damage in its place, with its number from 1. A segment that
    /// was merged away meanwhile is gone on with where its records are now.
    ///
    /// # Errors
    /// As [`Snapshot::scan`].
    pub fn each<E: From<ArchiveError>>(
        &self,
        mut visit: impl FnMut(u64, Result<Record, Damage>) -> Result<(), E>,
    ) -> Result<(), E> {
        let until = self.last();
        let mut snapshot = self.clone();
        let mut passed = 0;
        // How many records lie before each segment, by its first batch.
        let mut before = BTreeMap::new();
        let mut at = 0;
        while let Some(segment) = snapshot.segments().get(at).cloned() {
            if segment.name.first() > until {
                break;
            }
            let begin = *before.entry(segment.name.first()).or_insert(passed);
            match snapshot.each_of(&segment, begin, &mut passed, &mut visit)? {
                Pass::Whole => at += 1,
                Pass::Gone => {
                    let now = Self::take(snapshot.store())?;
                    let first = segment.name.first();
                    let moved = |other: &Segment| other.name.covers(first) && *other != segment;
                    match now.segments().iter().position(moved) {
                        Some(position) => (snapshot, at) = (now, position),
                        None => {
                            let path = segment.name.raw();
                            let damage = Damage::MissingSegment { path, records: segment.records };
                            let number = passed + 1;
                            passed = passed.max(begin + damage.records());
                            visit(number, Err(damage))?;
                            at += 1;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn each_of<E: From<ArchiveError>>(
        &self,
        segment: &Segment,
        begin: u64,
        passed: &mut u64,
        visit: &mut impl FnMut(u64, Result<Record, Damage>) -> Result<(), E>,
    ) -> Result<Pass, E> {
        let records = match self.records(segment) {
            Ok(records) => records,
            Err(ArchiveError::Missing { .. }) => return Ok(Pass::Gone),
            Err(error) => return Err(error.into()),
        };
        let written = records.written();
        let mut at = begin;
        for read in records {
            let count = match &read {
                Ok(_) => 1,
                Err(Damage::BrokenOff { error }) => {
                    if matches!(**error, ArchiveError::Missing { .. }) {
                        return Ok(Pass::Gone);
                    }
                    1
                }
                Err(damage) => damage.records(),
            };
            let read = match read {
                Err(Damage::BrokenOff { error }) => return Err((*error).into()),
                read => read,
            };
            at += count;
            // Up to here another segment has served them.
            if at > *passed || count == 0 {
                *passed = (*passed).max(at);
                visit(at - count + 1, read)?;
            }
        }
        // A frame that was lost without its footer does not say how many records it held.
        *passed = (*passed).max(begin + written.unwrap_or_default());
        Ok(Pass::Whole)
    }
}

enum Pass {
    /// All of the segment was passed.
    Whole,
    /// Its file is gone.
    Gone,
}

/// The measurement of a record. One that has no name yet has the name that the collector gave it.
pub(crate) fn measurement(record: &Record) -> Result<Measurement, Damage> {
    let mut measurement = from_record(&record.raw).map_err(Damage::NotMeasurement)?;
    if measurement.uid.is_none() {
        measurement.uid = record.receipt.as_ref().and_then(|receipt| receipt.uid.clone());
    }
    Ok(measurement)
}
