//! `kua-collector repair`

use std::io::Write;
use std::process::ExitCode;

use clap::builder::{OsStringValueParser, TypedValueParser};
use kua_archive::Place;
use kua_archive::repair::repair;
use kua_collector::trouble::of_archive;
use kua_console::Trouble;

/// Make again what the records of an archive still say
///
/// Tables, inventories, footers and the manifest are made from raw/ where they are damaged or
/// missing. Records are never changed. What exists nowhere else cannot be made again, and is named
/// as lost: records in a damaged frame, and certificates of a damaged file. Exits with 1 where
/// anything is lost.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kua-collector repair --archive kz")]
pub(crate) struct Repair {
    /// The archive: a directory or s3://BUCKET/PREFIX
    #[arg(long, value_name = "DIR", value_parser = OsStringValueParser::new().try_map(Place::parse))]
    archive: Place,
}

impl Repair {
    pub(crate) fn run(self) -> Result<ExitCode, Trouble> {
        let mut out = anstream::stdout().lock();
        let mut written = Ok(());
        let tell = |told: &kua_archive::repair::Told| {
            let lost = if told.lost { "lost: " } else { "" };
            if written.is_ok() {
                written = writeln!(out, "{lost}{told}");
            }
        };
        let repaired = repair(&self.archive, tell).map_err(of_archive)?;
        written?;
        for (name, count) in [("mended", repaired.mended), ("lost", repaired.lost)] {
            writeln!(out, "{name:<20}{count:>10}")?;
        }
        Ok(if repaired.lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
