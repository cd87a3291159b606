//! `kua reference show`: what Kua compares with, and how old it is.

mod table;

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use kua::reference::{Reference, Source};
use kua_console::{CommonArgs, Moment, Origin, ReferenceArgs, Trouble, now};
use serde::Serialize;
use time::Date;
use time::macros::format_description;

/// From this age in days, root programs and block lists have changed since.
const OLD: i64 = 90;

/// Show what Kua compares with, file by file, and how old each is
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Show {
    /// What standard output holds: a table, or one JSON object
    #[arg(long, value_enum, default_value = "text", help_heading = "Output")]
    format: Format,
    #[command(flatten)]
    reference: ReferenceArgs,
}

const EXAMPLES: &str = "\
Examples:
  kua reference show
  kua reference show --reference-built-in     Only what the program was built with
  kua reference show --verbose                Every dossier in a line of its own
  kua reference show --format json | jq -r .digest

Two programs with one digest judge alike.";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people
    Text,
    /// One JSON object
    Json,
}

/// All that is compared with.
#[derive(Serialize)]
struct Shown<'a> {
    schema: &'static str,
    digest: String,
    files: Vec<Row<'a>>,
}

/// One file of reference data.
#[derive(Serialize)]
struct Row<'a> {
    path: &'a str,
    what: &'a str,
    date: Option<&'a str>,
    /// Days since `date`; negative where it lies ahead.
    age_days: Option<i64>,
    /// Since when a store's history is known.
    known_since: Option<String>,
    /// How many of what it holds; of a root program, on its newest known day.
    count: usize,
    of: &'static str,
    sha256: &'a str,
    origin: Origin,
}

impl Show {
    pub(super) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        let now = now(None)?;
        let (reference, origins) = self.reference.load_with_origins()?;
        let mut out = anstream::stdout().lock();
        let shown = shown(&reference, &origins, now);
        match self.format {
            Format::Json => {
                let line = serde_json::to_string(&shown);
                let line = line.map_err(|error| {
                    Trouble::new("cannot write the reference data as JSON").because(error)
                })?;
                writeln!(out, "{line}")?;
            }
            Format::Text => table::write(&mut out, &shown, common.verbose > 0)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn shown<'a>(reference: &'a Reference, origins: &[(String, Origin)], now: Moment) -> Shown<'a> {
    // Both are in the order of reading; files that nobody understands as data are in one of them only.
    let mut origins = origins.iter();
    let rows = reference.sources.iter().map(|source| {
        let origin = origins.find(|(path, _)| *path == source.path).map(|(_, origin)| *origin);
        row(source, origin.unwrap_or(Origin::Given), now)
    });
    let mut files: Vec<_> = rows.collect();
    files.sort_by_key(|row| row.path);
    Shown { schema: "kua.reference/1", digest: reference.digest(), files }
}

fn row(source: &Source, origin: Origin, now: Moment) -> Row<'_> {
    let format = format_description!("[year]-[month]-[day]");
    let day = source.date.as_deref().and_then(|date| Date::parse(date, format).ok());
    Row {
        path: &source.path,
        what: &source.holds.what,
        date: source.date.as_deref(),
        age_days: day.map(|day| (now.date() - day).whole_days()),
        known_since: source.holds.known_since.map(|day| day.to_string()),
        count: source.holds.count,
        of: source.holds.of,
        sha256: &source.sha256,
        origin,
    }
}
