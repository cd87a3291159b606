//! The files as a table, and in words what is old.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};
use kua_certs::refresh::REFRESHABLE;
use kua_console::Origin;

use super::{OLD, Row, Shown};

/// Digits of a hash that tell files apart.
const DIGITS: usize = 12;

/// Below this folder is one dossier a file, and one line is enough for all.
const DOSSIERS: &str = "interceptors/";

pub(super) fn write(out: &mut impl Write, shown: &Shown<'_>, verbose: bool) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["FILE", "WHAT", "HOLDS", "DATE", "AGE", "KNOWN SINCE", "FROM", "SHA-256"]);
    let mut dossiers = 0;
    for row in &shown.files {
        if row.path.starts_with(DOSSIERS) && row.origin == Origin::BuiltIn && !verbose {
            dossiers += 1;
        } else {
            table.add_row(cells(row));
        }
    }
    if dossiers > 0 {
        let file = format!("{DOSSIERS}*");
        let holds = format!("{dossiers} dossiers");
        let what = "known interceptors";
        table.add_row([&file, what, &holds, "-", "-", "-", origin(Origin::BuiltIn), "-"]);
    }
    if let Some(age) = table.column_mut(4) {
        age.set_cell_alignment(CellAlignment::Right);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim())?;
    }
    writeln!(out, "\ndigest {}", shown.digest)?;
    write_old(out, &shown.files)
}

fn cells(row: &Row<'_>) -> [String; 8] {
    let text = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    [
        row.path.to_owned(),
        row.what.to_owned(),
        counted(row.count, row.of),
        text(row.date.map(str::to_owned)),
        text(row.age_days.map(days)),
        text(row.known_since.clone()),
        origin(row.origin).to_owned(),
        row.sha256.chars().take(DIGITS).collect(),
    ]
}

fn counted(count: usize, of: &str) -> String {
    let one = || match of.strip_suffix("ies") {
        Some(stem) => format!("1 {stem}y"),
        None => format!("1 {}", of.trim_end_matches('s')),
    };
    if count == 1 { one() } else { format!("{count} {of}") }
}

fn days(days: i64) -> String {
    match days {
        1 => "1 day".into(),
        days if days < 0 => "ahead".into(),
        days => format!("{days} days"),
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::BuiltIn => "built in",
        Origin::Refreshed => "refreshed",
        Origin::Given => "--reference",
    }
}

/// Old files, first those that a refresh makes new.
fn write_old(out: &mut impl Write, rows: &[Row<'_>]) -> io::Result<()> {
    let is_old = |row: &&Row<'_>| row.age_days.is_some_and(|age| age > OLD);
    let refreshed = |path: &str| REFRESHABLE.iter().any(|it| it.file == path);
    let (ours, theirs): (Vec<_>, Vec<_>) =
        rows.iter().filter(is_old).map(|row| row.path).partition(|path| refreshed(path));
    for (old, advice) in [
        (ours, "refresh with: kua reference update"),
        (theirs, "only a newer Kua brings newer ones"),
    ] {
        if !old.is_empty() {
            writeln!(out, "older than {OLD} days: {}; {advice}", old.join(", "))?;
        }
    }
    Ok(())
}
