//! Why a log cannot grow.

use std::path::PathBuf;

use kua::tlog::TlogError;

use crate::{ArchiveError, Damage};

/// Why a log cannot be read or grow.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The archive cannot be read or written.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A record that is still to be taken in is damaged.
    #[error("record {place} of the archive is damaged and cannot be put into the log")]
    Damaged {
        /// Its place in the archive, from 0; others are damaged with it perhaps.
        place: u64,
        /// What is wrong.
        source: Box<Damage>,
    },
    /// What was signed and what there is are not the same.
    #[error("the log does not agree with what was signed, at {size} entries: {what}")]
    Disagrees {
        /// Up to which size it was looked at.
        size: u64,
        /// In words.
        what: &'static str,
    },
    /// The key cannot be read, made or kept.
    #[error("cannot use the log's key in {}", path.display())]
    Key {
        /// Its file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The archive holds fewer records than the log has signed.
    #[error("the log has signed {signed} entries, and the archive holds {kept} records")]
    Lost {
        /// The size that was signed.
        signed: u64,
        /// How many there are.
        kept: u64,
    },
    /// A tile that is there holds something else.
    #[error("{path} is not what the archive's records give")]
    OtherTile {
        /// Its path in the archive.
        path: String,
    },
    /// A tile, bundle, key or checkpoint that is not what it should be.
    #[error("the log cannot be read")]
    Tlog(#[from] TlogError),
}
