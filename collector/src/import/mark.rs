//! How far a file was imported: a hint that saves time, never a reason to leave something out
//! that an archive does not have.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// How much of a file's beginning tells it from another.
const BEGINNING: u64 = 64 * 1024;

/// A place in a file at which reading may begin: the start of a line, or of a member of a tar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// In unpacked bytes from the beginning.
    pub offset: u64,
    /// The number of the line that begins there, from 1.
    pub line: u64,
}

impl Mark {
    /// The beginning of a file.
    pub const BEGINNING: Self = Self { offset: 0, line: 1 };
}

/// What identifies a file, and how far it was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputState {
    /// Its path, absolute.
    pub path: PathBuf,
    /// Its length, packed as it is.
    pub size: u64,
    /// When it was changed, in nanoseconds since 1970.
    pub changed: u64,
    /// SHA-256 of its first 64 KiB.
    pub beginning: String,
    /// Where the last block began that an archive has.
    pub at: Mark,
    /// Records that were read before it.
    pub records: u64,
}

impl InputState {
    /// Of the file at `path`, from its beginning; `None` for what is no regular file.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        if path == Path::new("-") {
            return Ok(None);
        }
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let mut beginning = Vec::new();
        File::open(path)?.take(BEGINNING).read_to_end(&mut beginning)?;
        let hash = digest::digest(&digest::SHA256, &beginning);
        Ok(Some(Self {
            path: std::path::absolute(path)?,
            size: metadata.len(),
            changed: changed(&metadata),
            beginning: HEXLOWER.encode(hash.as_ref()),
            at: Mark::BEGINNING,
            records: 0,
        }))
    }

    /// Whether `other` is the same file with the same content, as far as can be told quickly.
    pub fn is_same_file(&self, other: &Self) -> bool {
        self.path == other.path
            && self.size == other.size
            && self.changed == other.changed
            && self.beginning == other.beginning
    }
}

fn changed(metadata: &Metadata) -> u64 {
    let modified = metadata.modified().ok();
    let since = modified.and_then(|modified| modified.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}
