//! `kua roots`: what this machine trusts, and what of it no root program does.

mod page;
mod words;

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use kua_console::{CommonArgs, Moment, ReferenceArgs, Trouble, finish, now, parse_moment};
use kua_probes::machine::audit::audit;
use kua_probes::machine::read::{self, Failed, Found, Machine};
use kua_probes::machine::report::Report;
use kua_probes::machine::search::search;
use kua_probes::machine::signed::Signatures;

use super::records::Records;

/// Audit what this machine trusts: which roots, in which stores, since when, and whose
///
/// Reads the stores of the system, of browsers and mail programs, of Java and of Android, and what
/// variables and settings put in their place. Nothing is changed and nothing leaves the machine. A
/// root that no root program knows is no accusation: employers, antivirus programs and developers'
/// tools add their own.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Roots {
    /// Audit this file or directory and nothing else; may be repeated
    #[arg(long, value_name = "PATH", help_heading = "Where to look")]
    store: Vec<PathBuf>,
    /// Audit the machine whose files lie below DIR, such as a mounted disk
    #[arg(long, value_name = "DIR", conflicts_with = "store", help_heading = "Where to look")]
    root: Option<PathBuf>,
    /// Say which of the roots signed chains in these measurement records (JSONL); may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Where to look")]
    records: Vec<PathBuf>,
    /// Compare as of TIME (RFC 3339) instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_moment, help_heading = "Judging")]
    at: Option<Moment>,
    /// What standard output holds: a page, or one JSON document with every certificate
    #[arg(long, value_enum, default_value = "text", help_heading = "Output")]
    format: Format,
    #[command(flatten)]
    reference: ReferenceArgs,
}

const EXAMPLES: &str = "\
Examples:
  kua roots                                 Audit this machine
  kua roots -v                              The same, with every root that a program knows
  kua roots --store ~/Downloads/cert.pem    Audit one file before you install it
  kua roots --records measured.jsonl        Say which roots signed what was measured";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A page for people
    Text,
    /// One document, schema kua.roots/1
    Json,
}

impl Roots {
    /// Finds, reads, groups and tells.
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        let reference = self.reference.load()?;
        let now = now(self.at)?;
        let found = self.find()?;
        let mut report = audit(&found, &reference, now);
        self.tie(&found, &mut report)?;
        let mut out = anstream::stdout().lock();
        match self.format {
            Format::Json => {
                serde_json::to_writer(&mut out, &report)
                    .map_err(|error| Trouble::new("cannot write the report").because(error))?;
                writeln!(out)?;
            }
            Format::Text => page::write(&mut out, &report, common.verbose > 0, self.title())?,
        }
        out.flush()?;
        drop(out);
        Ok(self.unread(found.failed))
    }

    fn title(&self) -> &'static str {
        if self.store.is_empty() { "What this machine trusts" } else { "What these stores hold" }
    }

    fn find(&self) -> Result<Found, Trouble> {
        if !self.store.is_empty() {
            return Ok(read::asked(&Machine::this(), &self.store));
        }
        let Some(root) = &self.root else { return Ok(search(&Machine::this())) };
        if !root.is_dir() {
            let what = format!("cannot look at the machine below {}", root.display());
            return Err(Trouble::new(what).because("there is no such directory"));
        }
        Ok(search(&Machine::below(root)))
    }

    /// Looks in the records for chains that a root found here signed.
    fn tie(&self, found: &Found, report: &mut Report) -> Result<(), Trouble> {
        if self.records.is_empty() {
            return Ok(());
        }
        let mut signatures = Signatures::of(report, found);
        for path in &self.records {
            let name = path.display().to_string();
            let file = File::open(path)
                .map_err(|error| Trouble::new(format!("cannot read {name}")).because(error))?;
            Records::new(&name, Box::new(file)).each(&mut |measurement, _| {
                signatures.note(&measurement);
                Ok(())
            })?;
        }
        signatures.into(report);
        Ok(())
    }

    /// Names what could not be read; a failure only where it was asked for.
    fn unread(&self, failed: Vec<Failed>) -> ExitCode {
        let mut code = ExitCode::SUCCESS;
        for Failed { path, error } in failed {
            let trouble = Trouble::new(format!("cannot read the store {}", page::printable(&path)));
            let said = finish(Err(trouble.because(error)));
            if !self.store.is_empty() {
                code = said;
            }
        }
        code
    }
}
