//! The national report's two questions over generated judgements: embedded, beside DuckDB and chdb on the same
//! files where they are installed. All must give the same rows.

mod elsewhere;
mod generate;
mod question;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use kua_archive::tables::judgements::schema;
use kua_archive::{Place, Store};
use kua_query::{Limits, Session, Table, TableFile};

use crate::Result;
use crate::table::{Table as Printed, count};
use question::{Answer, Dialect};

/// Judgements, unless the command line asks for another number.
const ROWS: u64 = 10_000_000;

/// The national report goes over this many.
const GOAL_ROWS: f64 = 100e6;
const GOAL_SECONDS: f64 = 20.0;

/// Generates, asks, compares.
pub(crate) fn bench() -> Result<Printed> {
    let rows = std::env::args().nth(2).map_or(Ok(ROWS), |rows| rows.parse())?;
    let columns = ["s cold", "s warm", "million rows a second"];
    let title = format!("The national report's questions over {} judgements", count(rows as f64));
    let mut table = Printed::new(&title, &columns);
    let dir = tempfile::Builder::new().prefix("national").tempdir_in(target())?;
    let began = Instant::now();
    let made = generate::judgements(dir.path(), rows)?;
    let seconds = began.elapsed().as_secs_f64();
    let paths: Vec<_> = made.iter().map(|file| dir.path().join(&file.path)).collect();

    let (cold, ours) = embedded(dir.path(), &made, &paths)?;
    let (warm, again) = embedded(dir.path(), &made, &[])?;
    same("embedded, warm", &ours, &again)?;
    let mut row = |what: &str, cold: Option<f64>, warm: f64| {
        let cold = cold.map_or_else(|| "-".into(), |cold| format!("{cold:.2}"));
        let speed = format!("{:.1}", rows as f64 / warm / 1e6);
        table.row(what, &[cold, format!("{warm:.2}"), speed]);
    };
    row("embedded (DataFusion)", Some(cold), warm);
    let mut skipped = Vec::new();
    for engine in [Dialect::DuckDb, Dialect::ClickHouse] {
        uncache(&paths);
        match elsewhere::ask(engine, dir.path())? {
            Some((cold, warm, theirs)) => {
                same(engine.name(), &ours, &theirs)?;
                row(engine.name(), Some(cold), warm);
            }
            None => skipped.push(engine.name()),
        }
    }
    for name in skipped {
        table.note(format!("skipped: no {name}: tests/engines could not install it"));
    }
    let bytes: u64 = made.iter().map(|file| file.size).sum();
    let groups = ours.each_ref().map(|answer| count(answer.groups as f64));
    table.note(format!(
        "{} rows by place and {} by day are the answer, the same from each engine",
        groups[0], groups[1]
    ));
    table.note(format!(
        "{:.1} bytes a judgement in {} files, generated in {seconds:.0} s and removed",
        bytes as f64 / rows as f64,
        made.len()
    ));
    table.note(format!(
        "goal: {GOAL_SECONDS:.0} s cold for 100 million; at this pace {:.0} s",
        cold * GOAL_ROWS / rows as f64
    ));
    table.note("cold: the files' pages are dropped from the cache first; warm: asked again");
    Ok(table)
}

/// Seconds from opening a session to the last row.
fn embedded(
    dir: &Path,
    made: &[TableFile],
    cold: &[std::path::PathBuf],
) -> Result<(f64, [Answer; 2])> {
    uncache(cold);
    let began = Instant::now();
    let store = Store::open(&Place::from(dir))?;
    let files = made
        .iter()
        .map(|file| TableFile { path: store.location(&file.path).to_string(), ..file.clone() });
    let table = Table {
        name: "judgements".into(),
        schema: schema(),
        partitions: Vec::new(),
        url: store.url(),
        files: files.collect(),
    };
    let limits = Limits { spill: Some(dir.to_owned()), ..Limits::of_this_machine() };
    let session = Session::new(vec![table], &store.object_store()?, &limits)?;
    let [places, days] = Dialect::Ours.texts("judgements");
    let places = question::of_batches(session.query(&places)?)?;
    let days = question::of_batches(session.query(&days)?)?;
    Ok((began.elapsed().as_secs_f64(), [places, days]))
}

fn same(engine: &str, ours: &[Answer; 2], theirs: &[Answer; 2]) -> Result<()> {
    match ours == theirs {
        true => Ok(()),
        false => Err(format!("{engine} answers {theirs:?} instead of {ours:?}").into()),
    }
}

/// Drops the files' pages from the system's cache, as far as it lets everybody do so.
fn uncache(files: &[std::path::PathBuf]) {
    for file in files {
        let input = format!("if={}", file.display());
        let arguments = [input.as_str(), "iflag=nocache", "count=0", "status=none"];
        let _ = Command::new("dd").args(arguments).status();
    }
}

/// Where what is built goes, also gigabytes.
fn target() -> Arc<Path> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).join("target").into()
}
