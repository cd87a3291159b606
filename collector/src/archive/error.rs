//! What can go wrong with an archive: a failure of the whole, or damage to one record.

use std::io;
use std::path::{Path, PathBuf};

use kua::chain::Fingerprint;
use kua::wire::WireError;

/// Why an archive could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// There is no archive.
    #[error("there is no archive in {}", dir.display())]
    Absent {
        /// The directory.
        dir: PathBuf,
    },
    /// Another program writes to it.
    #[error("another program is writing to the archive in {}", dir.display())]
    Busy {
        /// The directory.
        dir: PathBuf,
    },
    /// Its `archive.toml` does not say `format = 1`.
    #[error("{} does not say format = 1", file.display())]
    Format {
        /// The file.
        file: PathBuf,
    },
    /// The system refused.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// A verb.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was to be kept is no JSON text of a record's length.
    #[error("what is to be kept is no record: {length} bytes")]
    NotARecord {
        /// Its length in bytes.
        length: usize,
    },
    /// The directory holds files, and they are no archive.
    #[error("{} holds other files and no archive", dir.display())]
    Occupied {
        /// The directory.
        dir: PathBuf,
    },
}

impl ArchiveError {
    /// For `map_err`: what was being done, and to which path.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { doing, path, source }
    }
}

/// Why a record that the archive holds cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// A certificate's file holds other bytes than its name says.
    #[error("the file of certificate {fingerprint} holds other bytes")]
    BadCertificate {
        /// Its name.
        fingerprint: Fingerprint,
    },
    /// The bytes are not those that were received.
    #[error("it does not have the hash that it was kept under")]
    BadHash,
    /// A certificate's file is gone.
    #[error("certificate {fingerprint} is missing")]
    MissingCertificate {
        /// Its name.
        fingerprint: Fingerprint,
    },
    /// The line does not begin with a hash.
    #[error("its line does not begin with a hash")]
    NoHash,
    /// The bytes are those received, but this version does not read them.
    #[error("it cannot be read as a measurement: {0}")]
    NotMeasurement(WireError),
    /// Longer than any record that is kept.
    #[error("it is longer than any record")]
    TooLong,
}
