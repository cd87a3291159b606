//! Prints `certs/logs/<program>.toml`: the Certificate Transparency logs of a program, from the
//! list (version 3) that the program publishes.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64;
use serde::Deserialize;

/// A program's list, as far as judgements need it.
#[derive(Deserialize)]
struct List {
    version: String,
    log_list_timestamp: Option<String>,
    #[serde(rename = "$schema")]
    schema: Option<String>,
    operators: Vec<Operator>,
}

#[derive(Deserialize)]
struct Operator {
    name: String,
    #[serde(default)]
    logs: Vec<Log>,
    #[serde(default)]
    tiled_logs: Vec<Log>,
}

#[derive(Deserialize)]
struct Log {
    description: String,
    log_id: String,
    key: String,
    log_type: Option<String>,
    /// One state and when it began: lists tell the present only.
    #[serde(default)]
    state: BTreeMap<String, Since>,
}

#[derive(Deserialize)]
struct Since {
    timestamp: String,
}

/// Converts the list in `file`.
pub(crate) fn write(out: &mut impl Write, file: &Path) -> io::Result<()> {
    let list: List = serde_json::from_slice(&std::fs::read(file)?).map_err(io::Error::other)?;
    let (program, date) = program(&list)?;
    writeln!(out, "program = \"{program}\"")?;
    writeln!(out, "version = {}", quoted(&list.version)?)?;
    writeln!(out, "date = \"{date}\"")?;
    for operator in &list.operators {
        for (kind, logs) in [("rfc6962", &operator.logs), ("static", &operator.tiled_logs)] {
            for log in logs {
                write_log(out, &operator.name, kind, log)?;
            }
        }
    }
    Ok(())
}

/// Whose list it is, and of which day. Apple's states no day: then it is that of its newest change.
fn program(list: &List) -> io::Result<(&'static str, String)> {
    let day = |moment: &str| moment.get(..10).map(str::to_owned);
    let (program, moment) = match (&list.log_list_timestamp, &list.schema) {
        (Some(moment), _) => ("Chrome", day(moment)),
        (None, Some(schema)) if schema.contains("apple.com") => {
            ("Apple", newest(list).and_then(day))
        }
        _ => return Err(io::Error::other("neither Chrome's nor Apple's list")),
    };
    Ok((program, moment.ok_or_else(|| io::Error::other("the list has no date"))?))
}

fn newest(list: &List) -> Option<&str> {
    let logs =
        list.operators.iter().flat_map(|operator| operator.logs.iter().chain(&operator.tiled_logs));
    logs.flat_map(|log| log.state.values()).map(|since| since.timestamp.as_str()).max()
}

fn write_log(out: &mut impl Write, operator: &str, kind: &str, log: &Log) -> io::Result<()> {
    let key = BASE64.decode(log.key.as_bytes()).map_err(io::Error::other)?;
    if BASE64.encode(digest(&SHA256, &key).as_ref()) != log.log_id {
        return Err(io::Error::other(format!("{}: the id is not of the key", log.description)));
    }
    writeln!(out, "\n[[log]]")?;
    writeln!(out, "description = {}", quoted(&log.description)?)?;
    writeln!(out, "operator = {}", quoted(operator)?)?;
    writeln!(out, "kind = \"{kind}\"")?;
    if let Some(purpose) = &log.log_type {
        writeln!(out, "purpose = {}", quoted(&purpose.replace('_', "-"))?)?;
    }
    writeln!(out, "id = {}", quoted(&log.log_id)?)?;
    writeln!(out, "key = {}", quoted(&log.key)?)?;
    let states: io::Result<Vec<String>> = log.state.iter().map(state).collect();
    if !log.state.is_empty() {
        writeln!(out, "states = [{}]", states?.join(", "))?;
    }
    Ok(())
}

fn state((name, since): (&String, &Since)) -> io::Result<String> {
    Ok(format!("{{ state = {}, since = {} }}", quoted(name)?, quoted(&since.timestamp)?))
}

/// A TOML basic string; JSON's rules for quotes are a part of TOML's.
fn quoted(text: &str) -> io::Result<String> {
    serde_json::to_string(text).map_err(io::Error::other)
}
