//! Detectors: each asks one question of a handshake and answers with evidence or not at all.

mod blocklisted;
mod captive_portal;
mod case;
mod clock_skew;
mod consensus_outlier;
mod control_mismatch;
mod dns_redirected;
mod expired_in_use;
mod forged_leaf;
mod innocent;
mod instrument_defect;
mod interceptor_family;
mod interceptor_name;
mod invalid_scts;
mod known_forgery;
mod known_interceptor;
mod known_product;
mod local_anchor;
mod missing_scts;
mod noted_authority;
mod one_chain_for_all;
mod private_pki;
mod site_chose_state_ca;
mod stored;
mod unknown_anchor;
mod weak_key;

#[cfg(test)]
pub(crate) mod testing;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use case::Case;
pub use innocent::{Innocent, State};

/// Every detector, in the order in which judgements list their findings.
pub static DETECTORS: &[&Detector] = &[
    &known_forgery::DETECTOR,
    &known_interceptor::DETECTOR,
    &noted_authority::DETECTOR,
    &captive_portal::DETECTOR,
    &one_chain_for_all::DETECTOR,
    &clock_skew::DETECTOR,
    &instrument_defect::DETECTOR,
    &dns_redirected::DETECTOR,
    &site_chose_state_ca::DETECTOR,
    &private_pki::DETECTOR,
    &local_anchor::DETECTOR,
    &interceptor_family::DETECTOR,
    &interceptor_name::DETECTOR,
    &control_mismatch::DETECTOR,
    &consensus_outlier::DETECTOR,
    &forged_leaf::DETECTOR,
    &known_product::DETECTOR,
    &unknown_anchor::DETECTOR,
    &blocklisted::DETECTOR,
    &expired_in_use::DETECTOR,
    &weak_key::DETECTOR,
    &missing_scts::DETECTOR,
    &invalid_scts::DETECTOR,
];

/// One question asked of every handshake.
#[derive(Debug)]
pub struct Detector {
    /// Stable kebab-case name. Published judgements refer to it, so its meaning never changes.
    pub id: &'static str,
    /// The highest level that a finding of it can carry.
    pub level: Level,
    /// What a finding asserts, in one sentence.
    pub claim: &'static str,
    /// Innocent causes that a reader must rule out before believing the claim.
    pub innocent: &'static [Innocent],
    /// The standard or publication that the rule rests on.
    pub source: &'static str,
    /// A drawn chain that it speaks of, which is a row of its table, and what its evidence reads.
    pub example: &'static str,
    /// Pure: the same case always has the same outcome.
    pub(crate) examine: fn(&Case<'_>) -> Outcome,
}

/// How sure a finding or a judgement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It fits; other explanations fit as well.
    Possible,
    /// One line of evidence, and the obvious other explanations are ruled out.
    Probable,
    /// A key proves it, or two independent lines of evidence do.
    Confirmed,
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Possible => "possible",
            Self::Probable => "probable",
            Self::Confirmed => "confirmed",
        })
    }
}

/// A detector's answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The question cannot be asked of this handshake.
    NotApplicable,
    /// Asked, and no.
    Clear,
    /// Asked, and yes.
    Found {
        /// At most the detector's own level.
        level: Level,
        /// What the claim rests on; keys in snake_case.
        evidence: Map<String, Value>,
    },
}

impl Outcome {
    /// `evidence` is a JSON object.
    fn found(level: Level, evidence: Value) -> Self {
        let Value::Object(evidence) = evidence else { unreachable!("evidence is an object") };
        Self::Found { level, evidence }
    }
}

/// A detector that spoke.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The detector's id.
    pub detector: &'static str,
    /// How sure it is.
    pub level: Level,
    /// What it asserts.
    pub claim: &'static str,
    /// What the claim rests on.
    pub evidence: Map<String, Value>,
    /// What else could cause it, and whether that was ruled out.
    pub innocent: Vec<Explanation>,
}

/// One innocent cause and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The cause, in words.
    pub cause: &'static str,
    /// Whether it still stands.
    #[serde(flatten)]
    pub state: State,
}

/// Asks every detector.
pub(crate) fn findings(case: &Case<'_>) -> Vec<Finding> {
    let found = DETECTORS.iter().filter_map(|detector| match (detector.examine)(case) {
        Outcome::Found { level, evidence } => Some(Finding {
            detector: detector.id,
            level: level.min(detector.level),
            claim: detector.claim,
            evidence,
            innocent: innocent::explanations(detector.innocent, case),
        }),
        Outcome::Clear | Outcome::NotApplicable => None,
    });
    found.collect()
}
