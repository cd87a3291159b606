//! The entries that an archive's records give, from any place on.

use kua::tlog::Entry;

use super::{LogError, entry};
use crate::segment::{Line, Reader};
use crate::{Snapshot, Store};

/// What stands where a record came without a receipt.
const NO_RECEIPT: &[u8] = b"-";

/// The entries of the records from `place` on, from 0. Records are not put together for it: what is read
/// are the hashes that they are kept under.
pub(super) fn entries_from(snapshot: &Snapshot, place: u64) -> Result<Tail, LogError> {
    let mut tail = Tail {
        store: snapshot.store().clone(),
        segments: Vec::new().into_iter(),
        reader: None,
        place,
    };
    let mut skip = place;
    let mut segments = snapshot.segments().iter();
    for segment in segments.by_ref() {
        let path = segment.name.raw();
        let mut reader = Reader::open(&tail.store, &path)?;
        let records = segment.records.or_else(|| reader.records());
        match records {
            Some(records) if records <= skip => skip -= records,
            _ => {
                let mut left = skip - reader.skip(skip);
                while left > 0 && matches!(reader.next_line()?, Some(Ok(_))) {
                    left -= 1;
                }
                tail.reader = Some(reader);
                break;
            }
        }
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
    place: u64,
}

impl Tail {
    fn read(&mut self) -> Result<Option<Entry>, LogError> {
        loop {
            let Some(reader) = &mut self.reader else {
                let Some(path) = self.segments.next() else { return Ok(None) };
                self.reader = Some(Reader::open(&self.store, &path)?);
                continue;
            };
            match reader.next_line()? {
                Some(Ok(line)) => {
                    self.place += 1;
                    return Ok(Some(of_line(&line)));
                }
                // Frames were found without it, and every one has a checksum.
                Some(Err(crate::Damage::Footer { .. })) => {}
                Some(Err(damage)) => {
                    let place = self.place;
                    self.place += damage.records();
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
