//! `kua-auditor report`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use kua::campaign::Tally;
use kua::measurement::Measurement;
use kua::memory::Memory;
use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::verdict::judge_with;
use kua_archive::{Archive, Place};
use kua_auditor::report::{Counted, FORMATS, Format, Report as Account, format_named};
use kua_collector::import::Inputs;
use kua_collector::judging::{Grouping, Options, Setting, account};
use kua_collector::scope::Scope;
use kua_collector::trouble::of_archive;
use kua_console::{CommonArgs, ReferenceArgs, Trouble};

use super::records::{Unread, of_control, of_files};

/// Judge measurements and write who intercepts, where, with which keys, on what evidence
///
/// Every record is judged with the reference data of today and counted; nothing is kept of it but
/// an example for each name. The same records and reference data give the same report, byte for
/// byte: it does not say when it was written. A record that cannot be read is named on standard
/// error, its number is in the report, and the rest is judged. Judgements of an archive are stored
/// in it, where it can be written: the next report judges only what is new, or is told of something
/// else by what is new. Records of files are read twice: first for what else was seen, by the same
/// run and for the same name by others, also outside of the scope; then to be judged beside it.
#[derive(clap::Args)]
#[command(after_help = "\
Formats: html (one page for people, with charts and evidence), json (kua.report/1, for programs), \
csv (tables for spreadsheets), md (a short account to paste into an issue).

CSV is one table with a row for the whole and for each campaign, key, intermediate, name, network \
and class of what is no campaign; the column `row` says which. Written to a file NAME.csv, it comes \
with NAME.campaigns.csv, NAME.intermediates.csv, NAME.networks.csv and NAME.targets.csv, which have \
all columns of their kind. A cell that a spreadsheet would run as a formula begins with an \
apostrophe.

Examples:
  kua-auditor report --archive kz --cc KZ --since 2021-01-01 --out kz.html
  kua-auditor report --archive kz --format html,json,csv --out kz-2021-2024
  kua-auditor report measurements.jsonl.gz --control control.jsonl --format json")]
pub(crate) struct Report {
    /// The archive: a directory, or s3://BUCKET/PREFIX
    #[arg(
        long,
        value_name = "ARCHIVE",
        required_unless_present = "files",
        conflicts_with = "files",
        value_parser = OsStringValueParser::new().try_map(Place::parse)
    )]
    archive: Option<Place>,
    /// Files with records, instead of an archive; - is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Records of vantage points that are believed clean, to compare with
    #[arg(long, value_name = "FILE")]
    control: Option<PathBuf>,
    /// How the report is written; several with commas, then --out is the beginning of their names
    /// [default: by the ending of --out, else html]
    #[arg(
        long,
        value_name = "FORMAT",
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(FORMATS.iter().map(|format| format.name)),
        hide_possible_values = true
    )]
    format: Vec<String>,
    /// Where to; - is standard output
    #[arg(long, value_name = "PATH", default_value = "-")]
    out: PathBuf,
    /// Let the cluster with this scheduler group the archive's judgements
    #[arg(long, value_name = "URL", requires = "archive")]
    cluster: Option<String>,
    /// Exit with 1 where a record could not be read
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    reference: ReferenceArgs,
}

impl Report {
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        let formats = self.formats();
        if formats.len() > 1 && is_standard_output(&self.out) {
            return refuse("several formats need --out PATH, the beginning of their names");
        }
        let reference = self.reference.load()?;
        let mut unread = Unread::new(common);
        let (report, strict) = self.account(&reference, &mut unread)?;
        for format in &formats {
            let path = match formats.as_slice() {
                [_] => self.out.clone(),
                _ => with_ending(&self.out, format.name),
            };
            write(format, &report, &path)?;
        }
        unread.close();
        Ok(if strict || unread.broken_off > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    /// Judges and counts; gives also whether `--strict` finds fault.
    fn account(
        &self,
        reference: &Reference,
        unread: &mut Unread,
    ) -> Result<(Account, bool), Trouble> {
        let controls = match &self.control {
            Some(file) => of_control(file, unread)?,
            None => Vec::new(),
        };
        let of_control = unread.rejected;
        let (tally, out_of_scope) = match &self.archive {
            Some(place) => self.of_archive(place, reference, &controls, unread)?,
            None => self.of_files(reference, &controls, unread)?,
        };
        let counted = Counted {
            controls: controls.len() as u64,
            out_of_scope,
            rejected: unread.rejected - of_control,
            broken_off: unread.broken_off,
        };
        let report = Account::of(&tally, reference, &self.scope, counted);
        Ok((report, self.strict && unread.rejected > 0))
    }

    /// Brings the archive's judgements up to date and counts them.
    fn of_archive(
        &self,
        place: &Place,
        reference: &Reference,
        controls: &[Measurement],
        unread: &mut Unread,
    ) -> Result<(Tally, u64), Trouble> {
        let archive = Archive::open(place).map_err(of_archive)?;
        let setting = Setting::new(reference, controls);
        let grouping = self.cluster.clone().map_or(Grouping::Query, Grouping::Cluster);
        let options = Options::default();
        let (_, counted) = account(&archive, &setting, options, &self.scope, &grouping, |_| {})?;
        unread.damaged(counted.damaged, &counted.named);
        Ok((counted.tally, counted.out_of_scope))
    }

    /// First what else was seen, also outside of the scope; then each beside it.
    fn of_files(
        &self,
        reference: &Reference,
        controls: &[Measurement],
        unread: &mut Unread,
    ) -> Result<(Tally, u64), Trouble> {
        let inputs = Inputs::new(&self.files)?;
        let mut surroundings = Surroundings::of_controls(controls, reference);
        let mut memory = Memory::new(reference);
        of_files(&inputs, None, |_, _, measurement| {
            surroundings.add_with(&mut memory, measurement);
        })?;
        let (mut tally, mut out_of_scope) = (Tally::default(), 0);
        of_files(&inputs, Some(unread), |line, record, measurement| {
            if self.scope.holds(measurement) {
                let judgements = judge_with(&mut memory, measurement, &surroundings, Some(line));
                tally.observe_record(Some(record), measurement, &judgements);
            } else {
                out_of_scope += 1;
            }
        })?;
        Ok((tally, out_of_scope))
    }

    fn formats(&self) -> Vec<&'static Format> {
        let mut formats: Vec<&Format> = Vec::new();
        for name in &self.format {
            let named = format_named(name);
            formats
                .extend(named.filter(|named| formats.iter().all(|known| known.name != named.name)));
        }
        if formats.is_empty() {
            let ending = self.out.extension().and_then(|ending| ending.to_str());
            formats.push(ending.and_then(format_named).unwrap_or(FORMATS[0]));
        }
        formats
    }
}

/// Writes a document and, beside a file, its tables.
fn write(format: &Format, report: &Account, path: &Path) -> Result<(), Trouble> {
    let failed = || Trouble::new(format!("cannot write the report as {}", format.name));
    let document = (format.document)(report).map_err(|error| failed().because(error))?;
    if is_standard_output(path) {
        let mut out = std::io::stdout().lock();
        out.write_all(document.as_bytes())?;
        return Ok(out.flush()?);
    }
    let put = |path: &Path, text: &str| {
        std::fs::write(path, text).map_err(|error| {
            Trouble::new(format!("cannot write {}", path.display())).because(error)
        })
    };
    put(path, &document)?;
    for table in format.tables {
        let ending = format!("{}.{}", table.name, format.name);
        put(&with_ending(path, &ending), &(table.write)(report))?;
    }
    Ok(())
}

/// `kz` and `kz.html` with the ending `json` are `kz.json`; `kz.2024` is `kz.2024.json`.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let known = path.extension().and_then(|known| known.to_str()).and_then(format_named);
    let base = if known.is_some() { path.with_extension("") } else { path.to_path_buf() };
    let mut name = base.into_os_string();
    name.push(".");
    name.push(ending);
    name.into()
}

fn is_standard_output(path: &Path) -> bool {
    path == Path::new("-")
}

/// A command line that clap could not know to be wrong.
fn refuse(reason: &str) -> Result<ExitCode, Trouble> {
    let command = clap::Command::new("kua-auditor report");
    let error = <Report as clap::Args>::augment_args(command)
        .error(clap::error::ErrorKind::ArgumentConflict, reason);
    error.print()?;
    Ok(ExitCode::from(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_of_formats_are_replaced_and_others_kept() {
        for (path, ending, expected) in [
            ("kz", "json", "kz.json"),
            ("kz.html", "json", "kz.json"),
            ("kz.2024", "json", "kz.2024.json"),
            ("a.b/kz.csv", "networks.csv", "a.b/kz.networks.csv"),
        ] {
            assert_eq!(with_ending(Path::new(path), ending), Path::new(expected));
        }
    }
}
