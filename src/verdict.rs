//! Findings to one verdict for each handshake: every step removes an innocent explanation.

mod conclude;
mod listed;
mod written;

use std::net::SocketAddr;

use conclude::conclude;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::attribution::Basis;
use crate::browser::{Outcome, Question, outcomes};
use crate::chain::Chain;
use crate::detect::{Case, Finding, Level, findings};
use crate::measurement::{Failure, Handshake, Measurement};
use crate::memory::Memory;
use crate::path::{Path, SigningKey};
use crate::reference::{Actor, Reference};
use crate::surroundings::Surroundings;
use crate::trust::Answer;

/// Names the rules of this program: a hash of all code that a judgement is made by, so that whoever
/// stores judgements knows which rules they are of.
pub const RULES: &str = env!("KUA_RULES");

/// What a handshake shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Somebody between probe and site answered in the site's place.
    Intercepted,
    /// The handshake was cut in a way that the controls' were not.
    Blocked,
    /// Wrong, and unexplained.
    Anomaly,
    /// The site itself presents the bad chain.
    Misconfigured,
    /// Nobody can say. Never good news.
    Inconclusive,
    /// A root program vouched for the chain, and its holder answered.
    Normal,
}

impl Verdict {
    /// Every verdict, worst first.
    pub const ALL: [Self; 6] = [
        Self::Intercepted,
        Self::Blocked,
        Self::Anomaly,
        Self::Misconfigured,
        Self::Inconclusive,
        Self::Normal,
    ];

    /// As judgements write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anomaly => "anomaly",
            Self::Blocked => "blocked",
            Self::Inconclusive => "inconclusive",
            Self::Intercepted => "intercepted",
            Self::Misconfigured => "misconfigured",
            Self::Normal => "normal",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The judgement of one handshake, or of a measurement that reached none. Serialises as
/// `kua.judgement/1`.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The measurement's name.
    pub measurement_uid: Option<String>,
    /// Line of the record in its file, from 1.
    pub line: Option<u64>,
    /// The host that was meant.
    pub target: Option<String>,
    /// Where the probe connected to.
    pub endpoint: Option<SocketAddr>,
    /// Country of the vantage point.
    pub probe_cc: String,
    /// Autonomous system of the vantage point; 0 when unknown.
    pub probe_asn: u32,
    /// When the measurement began.
    pub started: Option<OffsetDateTime>,
    /// What it shows.
    pub verdict: Verdict,
    /// Who intercepts; only with [`Verdict::Intercepted`].
    pub actor: Option<Actor>,
    /// How sure; only where something is asserted of somebody or something.
    pub level: Option<Level>,
    /// The interceptor's dossier; only where one of its keys signed.
    pub interceptor: Option<String>,
    /// What the verdict rests on; sorted.
    pub basis: Vec<Basis>,
    /// The key that signed the chain, where it is known.
    pub signing_key: Option<SigningKey>,
    /// The presented chain, whole or as far as it was recorded.
    pub chain: Option<Chain>,
    /// How the step failed, by the record.
    pub failure: Option<Failure>,
    /// Every detector that spoke.
    pub findings: Vec<Finding>,
    /// What each root program says of the chain; empty where no leaf or no name is known.
    pub programs: Vec<Answer>,
    /// Who signed whom in the chain.
    pub path: Option<Path>,
    /// What clients would have shown; empty for [`Verdict::Normal`] and without a chain.
    pub browsers: Vec<Outcome>,
}

impl Judgement {
    /// Whether a detector spoke.
    pub fn has(&self, detector: &str) -> bool {
        self.finding(detector).is_some()
    }

    /// What a detector said.
    pub fn finding(&self, detector: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.detector == detector)
    }
}

/// Judges every handshake of a measurement, in order; a measurement without one has one judgement.
///
/// Pure, so that an old archive can be judged again with newer detectors and a newer reference.
pub fn judge(
    measurement: &Measurement,
    reference: &Reference,
    surroundings: &Surroundings,
    line: Option<u64>,
) -> Vec<Judgement> {
    judge_with(&mut Memory::with_room(reference, 0), measurement, surroundings, line)
}

/// The same, and faster where chains come again: what was worked out of a chain is remembered.
pub fn judge_with(
    memory: &mut Memory<'_>,
    measurement: &Measurement,
    surroundings: &Surroundings,
    line: Option<u64>,
) -> Vec<Judgement> {
    let mut judged = |shaken: Option<&Handshake>| {
        judge_case(&Case::new(measurement, shaken, memory, surroundings), line)
    };
    if measurement.handshakes.is_empty() {
        return vec![judged(None)];
    }
    measurement.handshakes.iter().map(|shaken| judged(Some(shaken))).collect()
}

fn judge_case(case: &Case<'_>, line: Option<u64>) -> Judgement {
    let findings = findings(case);
    let conclusion = conclude(case, &findings);
    let measurement = case.measurement;
    let (actor, interceptor, signing_key) = match conclusion.attribution {
        Some(found) => (Some(found.actor), found.interceptor, found.signing_key),
        None => (None, None, case.anchor()),
    };
    Judgement {
        measurement_uid: measurement.uid.clone(),
        line,
        target: case.target.clone(),
        endpoint: endpoint(case),
        probe_cc: measurement.vantage.country.clone(),
        probe_asn: measurement.vantage.asn,
        started: measurement.started,
        verdict: conclusion.verdict,
        actor,
        level: conclusion.level,
        interceptor,
        basis: conclusion.basis,
        signing_key,
        chain: case.chain().cloned(),
        failure: failure(case).cloned(),
        findings,
        programs: programs(case),
        path: case.path.clone(),
        browsers: shown_by_browsers(case, conclusion.verdict),
    }
}

fn shown_by_browsers(case: &Case<'_>, verdict: Verdict) -> Vec<Outcome> {
    let (Some(chain), Some(path)) = (case.chain(), case.path.as_ref()) else { return Vec::new() };
    if verdict == Verdict::Normal {
        return Vec::new();
    }
    let question = Question {
        chain,
        holds_leaf: case.handshake.is_some_and(|shaken| shaken.leaf().is_some()),
        name: case.target.as_deref(),
        at: case.at(),
        path,
        trust: &case.trust,
        scts: &case.scts,
    };
    outcomes(&question, case.reference)
}

fn programs(case: &Case<'_>) -> Vec<Answer> {
    case.trust.iter().map(|(store, answer)| Answer::new(store, answer, case.at())).collect()
}

/// The failure of the step that the measurement ended with.
fn failure<'a>(case: &Case<'a>) -> Option<&'a Failure> {
    let measurement = case.measurement;
    match case.handshake {
        Some(shaken) => shaken.failure.as_ref(),
        None => {
            let connect = measurement.connects.iter().find_map(|step| step.failure.as_ref());
            connect.or_else(|| measurement.queries.iter().find_map(|step| step.failure.as_ref()))
        }
    }
}

fn endpoint(case: &Case<'_>) -> Option<SocketAddr> {
    match case.handshake {
        Some(shaken) => shaken.endpoint,
        None => case.measurement.connects.first().map(|connect| connect.endpoint),
    }
}

#[cfg(test)]
mod tests;
