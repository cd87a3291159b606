//! What can be wrong with a report.

/// Why a report was refused. What is refused changes nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A row that contradicts itself or lacks what it needs.
    #[error("row {row}: {reason}")]
    BadRow {
        /// Which row or record, from 1, without the header.
        row: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A signature that is missing, or not of the key that signs these reports.
    #[error("its signature is not one of {signer}")]
    BadSignature {
        /// Whose it should be.
        signer: &'static str,
    },
    /// Bytes that are cut or broken.
    #[error("it is cut or damaged: {reason}")]
    Damaged {
        /// What is wrong with it.
        reason: String,
    },
    /// A report without what it is for.
    #[error("it holds no {what}")]
    Empty {
        /// What was looked for.
        what: &'static str,
    },
    /// A table without a column that is needed.
    #[error("it has no column {column:?}")]
    NoColumn {
        /// The column's name.
        column: String,
    },
    /// Not comma-separated values.
    #[error("it is not a table of comma-separated values")]
    NotCsv(#[from] csv::Error),
    /// Not JSON, or not the JSON that is expected there.
    #[error("it is not the JSON that is expected")]
    NotJson(#[from] serde_json::Error),
    /// Not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText(#[source] std::str::Utf8Error),
    /// Above the limit.
    #[error("it has {length} bytes, more than {limit}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The most that is read.
        limit: usize,
    },
}
