//! Records of every format to measurements, and Kua's own format both ways: OONI base data format
//! 0.2.0 with df-002, df-005, df-006 and df-008; what OONI has no field for sits under `x_kua`.

mod atlas;
mod certificates;
mod code_points;
mod hyperquack;
mod node;
mod ooni;
mod outcome;
mod pem;
mod write;

#[cfg(test)]
mod tests;

use crate::measurement::Measurement;
use certificates::Certificates;
use node::Node;

/// Longest record line that is read, in bytes.
pub const MAX_RECORD: usize = 64 * 1024 * 1024;

/// A format of records: one JSON object each.
#[derive(Debug)]
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// How a file that is no JSON becomes one record; `None` where there are no such files.
    pub text: Option<&'static Text>,
    /// Whether an object has its shape.
    fits: fn(&Node<'_>) -> bool,
    /// Reads what has its shape.
    read: fn(&Node<'_>, &mut Certificates) -> Result<Measurement, WireError>,
}

/// Files of text that are one record each.
#[derive(Debug)]
pub struct Text {
    /// What stands in such a file.
    pub sign: &'static str,
    /// The record that is kept of it.
    pub to_record: fn(&[u8]) -> Result<Vec<u8>, WireError>,
}

/// Every format. No object has the shape of two: the first that fits is the one.
pub static FORMATS: &[&Format] =
    &[&ooni::FORMAT, &hyperquack::FORMAT, &atlas::FORMAT, &pem::FORMAT];

/// Reads records, and remembers certificates that come again and again.
#[derive(Debug)]
pub struct Reader {
    formats: Vec<&'static Format>,
    certificates: Certificates,
}

impl Reader {
    /// For records of `formats`.
    pub fn new(formats: &[&'static Format]) -> Self {
        Self { formats: formats.to_vec(), certificates: Certificates::remembering() }
    }

    /// For records of any format: the shape of each tells which it is.
    pub fn of_any_format() -> Self {
        Self::new(FORMATS)
    }

    /// Reads one record.
    ///
    /// # Errors
    /// As [`from_record`].
    pub fn read(&mut self, record: &[u8]) -> Result<Measurement, WireError> {
        read(record, &self.formats, &mut self.certificates)
    }
}

/// Reads one record of any format; its shape tells which.
///
/// Every field may be null, missing, unknown or of another type: what cannot be read is treated
/// as missing. Handshakes are found wherever the format's programs put them.
///
/// # Errors
/// A [`WireError`] for bytes that are no record at all, or whose certificates are not
/// certificates: such a record is set aside whole rather than kept in part.
pub fn from_record(record: &[u8]) -> Result<Measurement, WireError> {
    read(record, FORMATS, &mut Certificates::forgetting())
}

/// Reads one record line of OONI's format, which is also Kua's own.
///
/// # Errors
/// As [`from_record`].
pub fn from_line(line: &[u8]) -> Result<Measurement, WireError> {
    read(line, &[&ooni::FORMAT], &mut Certificates::forgetting())
}

fn read(
    record: &[u8],
    formats: &[&'static Format],
    certificates: &mut Certificates,
) -> Result<Measurement, WireError> {
    if record.len() > MAX_RECORD {
        return Err(WireError::TooLong { length: record.len() });
    }
    let node = Node::read(record)?;
    match formats.iter().find(|format| (format.fits)(&node)) {
        Some(format) => (format.read)(&node, certificates),
        None if formats.iter().all(|format| format.name == ooni::FORMAT.name) => {
            Err(WireError::NotMeasurement)
        }
        None => {
            let other = FORMATS.iter().find(|format| (format.fits)(&node));
            Err(WireError::NoFormat {
                allowed: formats.iter().map(|format| format.name).collect(),
                other: other.map(|format| format.name),
            })
        }
    }
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
    /// JSON, but of no format that was allowed.
    #[error(
        "not a record of {}{}", allowed.join(" or "),
        other.map_or_else(String::new, |other| format!(", but of {other}"))
    )]
    NoFormat {
        /// The formats that were allowed.
        allowed: Vec<&'static str>,
        /// The format that it has.
        other: Option<&'static str>,
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
