//! The intake: takes records from clients of OONI's protocol and from `kua`, and answers once they
//! are durable.
//!
//! ```text
//! accept -> read, within bounds -> unpack -> check, scrub -> queue -> one writer: keep, commit
//!                                                              answer <- after the commit
//! ```
//!
//! Nothing waits without a bound: what does not fit in memory or in the queue is told to come again
//! (429). The sender's address lives in memory while its request is answered, and is written
//! nowhere: not to the archive, not to a log, not to metrics.

mod archived;
mod ask;
mod body;
mod client;
mod connections;
mod desk;
mod error;
mod geo;
mod keeping;
mod limits;
mod log;
mod metrics;
mod reply;
mod routes;
mod seen;
mod submit;
mod tidy;
mod tls;
mod unpack;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use connections::{Serving, serve};
pub use desk::OnCommit;
pub use error::IntakeError;
pub use geo::Geo;
pub use keeping::{Committed, Keep, KeepError};
pub use limits::Limits;
pub use log::{Ledger, LogOptions};
pub use tidy::Settle;
pub use tls::Certificate;

use std::net::IpAddr;
use std::sync::Arc;

/// What is served, for programs: OpenAPI 3.1.
pub const OPENAPI: &str = include_str!("openapi.json");

/// How an intake is set up.
#[derive(Debug, Default)]
pub struct Options {
    /// Databases by which senders are located; none: nobody is.
    pub geo: Geo,
    /// Proxies whose `X-Forwarded-For` is believed. Where there are any, clients come by them only.
    pub proxies: Vec<IpAddr>,
    /// Keeps records that state no country or no network, which OONI's collector drops.
    pub unknown_origin: bool,
    /// The transparency log that records go into; without one nobody gets a receipt.
    pub ledger: Option<Arc<Ledger>>,
    /// What it bears.
    pub limits: Limits,
}
