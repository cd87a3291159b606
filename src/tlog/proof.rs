//! Proofs, checked without the log (RFC 9162, sections 2.1.3.2 and 2.1.4.2), and as a file (C2SP tlog-proof).

use data_encoding::BASE64;

use super::tree::node_hash;
use super::{Checkpoint, Entry, Hash, Note, TlogError, VerifyingKey, empty_root};

/// The first line of a proof's file.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The most hashes that a proof in a tree of 2^64 leaves has.
const MAX_PATH: usize = 64;

/// Checks that `leaf` is entry `index` of the tree of `size` leaves with this `root`.
///
/// # Errors
/// It is not, by this path.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), TlogError> {
    let refused = TlogError::NotIncluded { index, size };
    if index >= size || path.len() > MAX_PATH {
        return Err(refused);
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return Err(refused);
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(refused) }
}

/// Checks that the tree `new` begins with the tree `old` (sizes and roots).
///
/// # Errors
/// It does not, by this path.
pub fn verify_consistency(
    old: (u64, &Hash),
    new: (u64, &Hash),
    path: &[Hash],
) -> Result<(), TlogError> {
    let refused = TlogError::Inconsistent { old: old.0, new: new.0 };
    let holds = match old.0 {
        0 => path.is_empty() && *old.1 == empty_root(),
        size if size == new.0 => path.is_empty() && old.1 == new.1,
        size if size < new.0 => begins(old, new, path),
        _ => false,
    };
    if holds { Ok(()) } else { Err(refused) }
}

fn begins(old: (u64, &Hash), new: (u64, &Hash), path: &[Hash]) -> bool {
    if path.len() > MAX_PATH + 1 {
        return false;
    }
    // The old tree's right-most whole subtree; it is the old tree itself where that is whole.
    let (mut place, mut last) = (old.0 - 1, new.0 - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let mut hashes = path.iter();
    let first = if old.0.is_power_of_two() { Some(old.1) } else { hashes.next() };
    let Some(first) = first else { return false };
    let (mut old_root, mut new_root) = (*first, *first);
    for sibling in hashes {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old_root = node_hash(sibling, &old_root);
            new_root = node_hash(sibling, &new_root);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new_root = node_hash(&new_root, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old_root == *old.1 && new_root == *new.1
}

/// That an entry is in a log, in one file that needs nothing else but the log's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// The entry's number, from 0.
    pub index: u64,
    /// From the leaf's sibling upwards.
    pub path: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: Note,
}

impl InclusionProof {
    /// Reads a proof's file.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogError> {
        let malformed = |reason| TlogError::malformed("proof", reason);
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("not UTF-8"))?;
        let (head, note) = text.split_once("\n\n").ok_or(malformed("no checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(malformed("no header"));
        }
        let mut line = lines.next();
        if line.is_some_and(|line| line.starts_with("extra ")) {
            line = lines.next();
        }
        let digits = line.and_then(|line| line.strip_prefix("index "));
        let index = digits.and_then(super::checkpoint::decimal).ok_or(malformed("no index"))?;
        let mut path = Vec::new();
        for line in lines {
            if path.len() == MAX_PATH {
                return Err(malformed("too long"));
            }
            path.push(super::checkpoint::hash(line).ok_or(malformed("no hash in a line"))?);
        }
        Ok(Self { index, path, checkpoint: Note::parse(note.as_bytes())? })
    }

    /// Checks that `entry` is in the log with this key, at this place; gives the checkpoint.
    ///
    /// # Errors
    /// It is not, or the checkpoint is not the log's.
    pub fn verify(&self, entry: &Entry, key: &VerifyingKey) -> Result<Checkpoint, TlogError> {
        let checkpoint = Checkpoint::of(&self.checkpoint, key)?;
        let leaf = entry.leaf_hash();
        verify_inclusion(&leaf, self.index, checkpoint.size, &self.path, &checkpoint.root)?;
        Ok(checkpoint)
    }
}

impl std::fmt::Display for InclusionProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{HEADER}\nindex {}\n", self.index)?;
        for hash in &self.path {
            writeln!(f, "{}", BASE64.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
