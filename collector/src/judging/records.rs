//! Records of an archive's segments with their numbers, in handfuls for several threads.

use kua_archive::{ArchiveError, Damage, Record, Segment, Snapshot};

/// Most records, and bytes, of a handful.
const MOST: usize = 256;
const MOST_BYTES: usize = 4 << 20;

/// Records with their numbers, or what is damaged in their place.
pub(super) type Handful = Vec<(u64, Result<Record, Damage>)>;

/// A segment and how many records lie before it.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) segment: Segment,
    pub(super) before: u64,
    pub(super) records: u64,
}

/// The segments of a snapshot, each with the number of records before it.
pub(super) fn placed(snapshot: &Snapshot) -> Result<Vec<Placed>, ArchiveError> {
    let mut before = 0;
    let mut placed = Vec::new();
    for segment in snapshot.segments() {
        let records = match segment.records {
            Some(records) => records,
            None if segment.bytes == 0 => 1,
            None => count(snapshot, segment)?,
        };
        placed.push(Placed { segment: segment.clone(), before, records });
        before += records;
    }
    Ok(placed)
}

/// How many records a live segment holds.
fn count(snapshot: &Snapshot, segment: &Segment) -> Result<u64, ArchiveError> {
    let records = snapshot.records(segment)?;
    match records.written() {
        Some(written) => Ok(written),
        None => Ok(records.map(|read| read.map_or_else(|damage| damage.records(), |_| 1)).sum()),
    }
}

/// Which of the segments that are read, whether it ends here, and some of its records.
pub(super) type Portion = (usize, bool, Handful);

/// Hands over the records of these segments, each segment in at least one portion; stops where
/// `hand` wants no more.
pub(super) fn read(
    snapshot: &Snapshot,
    segments: &[Placed],
    hand: &mut dyn FnMut(Portion) -> bool,
) -> Result<(), ArchiveError> {
    for (place, placed) in segments.iter().enumerate() {
        if !read_one(snapshot, placed, &mut |last, handful| hand((place, last, handful)))? {
            break;
        }
    }
    Ok(())
}

fn read_one(
    snapshot: &Snapshot,
    placed: &Placed,
    hand: &mut dyn FnMut(bool, Handful) -> bool,
) -> Result<bool, ArchiveError> {
    let mut number = placed.before;
    // A snapshot looks again before it says that a file is gone.
    if placed.segment.bytes == 0 {
        let path = placed.segment.name.raw();
        let damage = Damage::MissingSegment { path, records: placed.segment.records };
        return Ok(hand(true, vec![(number + 1, Err(damage))]));
    }
    let (mut handful, mut bytes) = (Handful::new(), 0);
    for read in snapshot.records(&placed.segment)? {
        let first = number + 1;
        let read = match read {
            Err(Damage::BrokenOff { error }) => return Err(*error),
            read => read,
        };
        bytes += read.as_ref().map_or(0, |record| record.raw.len());
        number += read.as_ref().map_or_else(Damage::records, |_| 1);
        handful.push((first, read));
        if handful.len() == MOST || bytes >= MOST_BYTES {
            bytes = 0;
            if !hand(false, std::mem::take(&mut handful)) {
                return Ok(false);
            }
        }
    }
    Ok(hand(true, handful))
}
