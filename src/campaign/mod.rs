//! Many judged measurements to campaigns: a pure fold whose parts add up in any order.

mod browsers;
mod describe;
mod intermediate;
mod interval;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

pub use browsers::BrowserRow;
pub use describe::{AnchorRow, Campaign, IntermediateRow, NetworkRow, TargetRow, Window};
pub use intermediate::decimal;
pub use interval::Rate;

use crate::attribution::Basis;
use crate::chain::fields::Fields;
use crate::chain::{Chain, Fingerprint, KeyHash};
use crate::detect::{Finding, Level};
use crate::measurement::Measurement;
use crate::path::SigningKey;
use crate::reference::Actor;
use crate::verdict::{Judgement, Verdict};
use browsers::Shown;
use intermediate::{DayUse, Intermediate};

/// Counts of judged measurements. Two tallies of two halves, merged in either order, equal the
/// tally of the whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    measurements: u64,
    handshakes: u64,
    with_chain: u64,
    verdicts: BTreeMap<Verdict, u64>,
    not_campaigns: BTreeMap<&'static str, u64>,
    cells: BTreeMap<Cell, u64>,
    network_names: BTreeMap<u32, String>,
    interceptions: BTreeMap<Who, Interception>,
    examples: BTreeMap<(Group, String), Example>,
    per_day: BTreeMap<(time::Date, u32), DayCount>,
}

/// Where and what: the finest grain in which handshakes are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    country: String,
    asn: u32,
    target: String,
}

/// Handshakes of one day in one network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayCount {
    /// All of them.
    pub handshakes: u64,
    /// Those intercepted in a campaign.
    pub intercepted: u64,
}

/// Whose campaign it is: a dossier's, a key's, or that of a key known only by its identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Dossier(String),
    Key(KeyHash),
    /// Authority Key Identifier of the last certificate that was sent.
    KeyId(String),
    /// Only a name is left.
    Issuer(String),
}

#[derive(Clone, Debug, PartialEq)]
struct Interception {
    actor: Actor,
    level: Level,
    first_seen: Option<OffsetDateTime>,
    last_seen: Option<OffsetDateTime>,
    cells: BTreeMap<Cell, u64>,
    anchors: BTreeMap<KeyHash, String>,
    /// Names of signers whose keys are not known.
    issuers: BTreeSet<String>,
    intermediates: BTreeMap<Fingerprint, Intermediate>,
    days: BTreeMap<time::Date, DayUse>,
    browsers: Shown,
}

/// What an example is an example of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Campaign(Who),
    Other(&'static str),
}

/// The earliest handshake of its kind for one target, with all that a reader needs to check it.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The measurement's name.
    pub measurement_uid: Option<String>,
    /// Line of the record, from 1.
    pub line: Option<u64>,
    /// When.
    pub started: Option<OffsetDateTime>,
    /// The host that was meant.
    pub target: String,
    /// Where the probe connected to.
    pub endpoint: Option<std::net::SocketAddr>,
    /// Country and autonomous system of the vantage point.
    pub vantage: (String, u32),
    /// The verdict.
    pub verdict: Verdict,
    /// How sure.
    pub level: Option<Level>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// The chain as it was presented.
    pub chain: Option<Chain>,
}

impl Tally {
    /// Counts one measurement and its judgements.
    pub fn observe(&mut self, measurement: &Measurement, judgements: &[Judgement]) {
        self.measurements += 1;
        let vantage = &measurement.vantage;
        if !vantage.network.is_empty() {
            let name = self.network_names.entry(vantage.asn).or_insert(vantage.network.clone());
            if vantage.network < *name {
                name.clone_from(&vantage.network);
            }
        }
        for judgement in judgements {
            *self.verdicts.entry(judgement.verdict).or_default() += 1;
            if measurement.handshakes.is_empty() {
                continue;
            }
            self.handshakes += 1;
            self.with_chain += u64::from(judgement.chain.is_some());
            self.handshake(judgement);
        }
    }

    fn handshake(&mut self, judgement: &Judgement) {
        let cell = Cell {
            country: judgement.probe_cc.clone(),
            asn: judgement.probe_asn,
            target: judgement.target.clone().unwrap_or_default(),
        };
        *self.cells.entry(cell.clone()).or_default() += 1;
        let who = who(judgement);
        if let Some(started) = judgement.started {
            let day = self.per_day.entry((started.date(), cell.asn)).or_default();
            day.handshakes += 1;
            let campaign = who.is_some() && judgement.actor != Some(Actor::Local);
            day.intercepted += u64::from(campaign);
        }
        let group = match who {
            Some(who) => {
                let level = judgement.level.unwrap_or(Level::Possible);
                let actor = judgement.actor.unwrap_or(Actor::Unknown);
                let found = self
                    .interceptions
                    .entry(who.clone())
                    .or_insert_with(|| Interception::new(actor, level));
                found.observe(judgement, cell);
                Some(Group::Campaign(who))
            }
            None => not_a_campaign(judgement).map(|class| {
                *self.not_campaigns.entry(class).or_default() += 1;
                Group::Other(class)
            }),
        };
        if let Some(group) = group {
            self.keep_example(group, Example::of(judgement));
        }
    }

    fn keep_example(&mut self, group: Group, example: Example) {
        let key = (group, example.target.clone());
        match self.examples.get(&key) {
            Some(kept) if kept.order() <= example.order() => {}
            _ => {
                self.examples.insert(key, example);
            }
        }
    }

    /// Adds what another tally counted.
    pub fn merge(&mut self, other: Self) {
        self.measurements += other.measurements;
        self.handshakes += other.handshakes;
        self.with_chain += other.with_chain;
        add(&mut self.verdicts, other.verdicts);
        add(&mut self.not_campaigns, other.not_campaigns);
        add(&mut self.cells, other.cells);
        for (asn, name) in other.network_names {
            let kept = self.network_names.entry(asn).or_insert_with(|| name.clone());
            if name < *kept {
                *kept = name;
            }
        }
        for (who, found) in other.interceptions {
            match self.interceptions.get_mut(&who) {
                Some(kept) => kept.merge(found),
                None => {
                    self.interceptions.insert(who, found);
                }
            }
        }
        for ((group, _), example) in other.examples {
            self.keep_example(group, example);
        }
        for (key, count) in other.per_day {
            let kept = self.per_day.entry(key).or_default();
            kept.handshakes += count.handshakes;
            kept.intercepted += count.intercepted;
        }
    }

    /// Records counted.
    pub fn measurements(&self) -> u64 {
        self.measurements
    }

    /// Handshakes counted.
    pub fn handshakes(&self) -> u64 {
        self.handshakes
    }

    /// Handshakes in which a certificate was recorded.
    pub fn with_chain(&self) -> u64 {
        self.with_chain
    }

    /// Judgements by verdict, all verdicts, worst first.
    pub fn verdicts(&self) -> impl Iterator<Item = (Verdict, u64)> {
        let count = |verdict: &Verdict| self.verdicts.get(verdict).copied().unwrap_or(0);
        Verdict::ALL.into_iter().map(move |verdict| (verdict, count(&verdict)))
    }

    /// Handshakes by day and AS number, in that order.
    pub fn per_day(&self) -> impl Iterator<Item = (time::Date, u32, DayCount)> {
        self.per_day.iter().map(|((day, asn), count)| (*day, *asn, *count))
    }
}

/// Whose interception it is; `None` where nobody intercepts.
fn who(judgement: &Judgement) -> Option<Who> {
    if judgement.verdict != Verdict::Intercepted || judgement.actor == Some(Actor::Portal) {
        return None;
    }
    if let Some(id) = &judgement.interceptor {
        return Some(Who::Dossier(id.clone()));
    }
    if let Some(key) = &judgement.signing_key {
        return Some(Who::Key(key.key_hash));
    }
    let last = last_link(judgement)?;
    Some(match &last.aki {
        Some(aki) => Who::KeyId(data_encoding::HEXLOWER.encode(aki)),
        None => Who::Issuer(last.issuer.to_string()),
    })
}

/// The topmost certificate of the path that was sent.
fn last_link(judgement: &Judgement) -> Option<&Fields> {
    let last = *judgement.path.as_ref()?.links.last()?;
    judgement.chain.as_ref()?.certificates()[last].fields()
}

/// The name under which a report counts what is wrong and no campaign.
fn not_a_campaign(judgement: &Judgement) -> Option<&'static str> {
    let rests = |on: Basis| judgement.basis.contains(&on);
    match judgement.verdict {
        Verdict::Normal => None,
        _ if judgement.has("site-chose-state-ca") => Some("site-chose-state-ca"),
        Verdict::Inconclusive if rests(Basis::Session) => Some("clock-skew"),
        Verdict::Inconclusive if rests(Basis::Consensus) => Some("instrument-defect"),
        Verdict::Inconclusive if judgement.has("private-pki") => Some("private-pki"),
        Verdict::Anomaly if rests(Basis::Address) => Some("dns-redirected"),
        Verdict::Anomaly if rests(Basis::Consensus) && rests(Basis::PublicAnchor) => {
            Some("consensus-outlier")
        }
        Verdict::Intercepted => Some("portal"),
        other => Some(other.as_str()),
    }
}

impl Interception {
    fn new(actor: Actor, level: Level) -> Self {
        Self {
            actor,
            level,
            first_seen: None,
            last_seen: None,
            cells: BTreeMap::new(),
            anchors: BTreeMap::new(),
            issuers: BTreeSet::new(),
            intermediates: BTreeMap::new(),
            days: BTreeMap::new(),
            browsers: Shown::default(),
        }
    }

    fn observe(&mut self, judgement: &Judgement, cell: Cell) {
        self.level = self.level.max(judgement.level.unwrap_or(Level::Possible));
        self.seen(judgement.started, judgement.started);
        *self.cells.entry(cell).or_default() += 1;
        self.browsers.observe(&judgement.browsers, judgement.started);
        if let Some(SigningKey { key_hash, subject }) = &judgement.signing_key {
            self.anchors.entry(*key_hash).or_insert_with(|| subject.clone());
        } else if let Some(last) = last_link(judgement) {
            self.issuers.insert(last.issuer.to_string());
        }
        let mut outside = false;
        let used = intermediate::of(judgement);
        for (name, seen) in used.iter().cloned() {
            outside |= seen.used_outside_validity > 0;
            match self.intermediates.get_mut(&name) {
                Some(kept) => kept.merge(&seen),
                None => {
                    self.intermediates.insert(name, seen);
                }
            }
        }
        if let (Some(at), false) = (judgement.started, used.is_empty()) {
            self.days.entry(at.date()).or_default().observe(at, outside);
        }
    }

    fn merge(&mut self, other: Self) {
        self.level = self.level.max(other.level);
        self.seen(other.first_seen, other.last_seen);
        add(&mut self.cells, other.cells);
        self.browsers.merge(other.browsers);
        self.issuers.extend(other.issuers);
        for (key, subject) in other.anchors {
            self.anchors.entry(key).or_insert(subject);
        }
        for (name, seen) in other.intermediates {
            match self.intermediates.get_mut(&name) {
                Some(kept) => kept.merge(&seen),
                None => {
                    self.intermediates.insert(name, seen);
                }
            }
        }
        for (day, used) in other.days {
            self.days.entry(day).or_default().merge(&used);
        }
    }

    fn seen(&mut self, first: Option<OffsetDateTime>, last: Option<OffsetDateTime>) {
        self.first_seen = earlier(self.first_seen, first);
        self.last_seen = self.last_seen.max(last);
    }
}

impl Example {
    fn of(judgement: &Judgement) -> Self {
        Self {
            measurement_uid: judgement.measurement_uid.clone(),
            line: judgement.line,
            started: judgement.started,
            target: judgement.target.clone().unwrap_or_default(),
            endpoint: judgement.endpoint,
            vantage: (judgement.probe_cc.clone(), judgement.probe_asn),
            verdict: judgement.verdict,
            level: judgement.level,
            findings: judgement.findings.clone(),
            chain: judgement.chain.clone(),
        }
    }

    /// Earliest first; the rest only makes the choice the same in every order of counting.
    fn order(&self) -> impl Ord {
        let chain = self.chain.as_ref().map(Chain::fingerprints);
        (
            self.started.map_or(i64::MAX, OffsetDateTime::unix_timestamp),
            self.measurement_uid.clone(),
            self.line,
            self.endpoint,
            chain,
            self.vantage.clone(),
        )
    }
}

/// The earlier of two moments, where there is any.
fn earlier(left: Option<OffsetDateTime>, right: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, more: BTreeMap<K, u64>) {
    for (key, count) in more {
        *counts.entry(key).or_default() += count;
    }
}
