//! The name of a segment: the batches that it holds.

use std::fmt;
use std::str::FromStr;

use crate::tables::partition::Partition;

/// Which batches a segment holds: from `first` to `last`, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentName {
    first: u64,
    last: u64,
}

impl SegmentName {
    /// The largest number that twelve digits hold.
    const MOST: u64 = 999_999_999_999;

    /// The batches from `first` to `last`; `None` where they are no run of batches.
    pub fn new(first: u64, last: u64) -> Option<Self> {
        (1 <= first && first <= last && last <= Self::MOST).then_some(Self { first, last })
    }

    /// One batch.
    pub fn of_batch(batch: u64) -> Option<Self> {
        Self::new(batch, batch)
    }

    /// Its first batch.
    pub fn first(self) -> u64 {
        self.first
    }

    /// Its last batch.
    pub fn last(self) -> u64 {
        self.last
    }

    /// Whether it holds this batch.
    pub fn covers(self, batch: u64) -> bool {
        (self.first..=self.last).contains(&batch)
    }

    /// Where its records are.
    pub fn raw(self) -> String {
        format!("raw/{self}.zst")
    }

    /// Where its inventory is.
    pub fn inventory(self) -> String {
        format!("raw/{self}.json")
    }

    /// Where its certificates are.
    pub fn certificates(self) -> String {
        format!("certificates/{self}.parquet")
    }

    /// Where its handshakes of a partition are.
    pub fn handshakes(self, partition: Partition) -> String {
        format!("handshakes/{partition}/{self}.parquet")
    }

    /// The partition of a table of handshakes.
    pub fn partition_of(path: &str) -> Option<Partition> {
        path.strip_prefix("handshakes/")?.rsplit_once('/')?.0.parse().ok()
    }

    /// The name that a file has before its ending: `raw/<name>.zst` and the like.
    pub fn of_file(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?;
        name.split('.').next()?.parse().ok()
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}-{:012}", self.first, self.last)
    }
}

/// A text that names no segment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} names no segment")]
pub struct NotASegmentName {
    text: String,
}

impl FromStr for SegmentName {
    type Err = NotASegmentName;

    fn from_str(text: &str) -> Result<Self, NotASegmentName> {
        let read = || {
            let (first, last) = text.split_once('-')?;
            Self::new(batch(first)?, batch(last)?)
        };
        read().ok_or_else(|| NotASegmentName { text: text.into() })
    }
}

/// Twelve digits, and nothing that `parse` would also take.
pub(crate) fn batch(digits: &str) -> Option<u64> {
    let all = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let name = SegmentName::new(1, 100).unwrap();
        assert_eq!(name.to_string(), "000000000001-000000000100");
        assert_eq!(name.to_string().parse(), Ok(name));
        assert_eq!(SegmentName::of_file(&name.raw()), Some(name));
        assert_eq!(SegmentName::of_file("handshakes/day=unknown/cc=ZZ/x.parquet"), None);
        for other in [
            "",
            "1-1",
            "000000000000-000000000001",
            "000000000002-000000000001",
            "+00000000001-000000000001",
            "000000000001-000000000001x",
            "000000000001-000000000001-000000000001",
        ] {
            assert!(other.parse::<SegmentName>().is_err(), "{other}");
        }
    }
}
