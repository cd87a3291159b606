//! SQL over an archive's tables, on one machine, within bounds of memory.
//!
//! A [`Session`] holds the [`Table`]s of one moment of an archive and answers one `SELECT` at a time with
//! batches of rows. What the tables are made of are plain values, so that a cluster can be told the same.

mod archive;
pub mod describe;
mod error;
mod limits;
pub mod print;
mod progress;
mod provider;
mod prune;
mod remote;
mod session;
mod statement;
mod table;

pub use archive::{TABLES, session, tables};
pub use error::QueryError;
pub use limits::Limits;
pub use progress::Progress;
pub use remote::Remote;
pub use session::{Answer, Next, Session, config};
pub use statement::plan;
pub use table::{Table, TableFile, register};
