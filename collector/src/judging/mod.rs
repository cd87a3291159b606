//! Judging an archive: each record once for a version of rules and reference data, and again only
//! where it is told something else of what was seen beside it.
//!
//! What was seen in the records of settled segments is stored in parts that add up. A hash over what
//! a segment's records are told of the whole stands beside their stored judgements: while it stays
//! the same, they do. What is not settled is judged each time, and so is everything where nothing
//! can be written.

mod around;
mod diff;
mod each;
mod error;
mod examples;
mod grouped;
mod judge;
mod memo;
mod parallel;
mod records;
mod setting;
mod shelf;
mod tally;

pub use diff::{Asserted, Causes, Change, Difference, Place};
pub use each::Damaged;
pub use error::JudgingError;
pub use grouped::questions;
pub use judge::{Judging, Options, Progress};
pub use setting::Setting;
pub use tally::{Counted, Grouping, account};
