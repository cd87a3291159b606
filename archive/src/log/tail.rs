//! The entries that an archive's records give, from any place on.

use kua::tlog::Entry;

use super::{LogError, entry};
use crate::segment::{Line, Reader};
use crate::{Damage, Snapshot, Store};

/// What stands where a record came without a receipt.
const NO_RECEIPT: &[u8] = b"-";

/// The entries of the records from `place` on, from 0. Records are not put together for it: what is read
/// are the hashes that they are kept under.
pub(super) fn entries_from(snapshot: &Snapshot, place: u64) -> Result<Tail, LogError> {
    let mut tail = Tail {
        store: snapshot.store().clone(),
        segments: Vec::new().into_iter(),
        reader: None,
        place: Some(place),
    };
    let mut skip = place;
    let mut segments = snapshot.segments().iter();
    for segment in segments.by_ref() {
        if let Some(records) = segment.records.filter(|records| *records <= skip) {
            skip -= records;
            continue;
        }
        let mut reader = Reader::open(&tail.store, &segment.name.raw())?;
        if let Some(records) = reader.records().filter(|records| *records <= skip) {
            skip -= records;
            continue;
        }
        let mut left = skip - reader.pass(skip);
        while left > 0 && matches!(reader.next_line()?, Some(Ok(_))) {
            left -= 1;
        }
        tail.reader = Some(reader);
        break;
    }
    let rest: Vec<_> = segments.map(|segment| segment.name.raw()).collect();
    tail.segments = rest.into_iter();
    Ok(tail)
}

/// See [`entries_from`].
pub(super) struct Tail {
    store: Store,
    segments: std::vec::IntoIter<String>,
    reader: Option<Reader>,
    place: Option<u64>,
}

impl Tail {
    /// The place of what comes next, if it is known.
    pub(super) fn place(&self) -> Option<u64> {
        self.place
    }

    fn read(&mut self) -> Result<Option<Entry>, LogError> {
        loop {
            let Some(reader) = &mut self.reader else {
                let Some(path) = self.segments.next() else { return Ok(None) };
                self.reader = Some(Reader::open(&self.store, &path)?);
                continue;
            };
            match reader.next_line()? {
                Some(Ok(line)) => {
                    self.place = self.place.map(|place| place + 1);
                    return Ok(Some(of_line(&line)));
                }
                // Frames were found without it, and every one has a checksum.
                Some(Err(Damage::Footer { .. })) => {}
                Some(Err(damage)) => {
                    let place = self.place.unwrap_or_default();
                    let unknown = matches!(&damage, Damage::Frame { records: None, .. });
                    let next = self.place.map(|place| place + damage.records());
                    self.place = next.filter(|_| !unknown);
                    return Err(LogError::Damaged { place, source: Box::new(damage) });
                }
                None => self.reader = None,
            }
        }
    }
}

impl Iterator for Tail {
    type Item = Result<Entry, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

fn of_line(line: &Line<'_>) -> Entry {
    entry(line.hash, (line.receipt != NO_RECEIPT).then_some(line.receipt))
}
