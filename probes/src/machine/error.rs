//! Why a store could not be read.

use std::io;

/// Why a store could not be read. The store's path is the caller's to say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It ends in the middle of an entry.
    #[error("it is cut: it ends in the middle of an entry")]
    Cut,
    /// What it says of itself does not fit its bytes, or nobody knows its password.
    #[error(
        "its integrity hash does not fit: it is damaged, or its password is not one of those that trust stores have"
    )]
    Integrity,
    /// It has the form of no store that is known.
    #[error(
        "it is no store that can be read: neither PEM nor DER, no NSS database, no Java keystore, no PKCS#12"
    )]
    NoStore,
    /// An NSS database that cannot be read.
    #[error("the NSS database cannot be read")]
    Nss(#[source] rusqlite::Error),
    /// An NSS database without the table of certificates.
    #[error("it is an SQLite database and holds no certificates of NSS")]
    NotNss,
    /// An NSS database in the format from before 2018.
    #[error(
        "it is an NSS database of the old kind (cert8.db), which programs stopped using in 2018"
    )]
    OldNss,
    /// A program that lists a system's store ended badly.
    #[error("{program} failed: {said}")]
    Program {
        /// The program.
        program: String,
        /// What it said.
        said: String,
    },
    /// A PEM block that is broken.
    #[error("certificate {number} of the file is broken: {reason}")]
    Pem {
        /// Counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A PKCS#12 file that cannot be read.
    #[error("the PKCS#12 file cannot be read: {reason}")]
    Pkcs12 {
        /// What the reader said.
        reason: String,
    },
    /// More files or certificates than [`MAX_CERTIFICATES`](super::MAX_CERTIFICATES).
    #[error("it holds more than {} files or certificates", super::MAX_CERTIFICATES)]
    TooMany,
    /// Longer than [`MAX_STORE`](super::MAX_STORE).
    #[error("it is longer than {} bytes", super::MAX_STORE)]
    TooLong,
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Unreadable(#[source] io::Error),
    /// An entry of a kind that is not read.
    #[error("it holds an entry of a kind that is not read ({kind})")]
    UnknownEntry {
        /// The number of the kind.
        kind: u32,
    },
}
