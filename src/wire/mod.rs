//! The measurement's record format, both ways: OONI base data format 0.2.0 with df-002, df-005,
//! df-006 and df-008; what OONI has no field for sits under `x_kua`.

mod read;
mod write;

#[cfg(test)]
mod tests;

use crate::measurement::Measurement;

/// Longest record line that is read, in bytes.
pub const MAX_RECORD: usize = 64 * 1024 * 1024;

/// Reads one record line.
///
/// Every field may be null, missing, unknown or of another type: what cannot be read is treated
/// as missing. Handshakes are found wherever OONI's tests put them.
///
/// # Errors
/// A [`WireError`] for a line that is no measurement at all, or whose certificates are not
/// certificates: such a line is set aside whole rather than kept in part.
pub fn from_line(line: &[u8]) -> Result<Measurement, WireError> {
    if line.len() > MAX_RECORD {
        return Err(WireError::TooLong { length: line.len() });
    }
    read::measurement(&serde_json::from_slice(line)?)
}

/// Writes one record line, without the line break. Probes' addresses are never part of it.
pub fn to_line(measurement: &Measurement) -> String {
    write::measurement(measurement).to_string()
}

/// Why a line is not a measurement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Bytes in a place for certificates that are none.
    #[error("certificate {index} of {server_name:?} is not a certificate: {reason}")]
    BadCertificate {
        /// The handshake's name.
        server_name: String,
        /// Position in the chain, from 0.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Not JSON.
    #[error("not JSON")]
    NotJson(#[from] serde_json::Error),
    /// JSON, but nothing that OONI's base data format knows.
    #[error("not a measurement: no test_keys, test_name or data_format_version")]
    NotMeasurement,
    /// Above [`MAX_RECORD`].
    #[error("line of {length} bytes is longer than {MAX_RECORD}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
}
