//! What can go wrong with an archive: a failure of the whole, or damage to a part.

use std::io;

use kua::chain::Fingerprint;
use kua::wire::WireError;

use crate::RecordHash;
use crate::tables::TableError;

/// Why an archive could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// There is no archive.
    #[error("there is no archive in {place}")]
    Absent {
        /// The place.
        place: String,
    },
    /// There is a file of this name, and it is not replaced.
    #[error("{path} is there already")]
    AlreadyThere {
        /// The file.
        path: String,
    },
    /// A path leads out of the archive.
    #[error("{path} is no path in an archive")]
    BadPath {
        /// The path.
        path: String,
    },
    /// Another program writes to it.
    #[error("another program is writing to the archive in {place}{}", held_by(.holder.as_deref()))]
    Busy {
        /// The place.
        place: String,
        /// Who, where that is known.
        holder: Option<String>,
    },
    /// A file that all else hangs on is damaged.
    #[error("{path} is damaged")]
    Damaged {
        /// The file.
        path: String,
    },
    /// Its `archive.json` does not say format 2.
    #[error("{path} does not say \"format\":2")]
    Format {
        /// The file.
        path: String,
    },
    /// The index of what is known failed.
    #[error("the index in {path} failed")]
    Index {
        /// Where it is.
        path: String,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The system refused.
    #[error("cannot {doing} {path}")]
    Io {
        /// A verb.
        doing: &'static str,
        /// The file or directory.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// This writer's lease has ended, or another took it.
    #[error("this program no longer holds the archive in {place}")]
    LeaseLost {
        /// The place.
        place: String,
    },
    /// There is no file of this name.
    #[error("{path} is missing")]
    Missing {
        /// The file.
        path: String,
    },
    /// What was to be kept is no JSON text of a record's length.
    #[error("what is to be kept is no record: {length} bytes")]
    NotARecord {
        /// Its length in bytes.
        length: usize,
    },
    /// The place holds files, and they are no archive.
    #[error("{place} holds other files and no archive")]
    Occupied {
        /// The place.
        place: String,
    },
    /// The object store refused.
    #[error("cannot {doing} {path}")]
    Store {
        /// A verb.
        doing: &'static str,
        /// The object.
        path: String,
        /// What the store said.
        source: Box<object_store::Error>,
    },
    /// A table could not be made, or not be read.
    #[error("{path}: {source}")]
    Table {
        /// The file, or the kind of table.
        path: String,
        /// What is wrong with it.
        source: TableError,
    },
    /// A file is longer than any that is read.
    #[error("{path} is too long: {bytes} bytes")]
    TooLong {
        /// The file.
        path: String,
        /// Its length.
        bytes: u64,
    },
}

fn held_by(holder: Option<&str>) -> String {
    holder.map(|holder| format!(": {holder}")).unwrap_or_default()
}

impl ArchiveError {
    /// For `map_err`: what was being done, and to which path.
    pub(crate) fn io(
        doing: &'static str,
        path: impl std::fmt::Display,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_string();
        move |source| Self::Io { doing, path, source }
    }

    /// Whether there is no room left where the archive is.
    pub fn is_full(&self) -> bool {
        let kind = match self {
            Self::Io { source, .. } => source.kind(),
            Self::Index { source, .. } => match source.downcast_ref::<io::Error>() {
                Some(error) => error.kind(),
                None => return false,
            },
            _ => return false,
        };
        matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

/// Why a record that the archive holds cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// A certificate's bytes are others than its name says.
    #[error("{path}: certificate {fingerprint} has other bytes")]
    BadCertificate {
        /// The file that holds it.
        path: String,
        /// Its name.
        fingerprint: Fingerprint,
    },
    /// The bytes are not those that were received.
    #[error("it does not have the hash that it was kept under, {hash}")]
    BadHash {
        /// That hash.
        hash: RecordHash,
    },
    /// What stands between hash and record is no receipt.
    #[error("its receipt cannot be read")]
    BadReceipt,
    /// Reading broke off; what is behind may be whole.
    #[error("reading broke off: {error}")]
    BrokenOff {
        /// Why.
        error: Box<ArchiveError>,
    },
    /// The footer of a segment is damaged; its frames were found without it.
    #[error("{path}: the footer is damaged")]
    Footer {
        /// The segment.
        path: String,
    },
    /// A frame of a segment is damaged, and its records with it.
    #[error("{path}: the frame at byte {offset} is damaged{}", with_records(*.records))]
    Frame {
        /// The segment.
        path: String,
        /// Where the frame begins.
        offset: u64,
        /// How many records it held, where that is known.
        records: Option<u64>,
    },
    /// A certificate is nowhere.
    #[error("certificate {fingerprint} is missing")]
    MissingCertificate {
        /// Its name.
        fingerprint: Fingerprint,
    },
    /// A segment's file is gone, and its records with it.
    #[error("{path} is missing{}", with_records(*.records))]
    MissingSegment {
        /// The segment.
        path: String,
        /// How many records it held, where that is known.
        records: Option<u64>,
    },
    /// The line does not begin with a hash and a receipt.
    #[error("its line does not begin with a hash and a receipt")]
    NoHash,
    /// The bytes are those received, but this version does not read them.
    #[error("it cannot be read as a measurement: {0}")]
    NotMeasurement(WireError),
    /// Longer than any record that is kept.
    #[error("it is longer than any record")]
    TooLong,
    /// A file of certificates cannot be read.
    #[error("{path} is damaged")]
    UnreadableFile {
        /// The file.
        path: String,
    },
}

fn with_records(records: Option<u64>) -> String {
    records.map(|records| format!(", with its {records} records")).unwrap_or_default()
}

impl Damage {
    /// How many records are lost by it; at least one where it is not known.
    pub fn records(&self) -> u64 {
        match self {
            Self::Footer { .. } => 0,
            Self::Frame { records, .. } | Self::MissingSegment { records, .. } => {
                records.unwrap_or(1)
            }
            _ => 1,
        }
    }

    /// The file that is damaged, where the damage is not one record's alone.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::BadCertificate { path, .. }
            | Self::Footer { path }
            | Self::Frame { path, .. }
            | Self::MissingSegment { path, .. }
            | Self::UnreadableFile { path } => Some(path),
            _ => None,
        }
    }
}
