//! Why an intake could not begin.

use std::io;
use std::path::PathBuf;

/// Why an intake could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// A database of addresses cannot be read.
    #[error("{file} is no database of addresses", file = file.display())]
    Geo {
        /// The file.
        file: PathBuf,
        /// What the reader said.
        source: maxminddb::MaxMindDbError,
    },
    /// The system refused.
    #[error("cannot {doing}")]
    Io {
        /// What.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// No certificate, or no key, in a PEM file.
    #[error("{file} holds no {what} in PEM", file = file.display())]
    Pem {
        /// The file.
        file: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// The writer's thread ended before its time; what it had acknowledged lasts.
    #[error("the writer ended before its time")]
    Writer,
    /// Certificate and key cannot serve TLS.
    #[error("certificate and key cannot serve TLS")]
    Tls(#[from] rustls::Error),
}

impl IntakeError {
    /// For `map_err`.
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
