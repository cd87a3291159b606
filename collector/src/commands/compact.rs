//! `kua-collector compact`

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use kua_archive::settle::Options;
use kua_archive::{Place, Writer};
use kua_collector::trouble::of_archive;
use kua_console::{CommonArgs, Trouble};

use super::say;

/// Make an archive small and ready for questions
///
/// Of all batches that came since the last time, the tables of handshakes are made and the
/// certificates taken out, each kept once; small files are merged. What records read as never
/// changes. It can be stopped at any moment, and costs nothing where there is nothing to do.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kua-collector compact --archive kz\n  \
    kua-collector compact --archive s3://bucket/kz")]
pub(crate) struct Compact {
    /// The archive: a directory or s3://BUCKET/PREFIX
    #[arg(long, value_name = "DIR", value_parser = OsStringValueParser::new().try_map(Place::parse))]
    archive: Place,
    /// How long files that were merged away stay, for programs that still read them
    #[arg(long, value_name = "MINUTES", default_value_t = 15)]
    grace: u64,
}

impl Compact {
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        kua_archive::Archive::open(&self.archive).map_err(of_archive)?;
        let mut writer = Writer::open(&self.archive).map_err(of_archive)?;
        let grace = Duration::from_secs(self.grace.saturating_mul(60));
        let options = Options { grace, ..Options::default() };
        let done = writer.settle(&options, |done| {
            if common.verbose > 0 {
                say(&format!("settled {} records, merged {} files", done.records, done.merged));
            }
        });
        let done = done.map_err(of_archive)?;
        let rows = [
            ("records settled", done.records),
            ("segments merged", done.merged),
            ("files removed", done.removed),
        ];
        let text: String =
            rows.iter().map(|(name, count)| format!("{name:<20}{count:>10}\n")).collect();
        anstream::stdout().write_all(text.as_bytes())?;
        match done.stopped_at {
            None => Ok(ExitCode::SUCCESS),
            Some(path) => {
                say(&format!("warning: stopped at {path}, which is damaged or missing"));
                say("hint: kua-collector check names all damage; kua-collector repair mends it");
                Ok(ExitCode::FAILURE)
            }
        }
    }
}
