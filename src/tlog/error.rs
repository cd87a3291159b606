//! Why something of a log is not what it should be.

/// Why something of a log is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlogError {
    /// A checkpoint of another log.
    #[error("the checkpoint is of the log {found:?}, not of {expected:?}")]
    AnotherLog {
        /// The log asked for.
        expected: String,
        /// The log that it names.
        found: String,
    },
    /// A signature by the known key that does not verify.
    #[error("a signature of {name} does not verify")]
    BadSignature {
        /// The key's name.
        name: String,
    },
    /// The tree at a later size does not begin with the tree at an earlier one.
    #[error("the log of {new} entries does not begin with the log of {old}")]
    Inconsistent {
        /// The earlier size.
        old: u64,
        /// The later size.
        new: u64,
    },
    /// Bytes that are not what they should be.
    #[error("not a {what}: {reason}")]
    Malformed {
        /// What they should be.
        what: &'static str,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A leaf that is not where it should be.
    #[error("entry {index} is not in the log of {size} entries")]
    NotIncluded {
        /// Its number, from 0.
        index: u64,
        /// The log's size.
        size: u64,
    },
    /// No signature by the known key.
    #[error("no signature of {name}")]
    NotSigned {
        /// The key's name.
        name: String,
    },
    /// A tile with fewer hashes than the tree has there.
    #[error("{path} has {found} hashes")]
    ShortTile {
        /// Where it lies.
        path: String,
        /// How many it has.
        found: usize,
    },
}

impl TlogError {
    pub(super) fn malformed(what: &'static str, reason: &'static str) -> Self {
        Self::Malformed { what, reason }
    }
}
