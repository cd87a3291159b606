//! `kua-collector check`

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::builder::{OsStringValueParser, TypedValueParser};
use kua_archive::Place;
use kua_archive::check::check;
use kua_archive::log::LogError;
use kua_collector::trouble::of_archive;
use kua_console::Trouble;

/// Verify every hash of an archive
///
/// Each damaged thing is one line: the path of its file in the archive, and what is wrong with it. The
/// transparency log is compared with the records, entry by entry.
/// All that is not damaged is still served. Exits with 1 where anything is damaged. A writer may
/// work meanwhile.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kua-collector check --archive kz\n  \
    kua-collector check --archive s3://bucket/kz")]
pub(crate) struct Check {
    /// The archive: a directory or s3://BUCKET/PREFIX
    #[arg(long, value_name = "DIR", value_parser = OsStringValueParser::new().try_map(Place::parse))]
    archive: Place,
    /// How many damaged things are named; the rest is counted
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    most: u64,
}

impl Check {
    pub(crate) fn run(self) -> Result<ExitCode, Trouble> {
        let mut out = anstream::stdout().lock();
        let mut named = 0;
        let mut written = Ok(());
        let found = |fault: &kua_archive::check::Fault| {
            if named < self.most && written.is_ok() {
                written = writeln!(out, "{fault}");
                named += 1;
            }
        };
        let checked = check(&self.archive, found, |_| ()).map_err(of_archive)?;
        written?;
        if checked.faults > named {
            writeln!(out, "and {} more", checked.faults - named)?;
        }
        let logged = kua_archive::log::check(&self.archive, None);
        let faults = checked.faults + u64::from(logged.is_err());
        if let Err(error) = &logged {
            writeln!(out, "{}", in_words(error))?;
        }
        let rows = [
            ("files", checked.files),
            ("records", checked.records),
            ("certificates", checked.certificates),
            ("handshakes", checked.handshakes),
            ("judgements", checked.judgements),
            ("logged", logged.unwrap_or_default().unwrap_or_default()),
            ("damaged", faults),
        ];
        for (name, count) in rows {
            writeln!(out, "{name:<20}{count:>10}")?;
        }
        Ok(if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The file of the log that is not what it should be, and why not.
fn in_words(error: &LogError) -> String {
    let mut text = match error {
        LogError::OtherTile { .. } | LogError::Archive(_) => error.to_string(),
        _ => format!("log/checkpoint: {error}"),
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
