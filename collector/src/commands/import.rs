//! `kua-collector import`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{OsStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use kua_archive::{Kept, Place, Totals, Writer};
use kua_collector::import::{IMPORTS, read_files};
use kua_collector::trouble::of_archive;
use kua_console::{CommonArgs, Trouble};

use super::refusals::Refusals;
use super::say;

/// Keep the measurements that files hold
///
/// Every record is kept as received, and every certificate once. What is kept already is not kept
/// again, so importing twice is importing once. A line that is no measurement is named, counted,
/// and set aside in DIR/rejected.jsonl; the rest is imported.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kua-collector import --archive kz measurements.jsonl\n  \
    kua-collector import --archive kz ooni/*.jsonl.gz\n  \
    kua probe --suite kz --out - | kua-collector import --archive kz -")]
pub(crate) struct Import {
    /// The archive: a directory or s3://BUCKET/PREFIX; made if absent
    #[arg(long, value_name = "DIR", value_parser = OsStringValueParser::new().try_map(Place::parse))]
    archive: Place,
    /// The format of the files
    #[arg(long = "as", value_name = "FORMAT", default_value = IMPORTS[0].name, value_parser = formats())]
    format: String,
    /// Exit with 1 where a line was rejected
    #[arg(long)]
    strict: bool,
    /// Files: plain, gzip or zstd; one record a line, or one JSON document; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

fn formats() -> PossibleValuesParser {
    let values = IMPORTS.iter().map(|import| PossibleValue::new(import.name).help(import.about));
    values.collect::<Vec<_>>().into()
}

impl Import {
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        let import = IMPORTS.iter().find(|import| import.name == self.format);
        let import = import.ok_or_else(|| Trouble::new("cannot import an unknown format"))?;
        let mut writer = Writer::open(&self.archive).map_err(of_archive)?;
        let torn = writer.torn();
        if torn.files > 0 {
            let bytes = torn.bytes;
            say(&format!("note: removed {bytes} bytes of a batch that was never finished"));
        }
        let mut summary = Summary::default();
        let mut refusals = Refusals::new(common);
        let broken = read_files(&self.files, import, |incoming| {
            summary.read += 1;
            match &incoming.read {
                Ok(measurement) => {
                    let kept = writer.keep(incoming.raw, measurement, None);
                    if kept.map_err(of_archive)? == Kept::AlreadyThere {
                        summary.already_there += 1;
                    }
                }
                Err(error) => {
                    let reason = refusals.add(&incoming, error);
                    let (file, line) = (incoming.file, incoming.line);
                    writer.reject(file, line, &reason, incoming.raw).map_err(of_archive)?;
                }
            }
            Ok::<_, Trouble>(())
        })?;
        writer.commit().map_err(of_archive)?;
        refusals.close(&broken);
        summary.print(writer.totals(), &refusals)?;
        let refused = self.strict && refusals.total() > 0;
        Ok(if refused || !broken.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

#[derive(Default)]
struct Summary {
    read: u64,
    already_there: u64,
}

impl Summary {
    fn print(&self, totals: Totals, refusals: &Refusals) -> std::io::Result<()> {
        let mut rows = vec![
            ("read".to_owned(), self.read),
            ("kept".into(), totals.records),
            ("already there".into(), self.already_there),
            ("rejected".into(), refusals.total()),
        ];
        rows.extend(refusals.kinds().map(|(kind, count)| (format!("  {kind}"), count)));
        rows.push(("new certificates".into(), totals.certificates));
        let mut text = String::new();
        for (name, count) in rows {
            text.push_str(&format!("{name:<20}{count:>10}\n"));
        }
        anstream::stdout().write_all(text.as_bytes())
    }
}
