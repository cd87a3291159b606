//! A record as it comes out of the archive.

use kua::measurement::Measurement;

use crate::{Damage, Receipt, RecordHash};

/// One record, byte for byte as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The SHA-256 of [`Record::raw`].
    pub hash: RecordHash,
    /// How it came, where that was written down.
    pub receipt: Option<Receipt>,
    /// The bytes.
    pub raw: Vec<u8>,
}

impl Record {
    /// What it says. A measurement that has no name yet has the name that the collector gave it.
    ///
    /// # Errors
    /// [`Damage::NotMeasurement`] where this version does not read it.
    pub fn measurement(&self) -> Result<Measurement, Damage> {
        crate::scan::measurement(self)
    }
}
