//! The archive's writer, as the intake uses it.

use kua::intake::Record;
use kua_archive::{ArchiveError, Kept, Receipt, RecordHash, Writer};

use super::keeping::{Keep, KeepError};
use crate::import::reason;

impl Keep for Writer {
    fn keep(&mut self, record: &Record, receipt: &Receipt) -> Result<(Kept, u64), KeepError> {
        let kept = self.keep(&record.raw, &record.measurement, Some(receipt.clone()))?;
        let place = self.place_of(RecordHash::of(&record.raw))?;
        let lost = || KeepError::Failed { reason: "a record that was kept has no place".into() };
        Ok((kept, place.ok_or_else(lost)?))
    }

    fn commit(&mut self) -> Result<(), KeepError> {
        self.commit().map(|_| ()).map_err(KeepError::from)
    }
}

impl From<ArchiveError> for KeepError {
    fn from(error: ArchiveError) -> Self {
        if matches!(error, ArchiveError::NotARecord { .. }) {
            return Self::NotARecord;
        }
        let reason = reason(&error);
        if error.is_full() { Self::Full { reason } } else { Self::Failed { reason } }
    }
}
