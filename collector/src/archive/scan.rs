//! Reading an archive from end to end, whatever happened to parts of it.

use std::fs::File;
use std::io::{BufReader, ErrorKind};

use kua::measurement::Measurement;
use kua::wire::from_record;

use super::certificates::Texts;
use super::condensed::{restore, with_line_feeds};
use super::layout::RECORDS;
use super::records::{MAX_LINE, RecordHash, split};
use super::{Archive, ArchiveError, Damage};
use crate::lines::{Line, Lines};

const BUFFER: usize = 256 * 1024;

/// What a scan served, and what it could not.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Records that were served.
    pub served: u64,
    /// Records that are damaged.
    pub damaged: u64,
    /// The first [`Scanned::NAMED`] of them.
    pub named: Vec<Damaged>,
}

impl Scanned {
    /// Most damaged records that are named.
    pub const NAMED: usize = 20;
}

/// A record that could not be served.
#[derive(Debug)]
pub struct Damaged {
    /// Its number, from 1.
    pub number: u64,
    /// What happened to it.
    pub damage: Damage,
}

impl Archive {
    /// Hands every measurement to `visit`, in the order of arrival, with its number from 1.
    ///
    /// The bytes are restored, compared with their hash, and read. A damaged record is counted and
    /// named, keeps its number, and the rest is served. Memory is bounded by the longest record.
    /// A line that a writer has not finished is not there yet.
    ///
    /// # Errors
    /// [`ArchiveError::Io`] where the disk fails; whatever `visit` gives, at once.
    pub fn scan<E: From<ArchiveError>>(
        &self,
        mut visit: impl FnMut(u64, Measurement) -> Result<(), E>,
    ) -> Result<Scanned, E> {
        self.each_line(|number, raw| {
            let measurement = from_record(&raw).map_err(Damage::NotMeasurement);
            Ok(match measurement {
                Ok(measurement) => visit(number, measurement).map(|()| None)?,
                Err(damage) => Some(damage),
            })
        })
    }

    /// As [`Archive::scan`], with each record's bytes as they were received.
    ///
    /// # Errors
    /// As [`Archive::scan`].
    pub fn scan_raw<E: From<ArchiveError>>(
        &self,
        mut visit: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<Scanned, E> {
        self.each_line(|number, raw| visit(number, &raw).map(|()| None))
    }

    fn each_line<E: From<ArchiveError>>(
        &self,
        mut visit: impl FnMut(u64, Vec<u8>) -> Result<Option<Damage>, E>,
    ) -> Result<Scanned, E> {
        let mut scanned = Scanned::default();
        let path = self.dir.join(RECORDS);
        let file = match File::open(&path) {
            Ok(file) => file,
            // Made with the first record.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(scanned),
            Err(error) => return Err(ArchiveError::io("read", &path)(error).into()),
        };
        let mut lines = Lines::new(BufReader::with_capacity(BUFFER, file), MAX_LINE);
        let mut texts = Texts::new(&self.dir);
        let mut buffer = Vec::new();
        while let Some(line) =
            lines.next_into(&mut buffer).map_err(ArchiveError::io("read", &path))?
            && line.ended
        {
            let damage = match received(line, &buffer, &mut texts) {
                Ok(raw) => visit(line.number, raw)?,
                Err(Unserved::Damage(damage)) => Some(damage),
                Err(Unserved::Archive(error)) => return Err(error.into()),
            };
            match damage {
                None => scanned.served += 1,
                Some(damage) => scanned.add(line.number, damage),
            }
        }
        Ok(scanned)
    }
}

impl Scanned {
    fn add(&mut self, number: u64, damage: Damage) {
        self.damaged += 1;
        if self.named.len() < Self::NAMED {
            self.named.push(Damaged { number, damage });
        }
    }
}

/// Why there are no bytes for a record: its own damage, or a failure that ends the scan.
pub(super) enum Unserved {
    Archive(ArchiveError),
    Damage(Damage),
}

impl From<ArchiveError> for Unserved {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl From<Damage> for Unserved {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

/// The record of a line as it was received.
pub(super) fn received(
    line: Line,
    text: &[u8],
    certificates: &mut Texts<'_>,
) -> Result<Vec<u8>, Unserved> {
    if line.length > MAX_LINE {
        return Err(Damage::TooLong.into());
    }
    let (hash, record) = split(text).ok_or(Damage::NoHash)?;
    let record = with_line_feeds(record.to_vec());
    if RecordHash::of(&record) == hash {
        return Ok(record);
    }
    let restored = restore(&record, |name| certificates.of(name))?;
    if RecordHash::of(&restored) == hash {
        return Ok(restored);
    }
    Err(Damage::BadHash.into())
}
