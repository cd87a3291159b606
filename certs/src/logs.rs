//! `logs/<program>.toml`: the Certificate Transparency logs that a program knows.

use std::collections::BTreeMap;

use serde::Deserialize;
use time::Date;
use time::macros::format_description;

use crate::read::ReadError;

/// A program's list of logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogList {
    /// Whose list it is: `Chrome` or `Apple`.
    pub program: String,
    /// Its version, as the program counts.
    pub version: String,
    /// Its day.
    pub date: Date,
    /// In the program's order.
    pub logs: Vec<Log>,
}

/// One log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Log {
    /// The program's words.
    pub description: String,
    /// Who runs it.
    pub operator: String,
    /// `rfc6962` or `static`.
    pub kind: String,
    /// What it is for, where it was never meant to be relied on.
    pub purpose: Option<String>,
    /// Base64 of the SHA-256 of `key`.
    pub id: String,
    /// Base64 of the DER SubjectPublicKeyInfo.
    pub key: String,
    /// Its states, each with the moment at which it began.
    #[serde(default)]
    pub states: Vec<State>,
}

/// A state of a log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct State {
    /// When it began (RFC 3339).
    pub since: String,
    /// The program's word for it.
    pub state: String,
}

impl LogList {
    /// The text of the file.
    pub fn toml(&self) -> String {
        let mut text = format!("program = {}\n", quoted(&self.program));
        text.push_str(&format!("version = {}\n", quoted(&self.version)));
        text.push_str(&format!("date = \"{}\"\n", self.date));
        for log in &self.logs {
            write_log(&mut text, log);
        }
        text
    }

    /// Reads the file back.
    ///
    /// # Errors
    /// A file that is not one.
    pub fn from_toml(text: &str) -> Result<Self, ReadError> {
        let written: Written = toml::from_str(text)?;
        let format = format_description!("[year]-[month]-[day]");
        let bad = |_| ReadError::BadValue { field: "date", value: written.date.clone() };
        Ok(Self {
            date: Date::parse(&written.date, format).map_err(bad)?,
            program: written.program,
            version: written.version,
            logs: written.log,
        })
    }

    /// Adds what an earlier list knew: former states, and logs that this one no longer has.
    #[must_use]
    pub fn with_past(mut self, earlier: Self) -> Self {
        let mut past: BTreeMap<_, _> =
            earlier.logs.into_iter().map(|log| (log.id.clone(), log)).collect();
        for log in &mut self.logs {
            if let Some(known) = past.remove(&log.id) {
                log.states.extend(known.states);
                log.states.sort();
                log.states.dedup();
            }
        }
        self.logs.extend(past.into_values());
        self
    }
}

fn write_log(text: &mut String, log: &Log) {
    text.push_str("\n[[log]]\n");
    let mut pair = |name: &str, value: &str| text.push_str(&format!("{name} = {value}\n"));
    pair("description", &quoted(&log.description));
    pair("operator", &quoted(&log.operator));
    pair("kind", &quoted(&log.kind));
    if let Some(purpose) = &log.purpose {
        pair("purpose", &quoted(purpose));
    }
    pair("id", &quoted(&log.id));
    pair("key", &quoted(&log.key));
    let states = log.states.iter().map(|State { since, state }| {
        format!("{{ state = {}, since = {} }}", quoted(state), quoted(since))
    });
    let states: Vec<_> = states.collect();
    if !states.is_empty() {
        pair("states", &format!("[{}]", states.join(", ")));
    }
}

/// A TOML basic string; JSON's rules for quotes are a part of TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[derive(Deserialize)]
struct Written {
    program: String,
    version: String,
    date: String,
    #[serde(default)]
    log: Vec<Log>,
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn log(id: &str, states: &[(&str, &str)]) -> Log {
        let states = states
            .iter()
            .map(|(since, state)| State { since: (*since).into(), state: (*state).into() });
        Log {
            description: format!("Log \"{id}\""),
            operator: "A".into(),
            kind: "static".into(),
            purpose: None,
            id: id.into(),
            key: "key".into(),
            states: states.collect(),
        }
    }

    fn list(date: Date, logs: Vec<Log>) -> LogList {
        LogList { program: "P".into(), version: "1.2".into(), date, logs }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let list = list(
            date!(2026 - 08 - 20),
            vec![
                log(
                    "a",
                    &[("2025-01-01T00:00:00Z", "usable"), ("2026-01-01T00:00:00Z", "retired")],
                ),
                Log { purpose: Some("test".into()), ..log("b", &[]) },
            ],
        );
        assert_eq!(LogList::from_toml(&list.toml()).unwrap(), list);
        assert!(LogList::from_toml(&list.toml().replace("2026-08-20", "soon")).is_err());
        assert!(LogList::from_toml("program = 1").is_err());
    }

    #[test]
    fn former_states_and_logs_that_are_gone_stay_known() {
        let usable = ("2025-01-01T00:00:00Z", "usable");
        let retired = ("2026-01-01T00:00:00Z", "retired");
        let earlier =
            list(date!(2025 - 08 - 20), vec![log("gone", &[usable]), log("a", &[usable])]);
        let now = list(date!(2026 - 08 - 20), vec![log("a", &[retired]), log("new", &[])]);
        let expected = vec![log("a", &[usable, retired]), log("new", &[]), log("gone", &[usable])];
        assert_eq!(now.clone().with_past(earlier.clone()), list(now.date, expected));
        assert_eq!(earlier.clone().with_past(earlier.clone()), earlier);
    }
}
