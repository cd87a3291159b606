//! Why an archive could not be judged.

use kua::surroundings::StoredError;
use kua_archive::ArchiveError;
use kua_archive::tables::TableError;

/// Why an archive could not be judged, or its judgements not be counted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JudgingError {
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The tables change faster than they are read.
    #[error("the archive was changed again and again while it was judged")]
    Moving,
    /// A file of judgements.
    #[error("judgements in {path} cannot be read")]
    Table {
        /// The file.
        path: String,
        /// Why.
        source: TableError,
    },
    /// Rows that could not be made.
    #[error("judgements cannot be made into a table")]
    Rows(#[from] TableError),
    /// What was seen could not be stored.
    #[error("what was seen cannot be stored")]
    Stored(#[from] StoredError),
    /// An answer without a column that was asked for, or with another kind of it.
    #[error("the query's answer has no column {column} that can be read")]
    Column {
        /// The column.
        column: &'static str,
    },
    /// A query.
    #[error("judgements cannot be grouped")]
    Query(#[from] kua_query::QueryError),
    /// A shape that no list names.
    #[error("judgements of version {version} count by a shape that is not written down")]
    Shape {
        /// The version.
        version: String,
    },
    /// Whatever a visitor gave.
    #[error(transparent)]
    Visit(Box<dyn std::error::Error + Send + Sync>),
}
