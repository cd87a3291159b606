//! Many judged measurements to campaigns: a pure fold whose parts add up in any order.
//!
//! Judgements that count alike are one [`Row`] by place and one [`Day`] by time, with a [`Shape`]. A tally
//! is fed with these, whoever grouped them: one judgement alone is a row as well.

mod browsers;
mod class;
mod describe;
mod example;
mod interception;
mod intermediate;
mod interval;
mod row;
mod shape;
mod stored;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use browsers::BrowserRow;
pub use describe::{AnchorRow, Campaign, IntermediateRow, NetworkRow, TargetRow, Window};
pub use example::Example;
pub use intermediate::decimal;
pub use interval::Rate;
pub use row::{Day, Position, Row};
pub use shape::{Shape, ShapeId};

use crate::chain::Fingerprint;
use crate::detect::Level;
use crate::measurement::Measurement;
use crate::moment::rfc3339;
use crate::verdict::{Judgement, Verdict};
use class::Class;
use example::Kept;
use interception::Interception;
use shape::{Group, Intercepted, Who};

/// Counts of judged measurements. Two tallies of two halves, merged in either order, equal the
/// tally of the whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    measurements: u64,
    handshakes: u64,
    with_chain: u64,
    verdicts: BTreeMap<Verdict, u64>,
    /// The highest of all judgements.
    level: Option<Level>,
    not_campaigns: BTreeMap<Class, u64>,
    cells: BTreeMap<Cell, u64>,
    network_names: BTreeMap<u32, String>,
    interceptions: BTreeMap<Who, Interception>,
    examples: BTreeMap<(Group, String), Kept>,
    /// By day, counted from 1970, and network.
    per_day: BTreeMap<(i64, u32), DayCount>,
}

/// Where and what: the finest grain in which handshakes are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Cell {
    country: String,
    asn: u32,
    target: String,
}

/// Handshakes of one day in one network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCount {
    /// All of them.
    pub handshakes: u64,
    /// Those intercepted in a campaign.
    pub intercepted: u64,
}

impl Tally {
    /// Counts one measurement and its judgements.
    pub fn observe(&mut self, measurement: &Measurement, judgements: &[Judgement]) {
        self.observe_record(None, measurement, judgements);
    }

    /// The same for a record whose SHA-256 is at hand.
    pub fn observe_record(
        &mut self,
        record: Option<Fingerprint>,
        measurement: &Measurement,
        judgements: &[Judgement],
    ) {
        for (position, judgement) in (0..).zip(judgements) {
            let shape = Shape::of(measurement, judgement);
            let row = Row::of(record, measurement, judgement, position, &shape);
            self.count(&row, &shape);
            if let Some(day) = Day::of(judgement) {
                self.count_day(&day, &shape);
            }
            if let Some(position) = row.example {
                self.keep_told(position, record, judgement, &shape);
            }
        }
    }

    /// Counts the judgements of a row, by place: they are to be counted by day as well. Of the example
    /// only its position is known then: see [`Tally::untold`].
    pub fn count(&mut self, row: &Row, shape: &Shape) {
        self.measurements += row.measurements;
        *self.verdicts.entry(shape.verdict).or_default() += row.judgements;
        self.level = self.level.max(shape.level);
        if let Some(name) = &row.network {
            self.name_network(row.asn, name);
        }
        if !shape.handshake {
            return;
        }
        self.handshakes += row.judgements;
        self.with_chain += if shape.chain { row.judgements } else { 0 };
        let cell = Cell { country: row.country.clone(), asn: row.asn, target: row.target.clone() };
        if let Some(found) = &shape.interception {
            self.interception(found).observe(row, cell.clone(), found);
        }
        if let Some(class) = shape.class {
            *self.not_campaigns.entry(class).or_default() += row.judgements;
        }
        if let (Some(group), Some(position)) = (shape.group(), row.example) {
            self.keep((group, row.target.clone()), Kept::at(position));
        }
        *self.cells.entry(cell).or_default() += row.judgements;
    }

    /// Counts the same judgements by day, as far as it is known.
    pub fn count_day(&mut self, day: &Day, shape: &Shape) {
        if !shape.handshake {
            return;
        }
        let count = self.per_day.entry((day.day, day.asn)).or_default();
        count.handshakes += day.judgements;
        count.intercepted += if shape.is_in_campaign() { day.judgements } else { 0 };
        if let Some(found) = &shape.interception {
            self.interception(found).observe_day(day, found);
        }
    }

    fn interception(&mut self, found: &Intercepted) -> &mut Interception {
        let kept = self.interceptions.entry(found.who.clone());
        kept.or_insert_with(|| Interception::new(found.actor, found.level))
    }

    /// Where the examples are of which nothing is known yet but that they are the earliest.
    pub fn untold(&self) -> impl Iterator<Item = Position> {
        let untold = self.examples.values().filter(|kept| kept.told.is_none());
        untold.map(|kept| kept.position)
    }

    /// Says what the example at `position` is: a judgement made of the record there once more.
    pub fn tell(&mut self, position: Position, judgement: &Judgement) {
        let shape = Shape::with(judgement, true);
        self.keep_told(position, Some(position.record), judgement, &shape);
    }

    fn keep_told(
        &mut self,
        position: Position,
        record: Option<Fingerprint>,
        judgement: &Judgement,
        shape: &Shape,
    ) {
        let Some(group) = shape.group() else { return };
        let key = (group, judgement.target.clone().unwrap_or_default());
        if let Some(kept) = self.examples.get_mut(&key)
            && kept.position == position
            && kept.told.is_none()
        {
            kept.told = Some(Example::of(record, judgement));
        }
    }

    fn keep(&mut self, key: (Group, String), kept: Kept) {
        match self.examples.get_mut(&key) {
            Some(known) => known.take(kept),
            None => _ = self.examples.insert(key, kept),
        }
    }

    fn name_network(&mut self, asn: u32, name: &str) {
        match self.network_names.get_mut(&asn) {
            Some(kept) if *name < **kept => name.clone_into(kept),
            Some(_) => {}
            None => _ = self.network_names.insert(asn, name.to_owned()),
        }
    }

    /// Adds what another tally counted.
    pub fn merge(&mut self, other: Self) {
        self.measurements += other.measurements;
        self.handshakes += other.handshakes;
        self.with_chain += other.with_chain;
        add(&mut self.verdicts, other.verdicts);
        self.level = self.level.max(other.level);
        add(&mut self.not_campaigns, other.not_campaigns);
        add(&mut self.cells, other.cells);
        for (asn, name) in other.network_names {
            self.name_network(asn, &name);
        }
        for (who, found) in other.interceptions {
            match self.interceptions.get_mut(&who) {
                Some(kept) => kept.merge(found),
                None => _ = self.interceptions.insert(who, found),
            }
        }
        for (key, kept) in other.examples {
            self.keep(key, kept);
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

    /// The highest level of any judgement, where something is asserted.
    pub fn level(&self) -> Option<Level> {
        self.level
    }

    /// Judgements by verdict, all verdicts, worst first.
    pub fn verdicts(&self) -> impl Iterator<Item = (Verdict, u64)> {
        let count = |verdict: &Verdict| self.verdicts.get(verdict).copied().unwrap_or(0);
        Verdict::ALL.into_iter().map(move |verdict| (verdict, count(&verdict)))
    }

    /// Handshakes by day and AS number, in that order.
    pub fn per_day(&self) -> impl Iterator<Item = (time::Date, u32, DayCount)> {
        self.per_day.iter().filter_map(|((day, asn), count)| {
            let moment = OffsetDateTime::from_unix_timestamp(day.checked_mul(86_400)?).ok()?;
            Some((moment.date(), *asn, *count))
        })
    }
}

/// A moment, given in seconds since 1970, in RFC 3339.
fn moment(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).map_or_else(|_| seconds.to_string(), rfc3339)
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, more: BTreeMap<K, u64>) {
    for (key, count) in more {
        *counts.entry(key).or_default() += count;
    }
}
