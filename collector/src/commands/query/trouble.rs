//! What went wrong with a query, with what helps.

use kua_archive::ArchiveError;
use kua_console::Trouble;
use kua_query::{QueryError, TABLES};

/// Names that are less alike than this are not suggested.
const ALIKE: f64 = 0.75;

/// What it counts that a name contains what was asked for.
const CONTAINED: f64 = 0.2;

/// Columns that are named where none is alike.
const NAMED: usize = 12;

pub(super) fn of(error: QueryError, sql: &str) -> Trouble {
    let hint = match &error {
        QueryError::Archive(ArchiveError::Absent { .. }) => {
            "kua-collector import --archive A FILE... makes one".into()
        }
        QueryError::Cluster => "kua-cluster said why, above".into(),
        QueryError::Memory(_) => {
            "ask for less at once (fewer days, fewer columns), or raise --memory".into()
        }
        QueryError::GaveUp | QueryError::Unreadable(_) => {
            "kua-collector check names damaged files, repair makes tables again".into()
        }
        QueryError::NoColumn { column, columns } => column_hint(column, columns),
        QueryError::NoProgram(_) => {
            "cargo build --release --package kua-cluster makes it; it belongs beside this program"
                .into()
        }
        QueryError::NoTable { .. } => {
            format!("the tables are {}; --tables shows their columns", TABLES.join(", "))
        }
        QueryError::NoVersion { .. } => "kua-collector judge --archive A makes them".into(),
        QueryError::NotAQuery => "an archive is only added to by import and serve".into(),
        QueryError::NotOne { .. } if sql.trim().is_empty() => {
            "try: SELECT count(*) FROM handshakes".into()
        }
        _ => return Trouble::new("cannot answer the query").because(error),
    };
    Trouble::new("cannot answer the query").because(error).hint(hint)
}

fn column_hint(column: &str, columns: &[String]) -> String {
    let wanted = column.rsplit('.').next().unwrap_or(column).trim_matches('"');
    let likeness = |name: &String| {
        strsim::jaro_winkler(name, wanted) + f64::from(name.contains(wanted)) * CONTAINED
    };
    let alike = columns.iter().map(|name| (likeness(name), name));
    match alike.max_by(|one, other| one.0.total_cmp(&other.0)) {
        Some((likeness, name)) if likeness >= ALIKE => {
            format!("did you mean {name}? --tables shows all columns")
        }
        _ => {
            let named: Vec<_> = columns.iter().take(NAMED).map(String::as_str).collect();
            let more = if columns.len() > NAMED { ", ..." } else { "" };
            format!("there are {}{more}; --tables shows all", named.join(", "))
        }
    }
}
