//! Why a file of reference data could not be refreshed.

use crate::read::ReadError;
use crate::reports::ReportError;

/// Why a file could not be refreshed; it stays as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// A report that nobody has.
    #[error("{file} is missing")]
    Absent {
        /// The report.
        file: &'static str,
    },
    /// What was known before is not understood.
    #[error("what was known before is not understood")]
    BadPrevious(#[from] ReadError),
    /// A report that is refused.
    #[error("{file} is refused")]
    BadReport {
        /// The report.
        file: &'static str,
        /// What is wrong with it.
        source: ReportError,
    },
    /// A report that takes away more than programs ever did at once.
    #[error("of {known} {what} known before, the report has only {kept}")]
    Implausible {
        /// Of what.
        what: &'static str,
        /// How many were known.
        known: usize,
        /// How many of them the report has.
        kept: usize,
    },
    /// A root whose certificate is in no report.
    #[error("no report holds the certificate of {count} of its roots, the first of them {first}")]
    NoCertificate {
        /// How many.
        count: usize,
        /// SHA-256 of the first, hexadecimal.
        first: String,
    },
    /// A report of an earlier state than the known one.
    #[error("the report is of {found}, older than what is known, of {known}")]
    Older {
        /// The known day or number.
        known: String,
        /// The report's day or number.
        found: String,
    },
}
