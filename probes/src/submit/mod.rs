//! Sends records to a collector: kept on disk first, tried for as long as it takes, removed once they are
//! acknowledged.

pub mod answer;
mod client;
mod directory;
mod log;
pub mod pace;
mod round;
mod signer;
mod spool;
mod state;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

pub use client::{ClientError, Collector};
pub use log::LogError;
pub use round::{Outcome, Patience, Refused, send};
pub use signer::Signer;
pub use spool::{MAX_SPOOL, Spool, SpoolError, Submission, key_directory, spool_directory};
