//! Lists of logs, `logs/<program>.toml`, and what programs ask of SCTs, `logs/policies.toml`.

use data_encoding::BASE64;
use serde::Deserialize;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use super::ReferenceError;
use crate::chain::KeyHash;
use crate::ct::{Kind, Log, LogKey, LogList, LogState, Policy, Rule};

#[derive(Deserialize)]
struct WrittenList {
    program: String,
    version: Option<String>,
    date: Option<String>,
    #[serde(default)]
    log: Vec<WrittenLog>,
}

#[derive(Deserialize)]
struct WrittenLog {
    description: String,
    operator: String,
    kind: Kind,
    purpose: Option<String>,
    id: String,
    key: String,
    #[serde(default)]
    states: Vec<WrittenState>,
}

#[derive(Deserialize)]
struct WrittenState {
    state: LogState,
    since: String,
}

#[derive(Deserialize)]
struct WrittenPolicies {
    policy: Vec<WrittenPolicy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPolicy {
    program: String,
    stores: Vec<String>,
    from: String,
    until: Option<String>,
    /// For readers.
    #[serde(rename = "source")]
    _source: Option<String>,
    rules: Vec<Rule>,
}

/// Reads one program's list of logs; a list without a log is an error.
pub(super) fn list(path: &str, text: &str) -> Result<LogList, ReferenceError> {
    let written: WrittenList = toml::from_str(text)
        .map_err(|source| ReferenceError::NotToml { path: path.into(), source })?;
    let bad = |reason: String| ReferenceError::BadLogs { path: path.into(), reason };
    let date = written.date.as_deref().map(day).transpose().map_err(bad)?;
    let mut logs: Vec<Log> = Vec::with_capacity(written.log.len());
    for log in &written.log {
        let log = self::log(log).map_err(|why| bad(format!("{}: {why}", log.description)))?;
        if logs.iter().any(|known| known.id == log.id) {
            return Err(bad(format!("{} is there twice", log.description)));
        }
        logs.push(log);
    }
    if logs.is_empty() {
        return Err(bad("the file holds no log".into()));
    }
    Ok(LogList { program: written.program, version: written.version, date, logs })
}

fn log(written: &WrittenLog) -> Result<Log, String> {
    let decoded = |text: &str| BASE64.decode(text.as_bytes()).map_err(|error| error.to_string());
    let spki = decoded(&written.key)?;
    let id = KeyHash::of(&spki);
    if decoded(&written.id)? != id.as_bytes() {
        return Err("the id is not the SHA-256 of the key".into());
    }
    let mut states = Vec::with_capacity(written.states.len());
    for state in &written.states {
        let since = OffsetDateTime::parse(&state.since, &Rfc3339);
        states.push((since.map_err(|error| error.to_string())?, state.state));
    }
    states.sort_by_key(|(since, _)| *since);
    Ok(Log {
        id,
        description: written.description.clone(),
        operator: written.operator.clone(),
        kind: written.kind,
        purpose: written.purpose.clone(),
        key: LogKey::from_spki(&spki).ok_or("its key is neither ECDSA on P-256 nor RSA")?,
        states,
    })
}

/// Reads what programs ask; each policy's rules by lifetime, shortest first.
pub(super) fn policies(path: &str, text: &str) -> Result<Vec<Policy>, ReferenceError> {
    let written: WrittenPolicies = toml::from_str(text)
        .map_err(|source| ReferenceError::NotToml { path: path.into(), source })?;
    let read = written.policy.into_iter().map(|policy| {
        let program = policy.program.clone();
        self::policy(policy).map_err(|why| ReferenceError::BadLogs {
            path: path.into(),
            reason: format!("policy of {program}: {why}"),
        })
    });
    read.collect()
}

fn policy(written: WrittenPolicy) -> Result<Policy, String> {
    let begin = |text: &str| day(text).map(|day| day.midnight().assume_utc());
    // None, no limit, stands last.
    let limit = |rule: &Rule| rule.days.unwrap_or(i64::MAX);
    if !written.rules.is_sorted_by_key(limit)
        || written.rules.last().is_none_or(|rule| rule.days.is_some())
    {
        return Err("rules go from the shortest lifetime to one without a limit".into());
    }
    Ok(Policy {
        from: begin(&written.from)?,
        until: written.until.as_deref().map(begin).transpose()?,
        program: written.program,
        stores: written.stores,
        rules: written.rules,
    })
}

fn day(text: &str) -> Result<Date, String> {
    let format = format_description!("[year]-[month]-[day]");
    Date::parse(text, format).map_err(|error| format!("{text:?} is no date: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ct::testing::TestLog;

    fn written(log: &TestLog) -> String {
        let key = log.mint.key.spki();
        format!(
            "[[log]]\ndescription = \"One\"\noperator = \"A\"\nkind = \"static\"\nid = \"{}\"\n\
             key = \"{}\"\nstates = [{{ state = \"retired\", since = \"2026-02-28T00:00:00Z\" }}, \
             {{ state = \"usable\", since = \"2025-01-01T00:00:00.5Z\" }}]\n",
            BASE64.encode(log.log.id.as_bytes()),
            BASE64.encode(&key)
        )
    }

    #[test]
    fn the_state_of_a_log_at_a_time() {
        let text =
            format!("program = \"P\"\ndate = \"2026-08-20\"\n{}", written(&TestLog::new("", "")));
        let list = list("logs/p.toml", &text).unwrap();
        assert_eq!(list.date.unwrap().to_string(), "2026-08-20");
        for (at, state) in [
            ("2024-12-31T23:59:59Z", None),
            ("2025-01-02T00:00:00Z", Some(LogState::Usable)),
            ("2026-02-28T00:00:00Z", Some(LogState::Retired)),
        ] {
            let at = OffsetDateTime::parse(at, &Rfc3339).unwrap();
            assert_eq!(list.logs[0].state_at(at), state, "{at}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let (one, other) = (written(&TestLog::new("", "")), TestLog::new("", ""));
        let other_id = BASE64.encode(other.log.id.as_bytes());
        let line = one.lines().find(|line| line.starts_with("id")).unwrap();
        for text in [
            String::new(),
            "program = \"P\"\n".into(),
            one.clone(),
            format!("program = \"P\"\n{one}{one}"),
            format!("program = \"P\"\n{}", one.replace(line, &format!("id = \"{other_id}\""))),
            format!("program = \"P\"\n{}", one.replace("usable", "trusty")),
            format!("program = \"P\"\n{}", one.replace("2026-02-28T00", "yesterday")),
            format!("program = \"P\"\n{}", one.replace("key = \"M", "key = \"N")),
            format!("program = \"P\"\ndate = \"today\"\n{one}"),
        ] {
            assert!(list("logs/p.toml", &text).is_err(), "{text}");
        }
        let head = "[[policy]]\nprogram = \"P\"\nstores = [\"P\"]\nfrom = \"2018-05-01\"\n";
        let rule = "{ scts = 2, operators = 2 }";
        assert_eq!(policies("x", &format!("{head}rules = [{rule}]\n")).unwrap().len(), 1);
        for text in [
            String::new(),
            head.into(),
            format!("{head}rules = []\n"),
            format!("{head}rules = [{{ days = 9, scts = 2, operators = 2 }}]\n"),
            format!("{head}rules = [{rule}, {{ days = 9, scts = 2, operators = 2 }}]\n"),
            format!("{head}rules = [{{ day = 9, scts = 2, operators = 2 }}, {rule}]\n"),
            format!("{head}until = \"never\"\nrules = [{rule}]\n"),
        ] {
            assert!(policies("logs/policies.toml", &text).is_err(), "{text}");
        }
    }
}
