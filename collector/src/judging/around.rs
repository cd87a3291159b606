//! What was seen in the records of some batches: worked out once, stored, and added up.

use bytes::Bytes;
use kua::memory::Memory;
use kua::surroundings::{Asked, Surroundings};
use kua_archive::judged::{folder, packed, unpacked};
use kua_archive::{ArchiveError, SegmentName, Snapshot, Store};

use super::error::JudgingError;
use super::parallel::in_order;
use super::records::{Handful, Placed, Portion, read};
use super::setting::Setting;

/// The longest part that is read, packed and unpacked: all that surroundings hold is well below.
const MAX_PACKED: u64 = 1 << 30;
const MAX_BYTES: usize = 2 << 30;

/// What was seen in some records, and what their judgements ask for.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) around: Surroundings,
    pub(super) asked: Asked,
}

impl Part {
    fn add(&mut self, memory: &mut Memory<'_>, handful: &Handful) {
        for record in handful.iter().filter_map(|(_, read)| read.as_ref().ok()) {
            if let Ok(measurement) = record.measurement() {
                self.around.add_with(memory, &measurement);
                self.asked.add(&measurement);
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.around.merge(other.around);
        self.asked.merge(other.asked);
    }

    fn to_bytes(&self) -> Result<Bytes, JudgingError> {
        let asked = postcard::to_stdvec(&self.asked).unwrap_or_default();
        let mut text = (asked.len() as u64).to_le_bytes().to_vec();
        text.extend(asked);
        text.extend(self.around.to_bytes()?);
        Ok(packed(&text).into())
    }

    /// `None` where it is no part, or another program's.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let text = unpacked(bytes, MAX_BYTES)?;
        let (length, rest) = text.split_first_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (asked, around) = rest.split_at_checked(length)?;
        let asked = postcard::from_bytes(asked).ok()?;
        Some(Self { around: Surroundings::from_bytes(around).ok()?, asked })
    }
}

/// Looks around in these segments, on several threads; hands on what was seen in each, in order.
pub(super) fn look(
    snapshot: &Snapshot,
    setting: &Setting<'_>,
    segments: &[Placed],
    threads: usize,
    mut seen: impl FnMut(&Placed, Part) -> Result<(), JudgingError>,
) -> Result<(), JudgingError> {
    let mut whole = Part::default();
    let work = |memory: &mut Memory<'_>, (place, last, handful): Portion| {
        let mut part = Part::default();
        part.add(memory, &handful);
        (place, last, part)
    };
    let take = |(place, last, part): (usize, bool, Part)| {
        whole.merge(part);
        if last { seen(&segments[place], std::mem::take(&mut whole)) } else { Ok(()) }
    };
    let start = || Memory::new(setting.reference());
    in_order(threads, |hand| Ok(read(snapshot, segments, hand)?), start, work, take).map(drop)
}

fn path(version: &str, name: SegmentName) -> String {
    format!("{}around/{name}.zst", folder(version))
}

/// The part that is stored of these batches, if a whole one is.
pub(super) fn stored(
    store: &Store,
    version: &str,
    name: SegmentName,
) -> Result<Option<Part>, JudgingError> {
    match store.read_at_most(&path(version, name), MAX_PACKED) {
        Ok(bytes) => Ok(Part::from_bytes(&bytes)),
        Err(ArchiveError::Missing { .. } | ArchiveError::TooLong { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Stores a part.
pub(super) fn keep(
    store: &Store,
    version: &str,
    name: SegmentName,
    part: &Part,
) -> Result<(), JudgingError> {
    Ok(store.put(&path(version, name), part.to_bytes()?)?)
}

#[cfg(test)]
mod tests {
    use kua::measurement::{Handshake, Measurement};

    use super::*;

    #[test]
    fn a_part_comes_back_and_garbage_is_none() {
        let reference = kua::reference::Reference::built_in().unwrap();
        let chain = kua_mint::Authority::root("Stranger").leaf("example.com").certificate;
        let handshakes = vec![Handshake {
            server_name: Some("example.com".into()),
            chain: kua::chain::Chain::from_der([chain]).ok(),
            ..Handshake::default()
        }];
        let measurement = Measurement { handshakes, ..Measurement::default() };
        let mut part = Part::default();
        part.around.add(&measurement, &reference);
        part.asked.add(&measurement);
        let bytes = part.to_bytes().unwrap();
        let read = Part::from_bytes(&bytes).unwrap();
        assert_eq!(read.asked, part.asked);
        assert_eq!(read.around.rows("example.com"), part.around.rows("example.com"));
        for cut in 0..bytes.len() {
            assert!(Part::from_bytes(&bytes[..cut]).is_none(), "{cut} bytes");
        }
    }
}
