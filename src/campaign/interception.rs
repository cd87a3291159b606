//! All handshakes of one interceptor, added up.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::browsers::Shown;
use super::intermediate::{DayUse, Intermediate};
use super::row::{Day, Row, least};
use super::shape::{Intercepted, Who};
use super::{Cell, add};
use crate::chain::{Fingerprint, KeyHash};
use crate::detect::Level;
use crate::reference::Actor;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Interception {
    pub(super) actor: Actor,
    pub(super) level: Level,
    pub(super) first_seen: Option<i64>,
    pub(super) last_seen: Option<i64>,
    pub(super) cells: BTreeMap<Cell, u64>,
    pub(super) anchors: BTreeMap<KeyHash, String>,
    /// Names of signers whose keys are not known.
    pub(super) issuers: BTreeSet<String>,
    pub(super) intermediates: BTreeMap<Fingerprint, Intermediate>,
    /// By day, counted from 1970.
    pub(super) days: BTreeMap<i64, DayUse>,
    pub(super) browsers: Shown,
}

/// From how many networks a product's key makes it something else than a product at home: a
/// product makes a key of its own on every machine.
const TOO_MANY_NETWORKS: usize = 3;

impl Interception {
    pub(super) fn new(actor: Actor, level: Level) -> Self {
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

    pub(super) fn observe(&mut self, row: &Row, cell: Cell, found: &Intercepted) {
        self.who(found.actor, found.level);
        self.seen(row.first, row.last);
        *self.cells.entry(cell).or_default() += row.judgements;
        self.browsers.observe(&found.answers, row);
        if let Some((key, subject)) = &found.anchor {
            self.anchor(*key, subject.clone());
        }
        self.issuers.extend(found.issuer.clone());
        for (name, used) in &found.intermediates {
            let kept = self.intermediates.entry(*name);
            kept.or_insert_with(|| Intermediate::of(used)).observe(used, row);
        }
    }

    pub(super) fn observe_day(&mut self, day: &Day, found: &Intercepted) {
        if !found.intermediates.is_empty() {
            let outside = found.intermediates.iter().any(|(_, used)| used.outside);
            self.days.entry(day.day).or_default().observe(day, outside);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.who(other.actor, other.level);
        self.seen(other.first_seen, other.last_seen);
        add(&mut self.cells, other.cells);
        self.browsers.merge(other.browsers);
        self.issuers.extend(other.issuers);
        for (key, subject) in other.anchors {
            self.anchor(key, subject);
        }
        for (name, seen) in other.intermediates {
            match self.intermediates.get_mut(&name) {
                Some(kept) => kept.merge(&seen),
                None => _ = self.intermediates.insert(name, seen),
            }
        }
        for (day, used) in other.days {
            self.days.entry(day).or_default().merge(&used);
        }
    }

    /// A product at home is none, unless its very key turns up in network after network; one whose
    /// dossier says that it has the same key everywhere is none there either.
    pub(super) fn is_campaign(&self, who: &Who) -> bool {
        let networks: BTreeSet<_> =
            self.cells.keys().map(|cell| cell.asn).filter(|asn| *asn != 0).collect();
        let everywhere = matches!(who, Who::Dossier(_));
        self.actor != Actor::Local || (!everywhere && networks.len() >= TOO_MANY_NETWORKS)
    }

    /// One key may be judged differently in two places. What it did beyond a machine is what is told
    /// of it, and of several kinds the first, so that the order of counting tells nothing.
    fn who(&mut self, actor: Actor, level: Level) {
        let kind = |actor: Actor| (actor == Actor::Local, actor == Actor::Unknown, actor);
        self.actor = std::cmp::min_by_key(self.actor, actor, |actor| kind(*actor));
        self.level = self.level.max(level);
    }

    /// Of several subjects of one key the first.
    fn anchor(&mut self, key: KeyHash, subject: String) {
        let kept = self.anchors.entry(key).or_insert_with(|| subject.clone());
        if subject < *kept {
            *kept = subject;
        }
    }

    fn seen(&mut self, first: Option<i64>, last: Option<i64>) {
        self.first_seen = least(self.first_seen, first);
        self.last_seen = self.last_seen.max(last);
    }
}
