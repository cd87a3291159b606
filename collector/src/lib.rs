//! Keeps: reads measurements from files, and keeps them in an archive byte for byte.
//!
//! Nothing here judges while it keeps: judgements are made again from the archive, as often as
//! detectors and reference data get better.

pub mod import;
pub mod intake;
pub mod judging;
pub mod scope;
pub mod trouble;
