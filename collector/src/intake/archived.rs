//! The archive's writer, as the intake uses it.

use std::error::Error;
use std::io;

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

    fn settle(&mut self) -> Result<bool, KeepError> {
        Ok(false)
    }
}

impl From<ArchiveError> for KeepError {
    fn from(error: ArchiveError) -> Self {
        if matches!(error, ArchiveError::NotARecord { .. }) {
            return Self::NotARecord;
        }
        let full = is_full(&error);
        let reason = reason(&error);
        if full { Self::Full { reason } } else { Self::Failed { reason } }
    }
}

/// Whether there is no room left, however deep in the error that is said.
fn is_full(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
            return true;
        }
        cause = error.source();
    }
    false
}
