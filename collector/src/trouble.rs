//! An archive's errors as a person reads them, with what helps.

use kua_console::Trouble;

use crate::archive::ArchiveError;
use crate::import::ReadError;
use crate::judging::JudgingError;

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

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Self {
        Self::new(error.to_string()).because(error.source)
    }
}

impl From<JudgingError> for Trouble {
    fn from(error: JudgingError) -> Self {
        match error {
            JudgingError::Archive(error) => of_archive(error),
            JudgingError::Visit(error) => Self::new("cannot write judgements").because(error),
            error => Self::new("cannot judge the archive").because(error),
        }
    }
}

/// An archive's error, for `map_err`.
pub fn of_archive(error: kua_archive::ArchiveError) -> Trouble {
    use kua_archive::ArchiveError;
    let hint = match &error {
        ArchiveError::Absent { .. } => {
            "kua-collector import --archive DIR FILE... makes one; DIR holds archive.json"
        }
        ArchiveError::Busy { .. } => "wait until it ends; reading needs no waiting",
        ArchiveError::Format { .. } => "another version of Kua may have written it",
        ArchiveError::Occupied { .. } => "name a directory that is empty or does not exist",
        _ => return Trouble::new("cannot use the archive").because(error),
    };
    Trouble::new("cannot use the archive").because(error).hint(hint)
}
