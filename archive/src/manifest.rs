//! Which segments are settled: the manifest, and what was made of each, its inventory.

use serde::{Deserialize, Serialize};

use crate::name::batch;
use crate::sealed::{seal, unseal};
use crate::{FileHash, SegmentName};

/// The archive's format.
pub(crate) const FORMAT: u32 = 2;

/// Which segments are settled. The one with the highest version counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// 2.
    pub format: u32,
    /// Counts from 1; 0 is the manifest of an archive that has none yet.
    pub version: u64,
    /// The settled segments, by `first`, without gap from batch 1.
    pub settled: Vec<Settled>,
}

/// A settled segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Its first batch.
    pub first: u64,
    /// Its last batch.
    pub last: u64,
    /// How many records it holds.
    pub records: u64,
    /// The length of its file.
    pub bytes: u64,
    /// The hash of its file.
    pub sha256: FileHash,
    /// The hash of its inventory.
    pub inventory: FileHash,
}

impl Default for Manifest {
    fn default() -> Self {
        Self { format: FORMAT, version: 0, settled: Vec::new() }
    }
}

impl Manifest {
    /// Where manifests are.
    pub const FOLDER: &'static str = "manifest/";

    /// Where the manifest of this version is.
    pub fn path(version: u64) -> String {
        format!("{}{version:012}.json", Self::FOLDER)
    }

    /// The version of the manifest at this path.
    pub fn version_of(path: &str) -> Option<u64> {
        batch(path.strip_prefix(Self::FOLDER)?.strip_suffix(".json")?)
    }

    /// The text of its file: its members, and last the hash of all text before that.
    pub fn to_text(&self) -> String {
        seal(self)
    }

    /// Reads the text of a file; `None` where a byte of it is another than was written.
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let manifest: Self = unseal(text)?;
        (manifest.format == FORMAT && manifest.is_without_gap()).then_some(manifest)
    }

    fn is_without_gap(&self) -> bool {
        let mut next = 1;
        self.settled.iter().all(|settled| {
            let follows = settled.first == next && settled.name().is_some();
            next = settled.last.saturating_add(1);
            follows
        })
    }

    /// The last batch that is settled; 0 where none is.
    pub fn last(&self) -> u64 {
        self.settled.last().map_or(0, |settled| settled.last)
    }

    /// The settled segment that holds this batch.
    pub fn covering(&self, batch: u64) -> Option<&Settled> {
        let after = self.settled.partition_point(|settled| settled.last < batch);
        self.settled.get(after).filter(|settled| settled.first <= batch)
    }
}

impl Settled {
    /// Its name.
    pub fn name(&self) -> Option<SegmentName> {
        SegmentName::new(self.first, self.last)
    }
}

/// What was made of a settled segment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// How many records it holds.
    pub records: u64,
    /// How many rows its handshake tables have.
    pub handshakes: u64,
    /// How many certificates its own file holds.
    pub certificates: u64,
    /// The certificates of its records also lie in the files that cover these batches.
    pub needs: Vec<u64>,
    /// Its certificate file and its handshake tables.
    pub files: Vec<TableFile>,
}

/// A table made of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFile {
    /// Where it is in the archive.
    pub path: String,
    /// How many rows it has.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// Its hash.
    pub sha256: FileHash,
}

impl Inventory {
    /// The text of its file.
    pub fn to_text(&self) -> String {
        // A value of numbers, text and hashes always serialises.
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads the text of a file that has the hash that its manifest says.
    pub fn from_text(text: &[u8], hash: FileHash) -> Option<Self> {
        (FileHash::of(text) == hash).then(|| serde_json::from_slice(text).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(first: u64, last: u64) -> Settled {
        let hash = FileHash::of(b"");
        Settled { first, last, records: 7, bytes: 9, sha256: hash, inventory: hash }
    }

    #[test]
    fn a_manifest_comes_back_and_any_flipped_bit_is_noticed() {
        let settled = vec![settled(1, 100), settled(101, 101)];
        let manifest = Manifest { version: 3, settled, ..Manifest::default() };
        let text = manifest.to_text().into_bytes();
        assert_eq!(Manifest::from_text(&text), Some(manifest.clone()));
        assert_eq!(manifest.covering(101).map(|settled| settled.first), Some(101));
        assert_eq!((manifest.covering(102), manifest.last()), (None, 101));
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut other = text.clone();
                other[at] ^= 1 << bit;
                assert_eq!(Manifest::from_text(&other), None, "bit {bit} of byte {at}");
            }
            assert_eq!(Manifest::from_text(&text[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn a_gap_is_no_manifest() {
        for (case, segments) in [
            ("gap", vec![settled(1, 2), settled(4, 5)]),
            ("overlap", vec![settled(1, 2), settled(2, 5)]),
            ("not from 1", vec![settled(2, 5)]),
            ("backwards", vec![settled(1, 2), settled(3, 2)]),
        ] {
            let manifest = Manifest { settled: segments, ..Manifest::default() };
            assert_eq!(Manifest::from_text(manifest.to_text().as_bytes()), None, "{case}");
        }
    }

    #[test]
    fn paths_and_versions() {
        assert_eq!(Manifest::path(7), "manifest/000000000007.json");
        assert_eq!(Manifest::version_of(&Manifest::path(7)), Some(7));
        assert_eq!(Manifest::version_of("manifest/7.json"), None);
    }
}
