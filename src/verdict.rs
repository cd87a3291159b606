//! Findings to one verdict for each handshake: every step removes an innocent explanation.

mod listed;

use std::net::SocketAddr;

use serde::Serialize;
use serde::ser::SerializeStruct;
use time::OffsetDateTime;

use crate::attribution::{self, Attribution, Basis};
use crate::chain::{Chain, Fingerprint};
use crate::control::Controls;
use crate::detect::{Case, Finding, Level, findings};
use crate::measurement::{Failure, Handshake, Measurement};
use crate::memory::Memory;
use crate::moment::rfc3339;
use crate::path::{Path, SigningKey};
use crate::reference::{Actor, Reference};
use crate::trust::{Answer, Refusal};

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
    controls: &Controls,
    line: Option<u64>,
) -> Vec<Judgement> {
    judge_with(&mut Memory::with_room(reference, 0), measurement, controls, line)
}

/// The same, and faster where chains come again: what was worked out of a chain is remembered.
pub fn judge_with(
    memory: &mut Memory<'_>,
    measurement: &Measurement,
    controls: &Controls,
    line: Option<u64>,
) -> Vec<Judgement> {
    let mut judged = |shaken: Option<&Handshake>| {
        judge_case(&Case::new(measurement, shaken, memory, controls), line)
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

struct Conclusion {
    verdict: Verdict,
    level: Option<Level>,
    basis: Vec<Basis>,
    attribution: Option<Attribution>,
}

impl Conclusion {
    fn plain(verdict: Verdict, level: Option<Level>, basis: &[Basis]) -> Self {
        Self { verdict, level, basis: basis.to_vec(), attribution: None }
    }

    /// The same, resting on one thing more. It says nothing of who, and raises no level.
    fn and(mut self, more: Option<Basis>) -> Self {
        self.basis.extend(more);
        self.basis.sort();
        self
    }

    fn intercepted(attribution: Attribution) -> Self {
        Self {
            verdict: Verdict::Intercepted,
            level: Some(attribution.level),
            basis: attribution.basis.clone(),
            attribution: Some(attribution),
        }
    }
}

/// The order of reasoning.
fn conclude(case: &Case<'_>, findings: &[Finding]) -> Conclusion {
    let finding = |id: &str| findings.iter().find(|finding| finding.detector == id);
    let Some(shaken) = case.handshake.filter(|shaken| shaken.chain.is_some()) else {
        return without_chain(case);
    };

    // 1. A leaf that is known as forged, whoever vouches for it; then a known interceptor's key:
    //    nobody else can have made that signature; then a public authority's, where and when it was
    //    misused. Its signature alone accuses nobody, and the steps below go on as without it.
    if let Some(forged) = finding("known-forgery") {
        return listed::by_certificate(case, attribution::by_forgery(case, forged));
    }
    if let Some(known) = finding("known-interceptor") {
        return listed::by_dossier(case, known, finding("site-chose-state-ca").is_some());
    }
    if let Some(noted) = finding("noted-authority").filter(|found| found.level >= Level::Probable) {
        return listed::by_certificate(case, attribution::by_misuse(case, noted));
    }
    // 2. A root program vouches, and the peer is the holder of the key.
    let blocked = finding("blocklisted");
    if case.vouched().is_some() && (blocked.is_none() || case.agreeing_control().is_none()) {
        return vouched(case, shaken, findings);
    }
    // 3. The client that made the record vouched: it is the reference that lacks a root.
    if case.accepted_by_recorder() {
        return Conclusion::plain(Verdict::Inconclusive, None, &[]);
    }
    let holder = shaken.extra.holds_key != Some(false);
    // A program holds its root, and nobody here knows whether for TLS servers.
    let unknown = |refusal: &Refusal| matches!(refusal, Refusal::PurposeUnknown { .. });
    if case.trust.iter().any(|(_, answer)| answer.as_ref().err().is_some_and(unknown)) {
        return Conclusion::plain(Verdict::Inconclusive, None, &[]);
    }
    // 4. The owner's own authority, on purpose: no program is meant to vouch for it.
    if finding("private-pki").is_some() && holder && case.vouched_control().is_none() {
        return Conclusion::plain(Verdict::Inconclusive, None, &[]);
    }
    // 5. The site itself: clean controls are shown the same.
    if case.agreeing_control().is_some() {
        return Conclusion::plain(Verdict::Misconfigured, None, &[Basis::Control]);
    }
    // 6. Signed by a public authority for this name, and wrong in its dates only: no interceptor
    //    could have made it, unless he had hold of the authority.
    let dates = matches!(case.refusal(), Some(Refusal::Expired | Refusal::NotYetValid));
    let own = case.publicly_rooted() && case.fits_name() == Some(true);
    let noted = finding("noted-authority").is_some();
    if dates && own && holder && !noted && case.vouched_control().is_none() {
        return Conclusion::plain(Verdict::Misconfigured, None, &[Basis::PublicAnchor]);
    }
    // 7. An authority that is made as a known interceptor's are, with a key that nobody listed yet.
    let mismatch = finding("control-mismatch");
    let made = ["forged-leaf", "invalid-scts"].into_iter().filter_map(finding);
    let made = made.map(|made| made.level).max().filter(|level| *level >= Level::Probable);
    let made = made.map(|_| Basis::Forgery);
    let family = finding("interceptor-family");
    if let Some(family) = family.filter(|family| family.level >= Level::Probable)
        && let Some(found) = attribution::by_family(case, family, mismatch)
    {
        return Conclusion::intercepted(found).and(made);
    }
    // 8. A product on the machine or its network, by its name.
    let product = finding("known-product");
    if let Some(found) = product.and_then(|found| attribution::by_product(case, found, mismatch)) {
        return Conclusion::intercepted(found).and(made);
    }
    // 9. A control is shown a public chain for the name, and this is another one for that name.
    if let (Some(mismatch), None) = (mismatch, product)
        && mismatch.level >= Level::Probable
    {
        let name = finding("interceptor-name");
        return Conclusion::intercepted(attribution::by_control(case, mismatch, name)).and(made);
    }
    // 10. Wrong, and nobody knows why.
    let mut basis = Vec::new();
    basis.extend(family.map(|_| Basis::Family));
    basis.extend(mismatch.map(|_| Basis::Control));
    basis.extend(blocked.map(|_| Basis::BlockList));
    basis.extend(finding("interceptor-name").or(product).map(|_| Basis::NameOnly));
    Conclusion::plain(Verdict::Anomaly, Some(Level::Possible), &basis).and(made)
}

fn vouched(case: &Case<'_>, shaken: &Handshake, findings: &[Finding]) -> Conclusion {
    let answered = match shaken.extra.holds_key {
        Some(holds) => holds,
        None => shaken.failure.is_none(),
    };
    let basis = [Basis::PublicAnchor];
    if answered && !shaken.failure.as_ref().is_some_and(Failure::is_cut) {
        return expected(case, findings);
    }
    if shaken.extra.holds_key == Some(false) {
        return Conclusion::plain(Verdict::Anomaly, Some(Level::Possible), &basis);
    }
    without_chain(case)
}

/// Trusted, but expected? The key of an authority can be misused where only one network sees it.
/// What the certificate lacks of public logs is the site's own doing as often as not: it is only held
/// against it where a control is shown another key that is in the logs.
fn expected(case: &Case<'_>, findings: &[Finding]) -> Conclusion {
    let finding = |id: &str| findings.iter().find(|finding| finding.detector == id);
    let copied = finding("invalid-scts").is_some_and(|found| found.level >= Level::Probable);
    let basis = [Basis::PublicAnchor];
    let misused = finding("noted-authority")
        .is_some_and(|found| found.evidence.get("signed_while_misused") == Some(&true.into()));
    // Two authorities for one name are usual; one of them while others signed with its key is not.
    if misused && case.vouched_control().is_some() && case.agreeing_control().is_none() {
        let basis = [Basis::Control, Basis::PublicAnchor];
        return Conclusion::plain(Verdict::Anomaly, Some(Level::Possible), &basis);
    }
    if let Some(blocked) = finding("blocklisted")
        && blocked.evidence["blocked"].as_array().is_some_and(|entries| !entries.is_empty())
    {
        let basis = [Basis::BlockList, Basis::PublicAnchor];
        return Conclusion::plain(Verdict::Anomaly, Some(Level::Possible), &basis);
    }
    if !copied && finding("missing-scts").is_none() {
        return Conclusion::plain(Verdict::Normal, None, &basis);
    }
    if case.logged_elsewhere().is_some() {
        let basis = [Basis::Control, Basis::PublicAnchor];
        return Conclusion::plain(Verdict::Anomaly, Some(Level::Possible), &basis);
    }
    let key = case.leaf().map(|leaf| leaf.key_hash);
    let shown_elsewhere = case.controls.iter().any(|seen| key.is_some() && seen.leaf_key == key);
    // Promises that were made for another certificate speak against this one; silence does not.
    let verdict = if copied && !shown_elsewhere { Verdict::Inconclusive } else { Verdict::Normal };
    Conclusion::plain(verdict, None, &basis)
}

/// No chain, or a chain that nobody stood up for before the connection ended.
fn without_chain(case: &Case<'_>) -> Conclusion {
    let shaken_elsewhere = case.vouched_control().is_some();
    match (failure(case), case.handshake) {
        (Some(failure), Some(_)) if shaken_elsewhere && failure.is_cut() => {
            Conclusion::plain(Verdict::Blocked, Some(Level::Probable), &[Basis::Control])
        }
        // The handshake, the connection or the name fails here and not there: it may be the
        // network, the server or the way.
        (Some(_), _) if shaken_elsewhere => {
            Conclusion::plain(Verdict::Anomaly, Some(Level::Possible), &[Basis::Control])
        }
        _ => Conclusion::plain(Verdict::Inconclusive, None, &[]),
    }
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
