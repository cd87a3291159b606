//! What is made of records for any Parquet engine: made again from `raw/` where it is lost.

pub mod certificates;
pub mod handshakes;
pub mod judgements;
mod parquet;
pub mod partition;

pub use self::parquet::TableError;
pub(crate) use self::parquet::count;
