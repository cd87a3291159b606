//! `kua-collector export`

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use clap::builder::{OsStringValueParser, TypedValueParser};
use kua_archive::{Archive, ArchiveError, Place};
use kua_collector::import::line_of;
use kua_collector::scope::Scope;
use kua_collector::trouble::of_archive;
use kua_console::Trouble;

use super::{name_damaged, say};

/// Write the records of an archive, each as it was received, one a line
///
/// What is written can be imported anywhere, with --as ooni,hyperquack,ripe-atlas,pem, and is kept
/// there under the same hashes. A record that does not fit in a line as it is comes in the envelope
/// that OONI's collectors are sent; an import opens it. Receipts and the transparency log
/// are not records and stay.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    kua-collector export --archive kz >kz.jsonl\n  \
    kua-collector export --archive kz --cc KZ --since 2023-10-01 | zstd >october.jsonl.zst\n  \
    kua-collector export --archive kz | kua-collector import --archive s3://bucket/kz -")]
pub(crate) struct Export {
    /// The archive: a directory or s3://BUCKET/PREFIX
    #[arg(long, value_name = "DIR", value_parser = OsStringValueParser::new().try_map(Place::parse))]
    archive: Place,
    #[command(flatten)]
    scope: Scope,
}

/// Why an export ends early.
enum Ended {
    Archive(ArchiveError),
    Written(std::io::Error),
}

impl From<ArchiveError> for Ended {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl From<std::io::Error> for Ended {
    fn from(error: std::io::Error) -> Self {
        Self::Written(error)
    }
}

impl Export {
    pub(crate) fn run(self) -> Result<ExitCode, Trouble> {
        let archive = Archive::open(&self.archive).map_err(of_archive)?;
        let everything = self.scope == Scope::default();
        let mut out = BufWriter::new(std::io::stdout().lock());
        let (mut unread, mut unwritten) = (0_u64, 0_u64);
        let scanned = archive.scan_raw(|number, record| {
            if !everything {
                match record.measurement() {
                    Ok(measurement) if self.scope.holds(&measurement) => {}
                    Ok(_) => return Ok(()),
                    Err(_) => {
                        unread += 1;
                        return Ok(());
                    }
                }
            }
            match line_of(&record.raw) {
                Some(line) => {
                    out.write_all(&line)?;
                    out.write_all(b"\n")?;
                }
                None => {
                    unwritten += 1;
                    say(&format!("not written: record {number} has no line that can be read back"));
                }
            }
            Ok::<_, Ended>(())
        });
        let scanned = scanned.map_err(|ended| match ended {
            Ended::Archive(error) => of_archive(error),
            Ended::Written(error) => error.into(),
        })?;
        out.flush()?;
        let named = scanned.named.iter().map(|one| (one.number, one.damage.to_string()));
        name_damaged(&named.collect::<Vec<_>>(), scanned.unnamed());
        if unread > 0 {
            say(&format!(
                "not written: {unread} records of which this version cannot tell when and where"
            ));
        }
        let whole = scanned.damaged + unread + unwritten == 0;
        Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
