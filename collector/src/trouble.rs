//! An archive's errors as a person reads them, with what helps.

use kua_console::Trouble;

use crate::archive::ArchiveError;
use crate::import::ReadError;
use crate::intake::IntakeError;

impl From<ArchiveError> for Trouble {
    fn from(error: ArchiveError) -> Self {
        let hint = match &error {
            ArchiveError::Absent { .. } => {
                "kua-collector import --archive DIR FILE... makes one; DIR holds archive.toml"
            }
            ArchiveError::Busy { .. } => "wait until it ends; reading needs no waiting",
            ArchiveError::Format { .. } => "a newer version of Kua may have written it",
            ArchiveError::Occupied { .. } => "name a directory that is empty or does not exist",
            _ => return Self::new("cannot use the archive").because(error),
        };
        Self::new("cannot use the archive").because(error).hint(hint)
    }
}

impl From<IntakeError> for Trouble {
    fn from(error: IntakeError) -> Self {
        Self::new("cannot serve").because(error)
    }
}

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Self {
        Self::new(error.to_string()).because(error.source)
    }
}
