//! From the programs' reports and what was known before to files of reference data: nothing here
//! downloads, and what a report takes away stays known as the past.

mod block_list;
mod error;
mod logs;
mod programs;
mod roots;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use time::Date;

pub use error::RefreshError;
pub use roots::{additional, years_of};

use crate::layout::{Roots, Sha256};
use crate::reports::ReportError;

/// A report that somebody publishes.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// What it is called on a disk.
    pub file: &'static str,
    /// Where it is published.
    pub url: &'static str,
}

const CCADB: Report = Report {
    file: "AllCertificateRecordsCSVFormatV5.csv",
    url: "https://ccadb.my.salesforce-sites.com/ccadb/AllCertificateRecordsCSVFormatV5",
};
const MOZILLA: Report = Report {
    file: "IncludedCACertificateReportPEMCSV.csv",
    url: "https://ccadb.my.salesforce-sites.com/mozilla/IncludedCACertificateReportPEMCSV",
};
const MICROSOFT: Report = Report {
    file: "IncludedCACertificateReportForMSFTCSV.csv",
    url: "https://ccadb.my.salesforce-sites.com/microsoft/IncludedCACertificateReportForMSFTCSV",
};
const MICROSOFT_CERTIFICATES: Report = Report {
    file: "IncludedRootsPEMCSVForMSFT.csv",
    url: "https://ccadb.my.salesforce-sites.com/microsoft/IncludedRootsPEMCSVForMSFT?MicrosoftEKUs=Server%20Authentication",
};
const CHROME: Report = Report {
    file: "root_store.textproto",
    url: "https://chromium.googlesource.com/chromium/src/+/main/net/data/ssl/chrome_root_store/root_store.textproto?format=TEXT",
};
const CHROME_CERTIFICATES: Report = Report {
    file: "root_store.certs",
    url: "https://chromium.googlesource.com/chromium/src/+/main/net/data/ssl/chrome_root_store/root_store.certs?format=TEXT",
};
const ONECRL: Report = Report {
    file: "onecrl.json",
    url: "https://firefox.settings.services.mozilla.com/v1/buckets/security-state/collections/onecrl/records",
};
const CRLSET: Report = Report {
    file: "crl-set.crx3",
    url: "https://clients2.google.com/service/update2/crx?response=redirect&acceptformat=crx3&prodversion=154.0&x=id%3Dhfnkpimlhhgieaddgfemjhofmfblmnib%26uc",
};
const LOGS: Report = Report {
    file: "all_logs_list.json",
    url: "https://www.gstatic.com/ct/log_list/v3/all_logs_list.json",
};
const LOGS_SIGNATURE: Report = Report {
    file: "all_logs_list.sig",
    url: "https://www.gstatic.com/ct/log_list/v3/all_logs_list.sig",
};
const APPLE_LOGS: Report = Report {
    file: "current_log_list.json",
    url: "https://valid.apple.com/ct/log_list/current_log_list.json",
};

/// Certificates that no other report holds, by the year in which their validity begins.
pub const CERTIFICATES_OF_A_YEAR: Report = Report {
    file: "AllCertificatePEMsCSVFormat-",
    url: "https://ccadb.my.salesforce-sites.com/ccadb/AllCertificatePEMsCSVFormat?NotBeforeYear=",
};

/// A file of reference data that the programs' own reports refresh.
pub struct Refreshable {
    /// Its path below the reference directory.
    pub file: &'static str,
    /// What it is made of.
    pub reports: &'static [Report],
    make: fn(&Inputs<'_>) -> Result<Made, RefreshError>,
}

/// One line a file.
pub const REFRESHABLE: &[Refreshable] = &[
    Refreshable { file: "stores/mozilla.toml", reports: &[MOZILLA], make: programs::mozilla },
    Refreshable {
        file: "stores/chrome.toml",
        reports: &[CHROME, CHROME_CERTIFICATES],
        make: programs::chrome,
    },
    Refreshable {
        file: "stores/microsoft.toml",
        reports: &[MICROSOFT, MICROSOFT_CERTIFICATES],
        make: programs::microsoft,
    },
    Refreshable { file: "stores/apple.toml", reports: &[CCADB], make: programs::apple },
    Refreshable { file: "blocklists/onecrl.toml", reports: &[ONECRL], make: block_list::onecrl },
    Refreshable { file: "blocklists/crlset.toml", reports: &[CRLSET], make: block_list::crlset },
    Refreshable {
        file: "blocklists/microsoft.toml",
        reports: &[MICROSOFT],
        make: block_list::microsoft,
    },
    Refreshable { file: "blocklists/apple.toml", reports: &[CCADB], make: block_list::apple },
    Refreshable { file: "logs/chrome.toml", reports: &[LOGS, LOGS_SIGNATURE], make: logs::chrome },
    Refreshable { file: "logs/apple.toml", reports: &[APPLE_LOGS], make: logs::apple },
];

/// What a file is made from.
pub struct Inputs<'a> {
    /// Reports by their file's name.
    pub reports: &'a BTreeMap<&'static str, &'a [u8]>,
    /// The day whose state the reports tell.
    pub day: Date,
    /// The file as it was before.
    pub previous: Option<&'a str>,
    /// Certificates that are known already.
    pub roots: &'a Roots,
}

/// A file made new, and what else must be known for it.
#[derive(Debug, Default)]
pub struct Made {
    /// The file's text.
    pub text: String,
    /// Certificates that it names.
    pub wanted: BTreeSet<Sha256>,
    /// Certificates that its reports hold.
    pub certificates: BTreeMap<Sha256, Vec<u8>>,
    /// Whose the roots of its reports are.
    pub owners: BTreeMap<Sha256, String>,
}

impl Refreshable {
    /// Makes the file.
    ///
    /// # Errors
    /// A report that is absent, not understood, unsigned, older than what is known, or implausible
    /// beside it. Then the file stays as it is.
    pub fn make(&self, inputs: &Inputs<'_>) -> Result<Made, RefreshError> {
        (self.make)(inputs)
    }
}

impl Inputs<'_> {
    /// What `read` understands of a report.
    fn report<T>(
        &self,
        report: &Report,
        read: impl FnOnce(&[u8]) -> Result<T, ReportError>,
    ) -> Result<T, RefreshError> {
        let file = report.file;
        let bytes = self.reports.get(file).ok_or(RefreshError::Absent { file })?;
        read(bytes).map_err(|source| RefreshError::BadReport { file, source })
    }
}

/// A report that keeps less than half of what was known is a cut or a wrong one.
fn plausible(what: &'static str, known: usize, kept: usize) -> Result<(), RefreshError> {
    match kept * 2 < known {
        true => Err(RefreshError::Implausible { what, known, kept }),
        false => Ok(()),
    }
}

/// The present must not lie before the past.
fn not_older(known: Option<Date>, found: Date) -> Result<(), RefreshError> {
    match known {
        Some(known) if found < known => {
            Err(RefreshError::Older { known: known.to_string(), found: found.to_string() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
