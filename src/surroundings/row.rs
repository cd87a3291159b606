//! What one program in one network saw of one key for one name.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::smallest::SmallestOf;
use crate::chain::KeyHash;
use crate::measurement::{Handshake, Measurement};
use crate::sighting::Sighting;

/// Longest foreign text that is kept, in characters: no record decides how much memory is used.
const MAX_TEXT: usize = 128;

/// The beginning of a foreign text.
pub(super) fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

/// Where handshakes were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Network {
    /// Country.
    pub country: String,
    /// Autonomous system; 0 when unknown.
    pub asn: u32,
}

/// What made them: a defect follows the version of the program, per test.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Client {
    /// The test.
    pub test: String,
    /// The program, or the library in it that measures.
    pub program: String,
    /// Its version.
    pub version: String,
}

/// The grain in which sightings are counted; by name first.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowKey {
    /// The name that was meant.
    pub name: String,
    /// Key of the leaf, where the leaf was recorded.
    pub leaf: Option<KeyHash>,
    /// Where.
    pub network: Network,
    /// With what.
    pub client: Client,
}

/// Counts of one grain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Measurements: one may shake hands at several addresses.
    pub measurements: u64,
    /// Handshakes.
    pub handshakes: u64,
    /// Those that a root program or the recording client vouches for.
    pub trusted: u64,
    /// Refusals of what was presented, by code.
    pub refusals: BTreeMap<String, u64>,
    /// First and last moment, in seconds since 1970.
    pub span: Option<(i64, i64)>,
    /// Days, counted from the Julian epoch.
    pub days: SmallestOf<i32, 32>,
    /// Keys that signed the chain, and the key of an authority that was recorded alone.
    pub authorities: SmallestOf<KeyHash, 8>,
    /// Where connections went.
    pub addresses: SmallestOf<IpAddr, 16>,
    /// Who was asked for addresses.
    pub resolvers: SmallestOf<String, 4>,
}

impl Client {
    /// The engine, where the record names one: programs of several names share it.
    pub fn of(measurement: &Measurement) -> Self {
        let note = |key: &str| measurement.annotations.get(key);
        let software = &measurement.software;
        Self {
            test: short(&software.test),
            program: short(note("engine_name").unwrap_or(&software.name)),
            version: short(note("engine_version").unwrap_or(&software.version)),
        }
    }
}

impl std::fmt::Display for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.program, self.version)
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} AS{}", self.country, self.asn)
    }
}

impl Network {
    /// The network of a record.
    pub fn of(measurement: &Measurement) -> Self {
        Self { country: measurement.vantage.country.clone(), asn: measurement.vantage.asn }
    }
}

impl Row {
    pub(super) fn add(
        &mut self,
        measurement: &Measurement,
        shaken: &Handshake,
        sighting: &Sighting<'_>,
    ) {
        self.handshakes += 1;
        self.trusted += u64::from(sighting.vouched || is_accepted(shaken));
        if let Some(failure) = shaken.failure.as_ref().filter(|code| code.is_about_certificate()) {
            *self.refusals.entry(failure.code().to_owned()).or_default() += 1;
        }
        if let Some(started) = measurement.started {
            let at = started.unix_timestamp();
            self.seen(Some((at, at)));
            self.days.insert(started.to_julian_day());
        }
        for key in &sighting.signers {
            self.authorities.insert(*key);
        }
        if let (None, Some(chain)) = (sighting.leaf, &shaken.chain)
            && let Some(alone) = chain.first().fields()
        {
            self.authorities.insert(alone.key_hash);
        }
        if let Some(address) = address(measurement, shaken) {
            self.addresses.insert(address);
        }
        for query in &measurement.queries {
            if query.hostname.trim_end_matches('.').eq_ignore_ascii_case(&sighting.name) {
                let named = Some(&query.resolver).filter(|resolver| !resolver.is_empty());
                self.resolvers.insert(short(named.unwrap_or(&query.engine)));
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.measurements += other.measurements;
        self.handshakes += other.handshakes;
        self.trusted += other.trusted;
        for (code, count) in other.refusals {
            *self.refusals.entry(code).or_default() += count;
        }
        self.seen(other.span);
        self.days.union(other.days);
        self.authorities.union(other.authorities);
        self.addresses.union(other.addresses);
        self.resolvers.union(other.resolvers);
    }

    fn seen(&mut self, more: Option<(i64, i64)>) {
        self.span = match (self.span, more) {
            (Some((first, last)), Some((from, until))) => Some((first.min(from), last.max(until))),
            (span, more) => span.or(more),
        };
    }

    /// Whether it was seen on one of `days`, or on the day before or after.
    pub fn is_near(&self, days: &BTreeSet<i32>) -> bool {
        self.days.keys().any(|day| days.range(day - 1..=day + 1).next().is_some())
    }
}

/// Whether the client that made the record verified what it saw and had nothing against it.
pub(super) fn is_accepted(shaken: &Handshake) -> bool {
    shaken.failure.is_none() && !shaken.unverified && shaken.extra.holds_key.is_none()
}

/// Where the connection went, as far as DNS sent it there: the route that a user chose says nothing
/// about anybody.
pub fn address(measurement: &Measurement, shaken: &Handshake) -> Option<IpAddr> {
    let chosen = measurement.annotations.contains_key("connect_to");
    shaken.endpoint.filter(|_| !chosen).map(|endpoint| endpoint.ip().to_canonical())
}
