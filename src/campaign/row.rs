//! Judgements that count alike, by place and by day: what a fold over an archive is fed with.

use time::OffsetDateTime;

use super::shape::Shape;
use crate::chain::{Chain, Fingerprint};
use crate::measurement::Measurement;
use crate::verdict::Judgement;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// How many judgements of one [`Shape`] there were in one network for one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Country of the vantage points.
    pub country: String,
    /// Their autonomous system; 0 when unknown.
    pub asn: u32,
    /// The host that was meant; empty where none was.
    pub target: String,
    /// Judgements.
    pub judgements: u64,
    /// Measurements whose first judgement is among them.
    pub measurements: u64,
    /// When the first measurement began, in seconds since 1970, where known.
    pub first: Option<i64>,
    /// When the last one began.
    pub last: Option<i64>,
    /// The smallest of the names that records give the network; `None` where none does.
    pub network: Option<String>,
    /// The first of them by [`Position`], where a report may show it.
    pub example: Option<Position>,
}

/// How many judgements of one [`Shape`] there were on one day in one network, whatever the name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// The day in UTC, counted from 1970.
    pub day: i64,
    /// Autonomous system of the vantage points; 0 when unknown.
    pub asn: u32,
    /// Judgements.
    pub judgements: u64,
    /// When the first measurement of the day began, in seconds since 1970.
    pub first: i64,
    /// When the last one began.
    pub last: i64,
}

/// Where a judgement is found again. The least of several is the earliest, and the same one in
/// whatever order records arrived.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Position {
    /// When the measurement began, in seconds since 1970; the greatest number when unknown.
    pub started: i64,
    /// The SHA-256 of the record; of what is shown of it, where the record is not at hand.
    pub record: Fingerprint,
    /// Which of the record's judgements, from 0.
    pub judgement: u32,
    /// Number or line of the record, from 1; 0 when unknown.
    pub number: u64,
}

impl Row {
    /// The row of one judgement alone: that at `position` among those of its measurement.
    pub fn of(
        record: Option<Fingerprint>,
        measurement: &Measurement,
        judgement: &Judgement,
        position: u32,
        shape: &Shape,
    ) -> Self {
        let network = Some(&measurement.vantage.network).filter(|name| !name.is_empty());
        let seconds = judgement.started.map(OffsetDateTime::unix_timestamp);
        Self {
            country: judgement.probe_cc.clone(),
            asn: judgement.probe_asn,
            target: judgement.target.clone().unwrap_or_default(),
            judgements: 1,
            measurements: u64::from(position == 0),
            first: seconds,
            last: seconds,
            network: network.cloned(),
            example: shape.is_shown().then(|| Position::of(record, judgement, position)),
        }
    }

    /// Counts `other`, a row of the same place, name and shape, with this one.
    pub fn join(&mut self, other: Self) {
        self.judgements += other.judgements;
        self.measurements += other.measurements;
        self.first = least(self.first, other.first);
        self.last = self.last.max(other.last);
        self.network = least(self.network.take(), other.network);
        self.example = least(self.example, other.example);
    }
}

impl Day {
    /// The row of one judgement alone; `None` where nobody knows when it was.
    pub fn of(judgement: &Judgement) -> Option<Self> {
        let at = judgement.started?.unix_timestamp();
        let asn = judgement.probe_asn;
        Some(Self { day: at.div_euclid(DAY), asn, judgements: 1, first: at, last: at })
    }

    /// Counts `other`, a row of the same day, network and shape, with this one.
    pub fn join(&mut self, other: Self) {
        self.judgements += other.judgements;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

impl Position {
    /// Bytes that sort as positions do.
    pub const BYTES: usize = 52;

    /// That of the judgement at `position` among those of its measurement.
    pub fn of(record: Option<Fingerprint>, judgement: &Judgement, position: u32) -> Self {
        Self {
            started: judgement.started.map_or(i64::MAX, OffsetDateTime::unix_timestamp),
            record: record.unwrap_or_else(|| shown(judgement)),
            judgement: position,
            number: judgement.line.unwrap_or_default(),
        }
    }

    /// In bytes, which sort as positions do.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&(self.started ^ i64::MIN).to_be_bytes());
        bytes[8..40].copy_from_slice(self.record.as_bytes());
        bytes[40..44].copy_from_slice(&self.judgement.to_be_bytes());
        bytes[44..].copy_from_slice(&self.number.to_be_bytes());
        bytes
    }

    /// The position in these bytes; `None` where they are not as many.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::BYTES] = bytes.try_into().ok()?;
        let (started, rest) = bytes.split_first_chunk()?;
        let (record, rest) = rest.split_first_chunk::<32>()?;
        let (judgement, number) = rest.split_first_chunk()?;
        Some(Self {
            started: i64::from_be_bytes(*started) ^ i64::MIN,
            record: Fingerprint::from(*record),
            judgement: u32::from_be_bytes(*judgement),
            number: u64::from_be_bytes(number.try_into().ok()?),
        })
    }
}

/// A hash of all by which a reader tells one record from another.
fn shown(judgement: &Judgement) -> Fingerprint {
    let chain = judgement.chain.as_ref().map(Chain::fingerprints);
    let told = (
        &judgement.measurement_uid,
        judgement.endpoint,
        chain,
        (&judgement.probe_cc, judgement.probe_asn),
        &judgement.target,
    );
    Fingerprint::of(&postcard::to_stdvec(&told).unwrap_or_default())
}

/// The lesser of two, where there is any.
pub(super) fn least<T: Ord>(left: Option<T>, right: Option<T>) -> Option<T> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}
