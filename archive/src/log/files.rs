//! The files of a log, for those who read it.

use bytes::Bytes;
use kua::tlog::{
    Checkpoint, Entry, Hash, InclusionProof, MAX_NOTE, Note, Tile, VerifyingKey, entries, hashes,
    inclusion_path,
};

use super::{FOLDER, LogError};
use crate::{ArchiveError, Store};

/// The signed head of the log.
pub(super) const CHECKPOINT: &str = "log/checkpoint";

/// Longest tile or bundle, in bytes: 256 entries of at most 66.
const MAX_TILE: u64 = 256 * 66;

pub(super) fn path(tile: Tile) -> String {
    format!("{FOLDER}{}", tile.path())
}

/// What lies at `path` below the log (`checkpoint`, `tile/...`); nothing for every other path. Of a tile
/// that is full by now, what it was is cut from it.
///
/// # Errors
/// What the archive says.
pub fn read(store: &Store, path: &str) -> Result<Option<Bytes>, LogError> {
    if path == "checkpoint" {
        return read_there(store, CHECKPOINT, MAX_NOTE as u64);
    }
    let Some(tile) = Tile::at(path) else { return Ok(None) };
    if let Some(bytes) = read_there(store, &self::path(tile), MAX_TILE)? {
        return Ok(Some(bytes));
    }
    let Some(full) = read_there(store, &self::path(tile.filled()), MAX_TILE)? else {
        return Ok(None);
    };
    let cut = match tile {
        Tile::Hashes { .. } => kua::tlog::tile_bytes(&hashes(tile, &full)?),
        Tile::Entries { .. } => {
            let mut entries = entries(&full)?;
            entries.truncate(tile.width());
            kua::tlog::bundle(&entries)
        }
    };
    Ok(Some(cut.into()))
}

/// The proof that record `index` of the archive is in the log, as the log is now; nothing where it does
/// not reach so far.
///
/// # Errors
/// What the archive says, and files that are not what they should be.
pub fn proof(
    store: &Store,
    index: u64,
    key: &VerifyingKey,
) -> Result<Option<InclusionProof>, LogError> {
    let Some(checkpoint) = note(store)? else { return Ok(None) };
    let size = Checkpoint::of(&checkpoint, key)?.size;
    if index >= size {
        return Ok(None);
    }
    let path = inclusion_path(index, size, &mut |tile| hashes_of(store, tile))?;
    Ok(Some(InclusionProof { index, path, checkpoint }))
}

pub(super) fn note(store: &Store) -> Result<Option<Note>, LogError> {
    let bytes = read_there(store, CHECKPOINT, MAX_NOTE as u64)?;
    Ok(bytes.map(|bytes| Note::parse(&bytes)).transpose()?)
}

pub(super) fn checkpoint(
    store: &Store,
    key: &VerifyingKey,
) -> Result<Option<Checkpoint>, LogError> {
    Ok(note(store)?.map(|note| Checkpoint::of(&note, key)).transpose()?)
}

pub(super) fn hashes_of(store: &Store, tile: Tile) -> Result<Vec<Hash>, LogError> {
    let bytes = read(store, &tile.path())?;
    Ok(hashes(tile, &bytes.ok_or_else(|| missing(tile))?)?)
}

pub(super) fn entries_of(store: &Store, tile: Tile) -> Result<Vec<Entry>, LogError> {
    let bytes = read(store, &tile.path())?;
    let entries = entries(&bytes.ok_or_else(|| missing(tile))?)?;
    if entries.len() != tile.width() {
        return Err(LogError::OtherTile { path: path(tile) });
    }
    Ok(entries)
}

fn missing(tile: Tile) -> ArchiveError {
    ArchiveError::Missing { path: path(tile) }
}

fn read_there(store: &Store, path: &str, most: u64) -> Result<Option<Bytes>, LogError> {
    match store.read_at_most(path, most) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(ArchiveError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
