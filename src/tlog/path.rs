//! Which hashes prove what (RFC 6962, sections 2.1.1 and 2.1.2), gathered from tiles.

use super::tile::{TILE_WIDTH, Tile};
use super::tree::{node_hash, whole_root};
use super::{Hash, TlogError};

/// What proves that leaf `index` is in the tree of `size` leaves, from the leaf's sibling upwards.
///
/// # Errors
/// A leaf outside the tree, what `read` says, and a tile that is too short.
pub fn inclusion_path<E: From<TlogError>>(
    index: u64,
    size: u64,
    read: &mut impl FnMut(Tile) -> Result<Vec<Hash>, E>,
) -> Result<Vec<Hash>, E> {
    if index >= size {
        return Err(TlogError::NotIncluded { index, size }.into());
    }
    let mut path = Vec::new();
    let (mut from, mut to) = (0, size);
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            path.push(subtree(middle, to, size, read)?);
            to = middle;
        } else {
            path.push(subtree(from, middle, size, read)?);
            from = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// What proves that the tree of `new` leaves begins with that of `old`. Nothing is needed where one of
/// them is empty or they are the same.
///
/// # Errors
/// An old size above the new one, what `read` says, and a tile that is too short.
pub fn consistency_path<E: From<TlogError>>(
    old: u64,
    new: u64,
    read: &mut impl FnMut(Tile) -> Result<Vec<Hash>, E>,
) -> Result<Vec<Hash>, E> {
    if old > new {
        return Err(TlogError::Inconsistent { old, new }.into());
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let mut path = Vec::new();
    let (mut from, mut to) = (0, new);
    while to != old {
        let middle = from + split(to - from);
        if old <= middle {
            path.push(subtree(middle, to, new, read)?);
            to = middle;
        } else {
            path.push(subtree(from, middle, new, read)?);
            from = middle;
        }
    }
    // The old root itself is known, if it is a subtree.
    if from > 0 {
        path.push(subtree(from, to, new, read)?);
    }
    path.reverse();
    Ok(path)
}

/// The hash over leaves `from..to` of the tree of `size` leaves; `from..to` is not empty and one of those
/// that the tree is made of.
///
/// # Errors
/// What `read` says, and a tile that is too short.
pub fn subtree<E: From<TlogError>>(
    from: u64,
    to: u64,
    size: u64,
    read: &mut impl FnMut(Tile) -> Result<Vec<Hash>, E>,
) -> Result<Hash, E> {
    let width = to - from;
    if !width.is_power_of_two() {
        let middle = from + split(width);
        let left = subtree(from, middle, size, read)?;
        return Ok(node_hash(&left, &subtree(middle, to, size, read)?));
    }
    let level = (width.trailing_zeros() / 8) as u8;
    let first = from >> (8 * u32::from(level));
    let count = (width >> (8 * u32::from(level))) as usize;
    let tile = Tile::of(level, first, size);
    let hashes = whole_tile(tile, read)?;
    let start = (first % TILE_WIDTH as u64) as usize;
    let short = TlogError::ShortTile { path: tile.path(), found: hashes.len() };
    Ok(whole_root(hashes.get(start..start + count).ok_or(short)?))
}

/// A tile as long as it has to be.
pub(super) fn whole_tile<E: From<TlogError>>(
    tile: Tile,
    read: &mut impl FnMut(Tile) -> Result<Vec<Hash>, E>,
) -> Result<Vec<Hash>, E> {
    let hashes = read(tile)?;
    if hashes.len() < tile.width() {
        return Err(TlogError::ShortTile { path: tile.path(), found: hashes.len() }.into());
    }
    Ok(hashes)
}

/// The largest power of two below `width`, which is at least 2.
fn split(width: u64) -> u64 {
    1 << (63 - (width - 1).leading_zeros())
}
