//! Errors of archives and files as a person reads them, with what helps.

use kua_archive::ArchiveError;
use kua_console::Trouble;

use crate::import::ReadError;
use crate::intake::IntakeError;
use crate::judging::JudgingError;

/// An archive's error, for `map_err`.
pub fn of_archive(error: ArchiveError) -> Trouble {
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

impl From<JudgingError> for Trouble {
    fn from(error: JudgingError) -> Self {
        match error {
            JudgingError::Archive(error) => of_archive(error),
            JudgingError::Visit(error) => Self::new("cannot write judgements").because(error),
            error => Self::new("cannot judge the archive").because(error),
        }
    }
}

/// Why a scan ended early: the archive, or whoever was handed its records.
#[derive(Debug)]
pub enum Ended {
    /// The archive could not be read.
    Archive(ArchiveError),
    /// Something else went wrong.
    Trouble(Trouble),
}

impl From<ArchiveError> for Ended {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl From<Trouble> for Ended {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<Ended> for Trouble {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Archive(error) => of_archive(error),
            Ended::Trouble(trouble) => trouble,
        }
    }
}
