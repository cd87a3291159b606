//! Checks a collector's receipts in its log: the log only grew, and what was promised is in it.

use std::collections::HashMap;
use std::path::PathBuf;

use kua::submission::Acknowledgement;
use kua::tlog::{
    Checkpoint, Entry, Hash, TILE_WIDTH, Tile, TlogError, VerifyingKey, consistency_path, entries,
    hashes, inclusion_path, verify_consistency, verify_inclusion,
};

use super::client::{ClientError, Collector};
use super::spool::{Spool, SpoolError};
use super::state::State;

/// What came of the receipts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Checked {
    /// The records that are in the log; their receipts are of no more use.
    pub(super) proved: usize,
    /// The receipts of records that the log does not reach yet.
    pub(super) open: usize,
}

/// Checks the receipts of `spool`. The checkpoint stays in `state`, so that the log cannot lose later what
/// is proved now.
pub(super) fn check(
    spool: &Spool,
    collector: &Collector,
    key: &VerifyingKey,
    state: &mut State,
) -> Result<Checked, LogError> {
    let receipts = spool.receipts()?;
    let mut checked = Checked { proved: 0, open: receipts.len() };
    let broken = |source| LogError::Broken { evidence: spool.dir().into(), source };
    let Some(note) = collector.read("log/checkpoint")? else { return Ok(checked) };
    let head = Checkpoint::open(&note, key).map_err(broken)?;
    let mut tiles = Tiles { collector, known: HashMap::new(), bundles: HashMap::new() };
    if let Some(seen) = &state.checkpoint {
        let seen = Checkpoint::open(seen.as_bytes(), key).map_err(broken)?;
        if head.size < seen.size {
            return Err(LogError::Shorter { now: head.size, before: seen.size });
        }
        let path = consistency_path(seen.size, head.size, &mut |tile| tiles.read(tile))?;
        verify_consistency((seen.size, &seen.root), (head.size, &head.root), &path)
            .map_err(broken)?;
    }
    let mut proved = Vec::new();
    for name in receipts {
        let Some(note) = spool.receipt(&name)? else { continue };
        let promised = Acknowledgement::open(&note, key).map_err(broken)?;
        let index = promised.index;
        if index >= head.size {
            continue;
        }
        let entry = tiles.entry(index, head.size)?;
        if !promised.is_of(&entry) {
            return Err(broken(TlogError::NotIncluded { index, size: head.size }));
        }
        let path = inclusion_path(index, head.size, &mut |tile| tiles.read(tile))?;
        verify_inclusion(&entry.leaf_hash(), index, head.size, &path, &head.root)
            .map_err(broken)?;
        proved.push(name);
    }
    // Notes are UTF-8.
    state.checkpoint = String::from_utf8(note).ok();
    spool.save(state)?;
    for name in &proved {
        spool.remove_receipt(name)?;
    }
    checked.proved = proved.len();
    checked.open -= proved.len();
    Ok(checked)
}

/// Tiles as the collector has them, each asked for once.
struct Tiles<'a> {
    collector: &'a Collector,
    known: HashMap<Tile, Vec<Hash>>,
    bundles: HashMap<Tile, Vec<Entry>>,
}

impl Tiles<'_> {
    fn read(&mut self, tile: Tile) -> Result<Vec<Hash>, LogError> {
        if let Some(known) = self.known.get(&tile) {
            return Ok(known.clone());
        }
        let hashes = hashes(tile, &self.bytes(tile)?)?;
        self.known.insert(tile, hashes.clone());
        Ok(hashes)
    }

    /// What the log says at `index`; not proved yet.
    fn entry(&mut self, index: u64, size: u64) -> Result<Entry, LogError> {
        let tile = Tile::bundle_of(index, size);
        if !self.bundles.contains_key(&tile) {
            let bundle = entries(&self.bytes(tile)?)?;
            self.bundles.insert(tile, bundle);
        }
        let place = (index % TILE_WIDTH as u64) as usize;
        let entry = self.bundles.get(&tile).and_then(|bundle| bundle.get(place));
        entry.copied().ok_or_else(|| LogError::Missing { path: tile.path() })
    }

    fn bytes(&self, tile: Tile) -> Result<Vec<u8>, LogError> {
        let path = |tile: Tile| format!("log/{}", tile.path());
        let bytes = match self.collector.read(&path(tile))? {
            // A log that grew meanwhile may only have the full one.
            None => self.collector.read(&path(tile.filled()))?,
            found => found,
        };
        bytes.ok_or_else(|| LogError::Missing { path: path(tile) })
    }
}

/// Why receipts could not be checked, or do not hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The collector signed two things that cannot both be true, or another key did.
    #[error("its log is not what it promised; {} holds what it signed", evidence.display())]
    Broken {
        /// Where the signed evidence is.
        evidence: PathBuf,
        /// What does not hold.
        source: TlogError,
    },
    /// A tile that is not what it should be.
    #[error("a part of its log cannot be read")]
    Malformed(#[from] TlogError),
    /// A tile that is not there.
    #[error("its log has no {path}")]
    Missing {
        /// Where it should be.
        path: String,
    },
    /// An older checkpoint than the last one: from a cache, or because records were taken out.
    #[error("its log has {now} entries, and had {before}")]
    Shorter {
        /// Its size now.
        now: u64,
        /// Its size as it was checked last.
        before: u64,
    },
    /// What is kept on disk.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The collector did not answer.
    #[error("its log cannot be asked for")]
    Unreachable(#[from] ClientError),
}

impl LogError {
    /// Whether the collector itself signed that it is untrue.
    pub fn is_proof(&self) -> bool {
        matches!(self, Self::Broken { .. })
    }
}
