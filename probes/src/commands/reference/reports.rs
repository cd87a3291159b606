//! Where reports come from: their publishers, or a directory of files that somebody downloaded.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::PathBuf;

use kua_certs::refresh::{CERTIFICATES_OF_A_YEAR, REFRESHABLE};
use kua_certs::reports::MAX_REPORT;
use kua_console::{Moment, Trouble};
use kua_probes::download::Downloader;
use time::{Date, OffsetDateTime};

/// Where reports come from.
pub(super) enum Reports {
    /// Their publishers, asked on this day.
    Published(Downloader, Date),
    /// Files of a directory.
    Downloaded(PathBuf),
}

/// A report at hand.
pub(super) struct Report {
    pub(super) bytes: Vec<u8>,
    /// The day on which it was the newest.
    pub(super) day: Date,
}

/// Why a report is not at hand.
pub(super) enum Missing {
    /// Nobody put it into the directory.
    NotThere,
    /// It could not be had.
    Failed(Trouble),
}

impl Reports {
    pub(super) fn new(from: Option<PathBuf>, now: Moment) -> Self {
        match from {
            Some(dir) => Self::Downloaded(dir),
            None => Self::Published(Downloader::new(MAX_REPORT), now.date()),
        }
    }

    /// The hosts that are asked.
    pub(super) fn hosts(&self) -> BTreeSet<&'static str> {
        let reports = REFRESHABLE.iter().flat_map(|refreshable| refreshable.reports);
        match self {
            Self::Published(..) => reports.filter_map(|report| host(report.url)).collect(),
            Self::Downloaded(_) => BTreeSet::new(),
        }
    }

    /// Every report of the registry by its file's name.
    pub(super) fn all(&self) -> BTreeMap<&'static str, Result<Report, Missing>> {
        let mut all = BTreeMap::new();
        for report in REFRESHABLE.iter().flat_map(|refreshable| refreshable.reports) {
            all.entry(report.file).or_insert_with(|| self.one(report.file, report.url));
        }
        all
    }

    /// CCADB's certificates whose validity begins in a year.
    pub(super) fn certificates_of(&self, year: i32) -> Result<Report, Missing> {
        let file = format!("{}{year}.csv", CERTIFICATES_OF_A_YEAR.file);
        self.one(&file, &format!("{}{year}", CERTIFICATES_OF_A_YEAR.url))
    }

    fn one(&self, file: &str, url: &str) -> Result<Report, Missing> {
        match self {
            Self::Published(downloader, day) => match downloader.fetch(url) {
                Ok(bytes) => Ok(Report { bytes, day: *day }),
                Err(error) => {
                    let trouble = Trouble::new(format!("cannot fetch {url}")).because(error);
                    Err(Missing::Failed(trouble))
                }
            },
            Self::Downloaded(dir) => {
                let path = dir.join(file);
                let read = std::fs::metadata(&path).and_then(|about| {
                    let day = OffsetDateTime::from(about.modified()?).date();
                    match about.len() {
                        length if length > MAX_REPORT as u64 => Err(ErrorKind::FileTooLarge.into()),
                        _ => Ok(Report { bytes: std::fs::read(&path)?, day }),
                    }
                });
                read.map_err(|error| match error.kind() {
                    ErrorKind::NotFound => Missing::NotThere,
                    _ => {
                        let attempted = format!("cannot read {}", path.display());
                        Missing::Failed(Trouble::new(attempted).because(error))
                    }
                })
            }
        }
    }
}

fn host(url: &'static str) -> Option<&'static str> {
    url.strip_prefix("https://")?.split('/').next()
}
