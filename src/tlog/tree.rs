//! The tree of RFC 6962, section 2.1, as it grows leaf by leaf into tiles.

use aws_lc_rs::digest::{self, SHA256};

use super::TlogError;
use super::tile::{TILE_WIDTH, Tile};

/// SHA-256.
pub type Hash = [u8; 32];

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Hash {
    taken(digest::digest(&SHA256, bytes).as_ref())
}

/// The hash of one entry.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    tagged(0, &[entry])
}

/// The root of a log without entries.
pub fn empty_root() -> Hash {
    sha256(&[])
}

pub(super) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    tagged(1, &[left, right])
}

fn tagged(tag: u8, parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&SHA256);
    context.update(&[tag]);
    for part in parts {
        context.update(part);
    }
    taken(context.finish().as_ref())
}

fn taken(digest: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest);
    hash
}

/// The root over `hashes`, each of a whole subtree, all of one size, with `rest` (of a smaller one)
/// to their right.
pub(super) fn root_over(hashes: &[Hash], rest: Option<Hash>) -> Option<Hash> {
    let mut root = rest;
    let mut hashes = hashes;
    // From the right: the number of hashes, as a binary number, says where whole subtrees end.
    while !hashes.is_empty() {
        let width = 1 << hashes.len().trailing_zeros();
        let (left, subtree) = hashes.split_at(hashes.len() - width);
        let whole = whole_root(subtree);
        root = Some(root.map_or(whole, |root| node_hash(&whole, &root)));
        hashes = left;
    }
    root
}

/// The root over a power of two of hashes, at least one.
pub(super) fn whole_root(hashes: &[Hash]) -> Hash {
    match hashes {
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(&whole_root(left), &whole_root(right))
        }
    }
}

/// A tree at its right edge: what is needed to add leaves and to tell its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growing {
    size: u64,
    /// By level, the hashes of the tile that is not full.
    edge: Vec<Vec<Hash>>,
}

impl Growing {
    /// The tree of `size` leaves whose tiles `read` gives.
    ///
    /// # Errors
    /// What `read` says, and a tile that is too short.
    pub fn resume<E: From<TlogError>>(
        size: u64,
        mut read: impl FnMut(Tile) -> Result<Vec<Hash>, E>,
    ) -> Result<Self, E> {
        let mut edge = Vec::new();
        for tile in Tile::partial(size) {
            let Tile::Hashes { level, .. } = tile else { continue };
            edge.resize(usize::from(level), Vec::new());
            edge.push(super::path::whole_tile(tile, &mut read)?);
        }
        Ok(Self { size, edge })
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf; gives the tiles that it fills, lowest level first.
    pub fn push(&mut self, leaf: Hash) -> Vec<(Tile, Vec<Hash>)> {
        let mut full = Vec::new();
        self.size += 1;
        let mut hash = leaf;
        for level in 0_u8.. {
            let place = usize::from(level);
            if self.edge.len() == place {
                self.edge.push(Vec::new());
            }
            self.edge[place].push(hash);
            if self.edge[place].len() < TILE_WIDTH {
                break;
            }
            let hashes = std::mem::take(&mut self.edge[place]);
            hash = whole_root(&hashes);
            // A level above 7 would need more leaves than the number of them can tell.
            let index = (self.size >> (8 * u32::from(level) + 8)) - 1;
            full.push((Tile::Hashes { level, index, width: TILE_WIDTH as u16 }, hashes));
        }
        full
    }

    /// The tiles that are not full, and not empty.
    pub fn partial(&self) -> Vec<(Tile, &[Hash])> {
        let hashed = Tile::partial(self.size).into_iter().filter_map(|tile| match tile {
            Tile::Hashes { level, .. } => Some((tile, self.edge[usize::from(level)].as_slice())),
            Tile::Entries { .. } => None,
        });
        hashed.collect()
    }

    /// The tree's hash.
    pub fn root(&self) -> Hash {
        let over = self.edge.iter().fold(None, |rest, hashes| root_over(hashes, rest));
        over.unwrap_or_else(empty_root)
    }
}
