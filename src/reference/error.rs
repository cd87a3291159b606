//! What can be wrong with reference data.

use super::MAX_FILE;

/// Why reference data could not be used. There is no verdict without reference data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// A root that cannot be a trust anchor.
    #[error("{path}: root {index} is not a usable trust anchor: {reason}")]
    BadAnchor {
        /// The file.
        path: String,
        /// Position in the file, from 0.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A list of blocked certificates and keys that contradicts itself or lacks what it needs.
    #[error("{path}: {reason}")]
    BadBlockList {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Rules of browsers that contradict each other or lack what they need.
    #[error("{path}: {reason}")]
    BadBrowsers {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A dossier that contradicts itself or lacks what it needs.
    #[error("{path}: {reason}")]
    BadDossier {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A program's history that contradicts itself or names a root that is not there.
    #[error("{path}: {reason}")]
    BadHistory {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A list of logs or a policy that contradicts itself or lacks what it needs.
    #[error("{path}: {reason}")]
    BadLogs {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A listed key that is none, or that is not what the file says of it.
    #[error("{path}: key {index} ({subject}): {reason}")]
    BadKey {
        /// The file.
        path: String,
        /// Position in its list, from 0.
        index: usize,
        /// Its subject.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A line of a table.
    #[error("{path}: line {line} is not `asn,operator,country`")]
    BadOwner {
        /// The file.
        path: String,
        /// Line number, from 1.
        line: usize,
    },
    /// A pattern of a product.
    #[error("{path}: the pattern of {product:?} is not a regular expression")]
    BadPattern {
        /// The file.
        path: String,
        /// The product's name.
        product: String,
        /// What the regex parser said.
        source: regex_lite::Error,
    },
    /// A key of a captive portal.
    #[error("{path}: {text:?} is not a SHA-256 in base64")]
    BadPortal {
        /// The file.
        path: String,
        /// What stands there.
        text: String,
    },
    /// A row of the roots' owners.
    #[error("{path}: {reason}")]
    BadRootOwner {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A header or a comment of a store.
    #[error("{path}: line {line}: {reason}")]
    BadStore {
        /// The file.
        path: String,
        /// Line number, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// No root program among the files.
    #[error("no root program in the reference data (stores/<program>.pem or .toml)")]
    NoStore,
    /// Not UTF-8.
    #[error("{path} is not UTF-8 text")]
    NotText {
        /// The file.
        path: String,
        /// Where it is not.
        source: std::str::Utf8Error,
    },
    /// Not TOML, or not the TOML that is expected there.
    #[error("{path} is not understood")]
    NotToml {
        /// The file.
        path: String,
        /// What the TOML parser said.
        source: toml::de::Error,
    },
    /// Above [`MAX_FILE`].
    #[error("{path} has {length} bytes, more than {MAX_FILE}")]
    TooLong {
        /// The file.
        path: String,
        /// Its length in bytes.
        length: usize,
    },
    /// Two dossiers of one id.
    #[error("{path}: a dossier {id:?} was already read")]
    TwoDossiers {
        /// The second file.
        path: String,
        /// The id.
        id: String,
    },
}
