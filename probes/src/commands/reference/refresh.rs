//! From reports to files that a reference can be loaded with; what fails is named, and the others go on.

use std::collections::BTreeMap;

use kua::reference::{File, Reference, ReferenceError};
use kua_certs::layout::{Owners, RootCertificate, Roots, Sha256};
use kua_certs::refresh::{self, Inputs, Made, REFRESHABLE, Refreshable};
use kua_certs::reports::certificates;
use kua_certs::text::{roots_csv, roots_pem};
use kua_console::{Trouble, with_refreshed};

use super::reports::{Missing, Report, Reports};

/// What came of a refresh.
#[derive(Default)]
pub(super) struct Outcome {
    /// The directory's new files, sorted by path; as before where nothing was refreshed.
    pub(super) files: Vec<File>,
    /// Paths of files that were made anew.
    pub(super) refreshed: Vec<&'static str>,
    /// Paths of files whose reports nobody has.
    pub(super) left: Vec<&'static str>,
    /// How many failed; each was told.
    pub(super) failed: usize,
}

/// The report that says when a certificate's validity begins.
const CCADB: &str = "AllCertificateRecordsCSVFormatV5.csv";

/// Makes all files that can be made, beginning from those of the user's directory.
pub(super) fn refresh(reports: &Reports, before: &[File]) -> Outcome {
    let all = reports.all();
    let mut outcome = Outcome { files: before.to_vec(), ..Outcome::default() };
    tell_failures(&all);
    let known = known_roots(before);
    let mut ccadb_by_year = ByYear { reports, years: BTreeMap::new() };
    for refreshable in REFRESHABLE {
        let file = refreshable.file;
        let missing = refreshable.reports.iter().filter_map(|it| all.get(it.file)?.as_ref().err());
        let missing: Vec<_> = missing.collect();
        if missing.iter().any(|it| matches!(it, Missing::Failed(_))) {
            outcome.failed += 1;
            trouble(file).because("a report that it is made of could not be had").tell();
            continue;
        }
        if !missing.is_empty() {
            outcome.left.push(file);
            continue;
        }
        let made = make(refreshable, &all, &outcome.files, &known);
        let merged = made.and_then(|made| {
            let ccadb = all.get(CCADB).and_then(|report| report.as_ref().ok());
            let found = ccadb_by_year.certificates(&made, &known, ccadb);
            let (roots, owners) = refresh::additional(&made, &known, &found)
                .map_err(|error| trouble(file).because(error))?;
            let files = merged(&outcome.files, file, made, &roots, &owners);
            valid(&files).map_err(|error| trouble(file).because(error))?;
            Ok(files)
        });
        match merged {
            Ok(files) => {
                outcome.files = files;
                outcome.refreshed.push(file);
            }
            Err(error) => {
                error.tell();
                outcome.failed += 1;
            }
        }
    }
    outcome
}

fn trouble(file: &str) -> Trouble {
    Trouble::new(format!("cannot refresh {file}; it stays as it is"))
}

fn tell_failures(all: &BTreeMap<&str, Result<Report, Missing>>) {
    for report in all.values() {
        if let Err(Missing::Failed(trouble)) = report {
            trouble.tell();
        }
    }
}

fn make(
    refreshable: &Refreshable,
    all: &BTreeMap<&'static str, Result<Report, Missing>>,
    files: &[File],
    known: &Roots,
) -> Result<Made, Trouble> {
    let mut reports = BTreeMap::new();
    let mut day = None;
    for report in refreshable.reports {
        if let Some(Ok(at_hand)) = all.get(report.file) {
            reports.insert(report.file, at_hand.bytes.as_slice());
            day = Some(day.map_or(at_hand.day, |earlier| at_hand.day.min(earlier)));
        }
    }
    let Some(day) = day else { return Err(trouble(refreshable.file)) };
    let current = with_refreshed(files.to_vec());
    let previous = current.iter().find(|(file, _)| file.path == refreshable.file);
    let previous = previous.and_then(|(file, _)| std::str::from_utf8(&file.bytes).ok());
    let made = refreshable.make(&Inputs { reports: &reports, day, previous, roots: known });
    made.map_err(|error| trouble(refreshable.file).because(error))
}

/// The certificates that the program and the user's directory hold.
fn known_roots(before: &[File]) -> Roots {
    let files = with_refreshed(before.to_vec()).into_iter().map(|(file, _)| file);
    let roots = files.filter(|file| file.path == "roots.pem");
    let found = roots.filter_map(|file| certificates::from_bytes(&file.bytes).ok()).flatten();
    found.map(|(sha256, der)| (sha256, RootCertificate { subject: String::new(), der })).collect()
}

/// Certificates that only CCADB's lists of one year hold; each is asked for at most once.
struct ByYear<'a> {
    reports: &'a Reports,
    years: BTreeMap<i32, BTreeMap<Sha256, Vec<u8>>>,
}

impl ByYear<'_> {
    fn certificates(
        &mut self,
        made: &Made,
        known: &Roots,
        ccadb: Option<&Report>,
    ) -> BTreeMap<Sha256, Vec<u8>> {
        let years = ccadb.map(|report| refresh::years_of(made, known, &report.bytes));
        let mut found = BTreeMap::new();
        for year in years.unwrap_or_default() {
            let certificates = self.years.entry(year).or_insert_with(|| {
                match self.reports.certificates_of(year) {
                    Ok(report) => certificates::from_bytes(&report.bytes).unwrap_or_default(),
                    Err(Missing::NotThere) => BTreeMap::new(),
                    Err(Missing::Failed(trouble)) => {
                        trouble.tell();
                        BTreeMap::new()
                    }
                }
            });
            found.extend(certificates.iter().map(|(sha256, der)| (*sha256, der.clone())));
        }
        found
    }
}

/// The files with one more made, and with the roots that it names.
fn merged(before: &[File], path: &str, made: Made, roots: &Roots, owners: &Owners) -> Vec<File> {
    let mut files: BTreeMap<String, Vec<u8>> =
        before.iter().map(|file| (file.path.clone(), file.bytes.clone())).collect();
    files.insert(path.to_owned(), made.text.into_bytes());
    if !roots.is_empty() {
        append(files.entry("roots.pem".into()).or_default(), &roots_pem(roots), "\n");
    }
    if !owners.is_empty() {
        let table = roots_csv(owners);
        let known = files.entry("roots.csv".into()).or_default();
        let rows = table.split_once('\n').map_or("", |(_, rows)| rows);
        append(known, if known.is_empty() { &table } else { rows }, "");
    }
    files.into_iter().map(|(path, bytes)| File { path, bytes }).collect()
}

fn append(bytes: &mut Vec<u8>, text: &str, between: &str) {
    if !bytes.is_empty() {
        bytes.extend_from_slice(between.as_bytes());
    }
    bytes.extend_from_slice(text.as_bytes());
}

/// Whether a program would judge with these files of the user's directory.
pub(super) fn valid(files: &[File]) -> Result<(), ReferenceError> {
    let files = with_refreshed(files.to_vec()).into_iter().map(|(file, _)| file);
    Reference::from_files(files).map(|_| ())
}
