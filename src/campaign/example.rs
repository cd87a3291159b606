//! Examples: the earliest handshake of its kind for one target, with all that a reader needs to check it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::row::Position;
use crate::chain::{Chain, Fingerprint};
use crate::detect::{Finding, Level};
use crate::verdict::{Judgement, Verdict};

/// The earliest handshake of its kind for one target, with all that a reader needs to check it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The measurement's name.
    pub measurement_uid: Option<String>,
    /// The SHA-256 of the record, where it is at hand.
    pub record: Option<Fingerprint>,
    /// Line of the record, from 1.
    pub line: Option<u64>,
    /// When.
    #[serde(with = "super::stored::moment")]
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

/// Where an example is found, and what it says once somebody has told it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) position: Position,
    #[serde(with = "super::stored::text")]
    pub(super) told: Option<Example>,
}

impl Example {
    pub(super) fn of(record: Option<Fingerprint>, judgement: &Judgement) -> Self {
        Self {
            measurement_uid: judgement.measurement_uid.clone(),
            record,
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
}

impl Kept {
    pub(super) fn at(position: Position) -> Self {
        Self { position, told: None }
    }

    /// The first of two; of one place that which was told.
    pub(super) fn take(&mut self, other: Self) {
        if other.position < self.position {
            *self = other;
        } else if other.position == self.position && self.told.is_none() {
            self.told = other.told;
        }
    }
}
