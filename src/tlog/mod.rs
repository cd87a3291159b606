//! A transparency log that anybody can check offline: RFC 6962 trees, C2SP tlog-tiles, checkpoints and proofs.
//!
//! The collector makes one over the records that it keeps; `kua` and anybody else verify that a
//! record is in it and that it only grew. The form is that of the C2SP specifications tlog-tiles,
//! tlog-checkpoint, signed-note and tlog-proof, so that other programs read it too. The crates
//! that implement them bring a second cryptographic library, and this is small.

mod checkpoint;
mod entry;
mod error;
mod note;
mod path;
mod proof;
mod tile;
mod tree;

#[cfg(test)]
mod tests;

pub use checkpoint::Checkpoint;
pub use entry::{Entry, bundle, entries};
pub use error::TlogError;
pub use note::{MAX_NOTE, Note, SigningKey, VerifyingKey};
pub use path::{consistency_path, inclusion_path, subtree};
pub use proof::{InclusionProof, verify_consistency, verify_inclusion};
pub use tile::{TILE_WIDTH, Tile, hashes, tile_bytes};
pub use tree::{Growing, Hash, empty_root, leaf_hash, sha256};
