//! What a collector asks of a submission before it keeps the record: OONI's checks, bounds that no
//! honest record meets, and the sender's address taken out.
//!
//! The record is the measurement object as it was sent: a slice of the body where the body holds
//! an object, the string's text where it holds a string; never written anew.

mod content;
mod marker;
mod meta;
mod report_id;
mod scrub;
mod sender;
mod shape;

#[cfg(test)]
mod tests;

use crate::chain::{Chain, Fingerprint};
use crate::measurement::Measurement;
use crate::wire::{WireError, from_line};

pub use content::content;
pub use meta::{Meta, same_origin};
pub use report_id::ReportId;
pub use sender::Sender;

/// What one record may hold. Records of honest programs stay far below.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Deepest nesting.
    pub depth: usize,
    /// Most values: members, elements, and their containers.
    pub values: usize,
    /// Most handshakes.
    pub handshakes: usize,
    /// Most certificates of all handshakes.
    pub certificates: usize,
}

/// OONI's largest records nest 15 deep and hold 15,000 values.
pub const BOUNDS: Bounds =
    Bounds { depth: 64, values: 300_000, handshakes: 2_000, certificates: 10_000 };

/// A record that may be kept.
#[derive(Clone, Debug)]
pub struct Record {
    /// What is kept.
    pub raw: Vec<u8>,
    /// What it says.
    pub measurement: Measurement,
    /// What it says of itself, as text.
    pub meta: Meta,
    /// SHA-256 of `raw`.
    pub hash: Fingerprint,
    /// The sender's address was taken out: `raw` is not what was sent.
    pub scrubbed: bool,
}

impl Record {
    /// The name a collector gives it, in the form of OONI's: when the measurement began, country,
    /// test, and the beginning of the hash. The same record has the same name, whenever it comes.
    pub fn uid(&self) -> String {
        let hash = self.hash.to_string();
        let (began, country, test) =
            (self.meta.began(), &self.meta.country, self.meta.test.replace('_', ""));
        format!("{}.000000_{country}_{test}_{}", began.replace(['T', 'Z'], ""), &hash[..16])
    }
}

/// Checks a record that [`content`] found, and takes the address of its sender out.
///
/// # Errors
/// A [`IntakeError`] that says what is wrong with it.
pub fn examine(
    content: &[u8],
    sender: Option<&Sender>,
    bounds: &Bounds,
) -> Result<Record, IntakeError> {
    shape::within(content, bounds)?;
    let meta = Meta::read(content)?;
    meta.check()?;
    let measurement = read(content, bounds)?;
    let text = str::from_utf8(content).map_err(|_| IntakeError::NotText)?;
    let chains = measurement.handshakes.iter().filter_map(|shaken| shaken.chain.as_ref());
    let certificates = chains.flat_map(Chain::certificates);
    let scrubbed = sender.and_then(|sender| scrub::scrub(text, sender, certificates));
    match scrubbed {
        None => Ok(Record {
            hash: Fingerprint::of(content),
            raw: content.to_vec(),
            measurement,
            meta,
            scrubbed: false,
        }),
        Some(raw) => {
            let meta = Meta::read(&raw)?;
            meta.check()?;
            let measurement = read(&raw, bounds)?;
            Ok(Record { hash: Fingerprint::of(&raw), raw, measurement, meta, scrubbed: true })
        }
    }
}

fn read(record: &[u8], bounds: &Bounds) -> Result<Measurement, IntakeError> {
    let measurement = from_line(record)?;
    let handshakes = measurement.handshakes.len();
    if handshakes > bounds.handshakes {
        return Err(IntakeError::TooMany { what: "handshakes", limit: bounds.handshakes });
    }
    let chains = measurement.handshakes.iter().filter_map(|shaken| shaken.chain.as_ref());
    let certificates: usize = chains.map(|chain| chain.certificates().len()).sum();
    if certificates > bounds.certificates {
        return Err(IntakeError::TooMany { what: "certificates", limit: bounds.certificates });
    }
    Ok(measurement)
}

/// Why a submission is not kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// The body is not `{"format": "json", "content": ...}`.
    #[error("incorrect format: {reason}")]
    Format {
        /// What is wrong with it.
        reason: String,
    },
    /// What the record says of itself is not in OONI's form.
    #[error("incorrect format: {field} is {value:?}")]
    Meta {
        /// The record's field.
        field: &'static str,
        /// What it holds, at most 40 characters.
        value: String,
    },
    /// A report's name and a record of it say different things.
    #[error("inconsistent measurement: {field} differs from the report's")]
    Inconsistent {
        /// The record's field.
        field: &'static str,
    },
    /// Not UTF-8.
    #[error("incorrect format: not UTF-8")]
    NotText,
    /// Nested deeper than [`Bounds::depth`].
    #[error("nested deeper than {limit}")]
    TooDeep {
        /// The bound.
        limit: usize,
    },
    /// More of something than [`Bounds`] allow.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// The record cannot be read, and so could not be judged.
    #[error(transparent)]
    Record(#[from] WireError),
}

impl IntakeError {
    /// One word for counting.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Format { .. } | Self::NotText => "format",
            Self::Meta { .. } => "meta",
            Self::Inconsistent { .. } => "inconsistent",
            Self::TooDeep { .. } => "depth",
            Self::TooMany { .. } => "count",
            Self::Record(_) => "record",
        }
    }
}
