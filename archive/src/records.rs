//! The records of one segment, as they were received.

use crate::certificates::Certificates;
use crate::segment::{Line, Reader};
use crate::{ArchiveError, Damage, Record, RecordHash, Segment, Snapshot};

/// The records of one segment, or what is damaged in their place.
#[derive(Debug)]
pub struct Records {
    segment: Segment,
    reader: Reader,
    certificates: Certificates,
    broken_off: bool,
}

impl Records {
    pub(crate) fn of(snapshot: &Snapshot, segment: &Segment) -> Result<Self, ArchiveError> {
        let reader = Reader::open(snapshot.store(), &segment.name.raw())?;
        Ok(Self {
            segment: segment.clone(),
            reader,
            certificates: Certificates::of(snapshot),
            broken_off: false,
        })
    }

    /// How many records were written, damaged ones included, where that is known.
    pub fn written(&self) -> Option<u64> {
        self.segment.records.or_else(|| self.reader.records())
    }

    /// Passes over at most `most` records without reading them, as far as whole frames are to be passed;
    /// gives how many.
    pub fn pass(&mut self, most: u64) -> u64 {
        self.reader.pass(most)
    }

    fn read(&mut self) -> Result<Option<Result<Record, Damage>>, ArchiveError> {
        let line = match self.reader.next_line()? {
            Some(Ok(line)) => line,
            Some(Err(damage)) => return Ok(Some(Err(damage))),
            None => return Ok(None),
        };
        Ok(Some(received(line, &self.segment, &mut self.certificates)))
    }
}

impl Iterator for Records {
    type Item = Result<Record, Damage>;

    /// After [`Damage::BrokenOff`] there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        if self.broken_off {
            return None;
        }
        self.read().unwrap_or_else(|error| {
            self.broken_off = true;
            Some(Err(Damage::BrokenOff { error: Box::new(error) }))
        })
    }
}

/// The record of a line as it was received.
fn received(
    line: Line<'_>,
    segment: &Segment,
    certificates: &mut Certificates,
) -> Result<Record, Damage> {
    let hash = line.hash;
    let mut raw = line.with_line_feeds();
    if RecordHash::of(&raw) != hash {
        raw = certificates.restore(segment, &raw, hash)?;
        if RecordHash::of(&raw) != hash {
            return Err(Damage::BadHash { hash });
        }
    }
    // A receipt that cannot be read is no reason to withhold what was received.
    let receipt = line.receipt().unwrap_or_default();
    Ok(Record { hash, receipt, raw })
}
