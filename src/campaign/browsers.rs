//! What clients would have shown of a campaign's handshakes, and when.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::Date;

use super::moment;
use super::row::{Row, least};
use crate::browser::{BLOCK, Outcome};
use crate::reference::{ClientKind, Installed, Reference, Shows};

/// Counts by what one client would have shown, and why; they add up in any order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Shown(BTreeMap<Key, Use>);

/// What one client would have shown of one handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    key: Key,
    /// First day of the rule, counted from the Julian epoch.
    since: Option<i32>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Key {
    client: String,
    installed: Installed,
    shows: Shows,
    /// Words differ with names in certificates, rules do not: as many answers as rules.
    rule: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Use {
    since: Option<i32>,
    first: Option<i64>,
    last: Option<i64>,
    handshakes: u64,
}

/// What one client would have shown in one state of the machine, while one rule decided.
#[derive(Clone, Debug, Serialize)]
pub struct BrowserRow {
    /// The client's id.
    pub browser: String,
    /// What a person calls it.
    pub name: String,
    /// What its user sees of a refusal.
    #[serde(skip)]
    pub kind: ClientKind,
    /// Where the interceptor's root is.
    pub installed: Installed,
    /// What its user would have seen.
    pub shows: Shows,
    /// The rule that decides; `None` where nobody can say.
    pub rule: Option<String>,
    /// First day of that rule, where known.
    pub since: Option<String>,
    /// The rule in words.
    pub why: Option<String>,
    /// First handshake of which this is true, RFC 3339.
    pub first_seen: Option<String>,
    /// Last one.
    pub last_seen: Option<String>,
    /// How many there were.
    pub handshakes: u64,
}

/// What a judgement says of clients, as far as it is counted.
pub(super) fn answers(outcomes: &[Outcome]) -> Vec<Answer> {
    let of = |outcome: &Outcome| Answer {
        key: Key {
            client: outcome.client.clone(),
            installed: outcome.installed,
            shows: outcome.shows,
            rule: outcome.rule.clone(),
        },
        since: outcome.since.map(Date::to_julian_day),
    };
    outcomes.iter().map(of).collect()
}

impl Shown {
    pub(super) fn observe(&mut self, answers: &[Answer], row: &Row) {
        for answer in answers {
            let used = Use {
                since: answer.since,
                first: row.first,
                last: row.last,
                handshakes: row.judgements,
            };
            match self.0.get_mut(&answer.key) {
                Some(kept) => kept.merge(&used),
                None => _ = self.0.insert(answer.key.clone(), used),
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (answer, used) in other.0 {
            self.0.entry(answer).or_default().merge(&used);
        }
    }

    /// In the order of the reference's clients, then by state, then by time.
    pub(super) fn rows(&self, reference: &Reference) -> Vec<BrowserRow> {
        let mut rows = Vec::with_capacity(self.0.len());
        for client in &reference.browsers.clients {
            let own = self.0.iter().filter(|(answer, _)| answer.client == client.id);
            let mut own: Vec<_> = own.collect();
            own.sort_by_key(|(answer, used)| (answer.installed, used.first, *answer));
            rows.extend(own.into_iter().map(|(answer, used)| BrowserRow {
                browser: client.id.clone(),
                name: client.name.clone(),
                kind: client.kind,
                installed: answer.installed,
                shows: answer.shows,
                rule: answer.rule.clone(),
                since: used.since.and_then(day),
                why: answer.rule.as_deref().and_then(|rule| words(rule, reference)),
                first_seen: used.first.map(moment),
                last_seen: used.last.map(moment),
                handshakes: used.handshakes,
            }));
        }
        rows
    }
}

fn words(rule: &str, reference: &Reference) -> Option<String> {
    if rule == BLOCK {
        return Some("it refuses the interceptor's key, whoever installed it".into());
    }
    let found = reference.browsers.rules.iter().find(|known| known.id == rule)?;
    Some(found.why.clone())
}

fn day(julian: i32) -> Option<String> {
    Date::from_julian_day(julian).ok().map(|day| day.to_string())
}

impl Use {
    fn merge(&mut self, other: &Self) {
        self.since = least(self.since, other.since);
        self.first = least(self.first, other.first);
        self.last = self.last.max(other.last);
        self.handshakes += other.handshakes;
    }
}
