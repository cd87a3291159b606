//! What can go wrong in the lab.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the lab did not start, or why one of its boxes gave a connection up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A listener could not be bound to loopback.
    #[error("bind a listener to loopback")]
    Bind(#[source] io::Error),
    /// A name that TLS cannot ask for.
    #[error("{name:?} is not a host name")]
    BadName {
        /// What was asked for.
        name: String,
    },
    /// The next hop did not take the connection.
    #[error("connect to {address}")]
    Connect {
        /// The next hop.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A TLS handshake failed, on either side of a box.
    #[error("shake hands")]
    Handshake(#[source] io::Error),
    /// The visitor's first bytes could not be read.
    #[error("read a ClientHello")]
    Hello(#[from] crate::hello::HelloError),
    /// The origin's certificate does not parse, so that it cannot be imitated.
    #[error("read the origin's certificate")]
    Origin(#[source] x509_parser::error::X509Error),
    /// A box's own thread died.
    #[error("make keys")]
    Keys(#[source] tokio::task::JoinError),
    /// A connection broke after its first bytes.
    #[error("pass bytes on")]
    Splice(#[source] io::Error),
    /// A step took longer than its bound.
    #[error("{step} in time")]
    TimedOut {
        /// What was attempted.
        step: &'static str,
    },
    /// rustls refused a chain, a key or a configuration.
    #[error("set up TLS")]
    Tls(#[from] rustls::Error),
    /// A file could not be written.
    #[error("write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
