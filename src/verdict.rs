//! Findings to one verdict for each handshake: every step removes an innocent explanation.

mod conclude;
mod listed;

use std::net::SocketAddr;

use conclude::conclude;
use serde::Serialize;
use serde::ser::SerializeStruct;
use time::OffsetDateTime;

use crate::attribution::Basis;
use crate::chain::{Chain, Fingerprint};
use crate::detect::{Case, Finding, Level, findings};
use crate::measurement::{Failure, Handshake, Measurement};
use crate::memory::Memory;
use crate::moment::rfc3339;
use crate::path::{Path, SigningKey};
use crate::reference::{Actor, Reference};
use crate::surroundings::Surroundings;
use crate::trust::Answer;

/// What a handshake shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
    }
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

impl Serialize for Judgement {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Judgement", 19)?;
        object.serialize_field("schema", "kua.judgement/1")?;
        object.serialize_field("measurement_uid", &self.measurement_uid)?;
        object.serialize_field("line", &self.line)?;
        object.serialize_field("target", &self.target)?;
        object.serialize_field("endpoint", &self.endpoint)?;
        object.serialize_field("probe_cc", &self.probe_cc)?;
        object.serialize_field("probe_asn", &self.probe_asn)?;
        object.serialize_field("started", &self.started.map(rfc3339))?;
        object.serialize_field("verdict", &self.verdict)?;
        object.serialize_field("actor", &self.actor)?;
        object.serialize_field("level", &self.level)?;
        object.serialize_field("interceptor", &self.interceptor)?;
        object.serialize_field("basis", &self.basis)?;
        object.serialize_field("signing_key", &self.signing_key)?;
        let chain = self.chain.as_ref();
        let chain: Vec<Fingerprint> = chain.map(Chain::fingerprints).unwrap_or_default();
        object.serialize_field("chain", &chain)?;
        object.serialize_field("failure", &self.failure.as_ref().map(Failure::code))?;
        object.serialize_field("programs", &self.programs)?;
        object.serialize_field("findings", &self.findings)?;
        object.end()
    }
}

#[cfg(test)]
mod tests;
