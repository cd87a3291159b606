//! A reference file that was read, for reports and people.

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use serde::Serialize;
use time::Date;

use super::File;

/// A reference file that was read, for reports to name.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// Path below its reference directory.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The date that it states, where it does.
    pub date: Option<String>,
    /// What it holds, for people; reports name files by path and hash.
    #[serde(skip)]
    pub holds: Holds,
}

/// What a reference file holds.
#[derive(Clone, Debug)]
pub struct Holds {
    /// In a few words.
    pub what: String,
    /// How many; of a root program, how many it holds on its newest known day.
    pub count: usize,
    /// Of what, such as `roots`.
    pub of: &'static str,
    /// Since when a root program's history is known.
    pub known_since: Option<Date>,
}

impl Source {
    pub(super) fn new(file: &File, date: Option<String>, holds: Holds) -> Self {
        let sha256 = HEXLOWER.encode(digest::digest(&digest::SHA256, &file.bytes).as_ref());
        Self { path: file.path.clone(), sha256, date, holds }
    }
}

impl Holds {
    pub(super) fn new(what: impl Into<String>, count: usize, of: &'static str) -> Self {
        Self { what: what.into(), count, of, known_since: None }
    }
}

/// Adds what was read, and says how much it was.
pub(super) fn extend<T>(
    known: &mut impl Extend<T>,
    read: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
) -> usize {
    let read = read.into_iter();
    let count = read.len();
    known.extend(read);
    count
}
