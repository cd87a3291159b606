//! The order of reasoning: findings to a conclusion, and each step removes an innocent explanation.

use super::{Verdict, failure, listed};
use crate::attribution::{self, Attribution, Basis};
use crate::detect::{Case, Finding, Level};
use crate::measurement::{Failure, Handshake};
use crate::trust::Refusal;

/// What a handshake comes to.
pub(super) struct Conclusion {
    pub(super) verdict: Verdict,
    pub(super) level: Option<Level>,
    pub(super) basis: Vec<Basis>,
    pub(super) attribution: Option<Attribution>,
}

impl Conclusion {
    pub(super) fn plain(verdict: Verdict, level: Option<Level>, basis: &[Basis]) -> Self {
        Self { verdict, level, basis: basis.to_vec(), attribution: None }
    }

    /// The same, resting on one thing more. It says nothing of who, and raises no level.
    fn and(mut self, more: Option<Basis>) -> Self {
        self.basis.extend(more);
        self.basis.sort();
        self
    }

    pub(super) fn intercepted(attribution: Attribution) -> Self {
        Self {
            verdict: Verdict::Intercepted,
            level: Some(attribution.level),
            basis: attribution.basis.clone(),
            attribution: Some(attribution),
        }
    }
}

/// The order of reasoning.
pub(super) fn conclude(case: &Case<'_>, findings: &[Finding]) -> Conclusion {
    let finding = |id: &str| findings.iter().find(|finding| finding.detector == id);
    let Some(shaken) = case.handshake.filter(|shaken| shaken.chain.is_some()) else {
        return without_chain(case, finding("instrument-defect"));
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
    // 2. A captive portal answers in everybody's place: nobody is online yet.
    if let Some(found) =
        finding("captive-portal").and_then(|portal| attribution::by_portal(case, portal))
    {
        return Conclusion::intercepted(found);
    }
    // 3. Our own fault: a program that refuses what every other one accepts, a wrong clock.
    if finding("instrument-defect").is_some() {
        return Conclusion::plain(Verdict::Inconclusive, None, &[Basis::Consensus]);
    }
    if finding("clock-skew").is_some() {
        return Conclusion::plain(Verdict::Inconclusive, None, &[Basis::Session]);
    }
    // 4. A root program vouches, and the peer is the holder of the key.
    let blocked = finding("blocklisted");
    if case.vouched().is_some() && (blocked.is_none() || case.agreeing_control().is_none()) {
        return vouched(case, shaken, findings);
    }
    // 5. The client that made the record vouched: it is the reference that lacks a root.
    if case.accepted_by_recorder() {
        return Conclusion::plain(Verdict::Inconclusive, None, &[]);
    }
    let holder = shaken.extra.holds_key != Some(false);
    // A program holds its root, and nobody here knows whether for TLS servers.
    let unknown = |refusal: &Refusal| matches!(refusal, Refusal::PurposeUnknown { .. });
    if case.trust.iter().any(|(_, answer)| answer.as_ref().err().is_some_and(unknown)) {
        if case.vouched_control().is_some() && case.agreeing_control().is_none() {
            return Conclusion::plain(Verdict::Anomaly, Some(Level::Possible), &[Basis::Control]);
        }
        return Conclusion::plain(Verdict::Inconclusive, None, &[]);
    }
    // 6. The owner's own authority, on purpose: no program is meant to vouch for it.
    if finding("private-pki").is_some() && holder && case.vouched_control().is_none() {
        return Conclusion::plain(Verdict::Inconclusive, None, &[]);
    }
    // 7. Moved by DNS, to a server of somebody else.
    if let Some(moved) = finding("dns-redirected") {
        return Conclusion::plain(Verdict::Anomaly, Some(moved.level), &[Basis::Address]);
    }
    // 8. The site itself: clean controls are shown the same.
    if case.agreeing_control().is_some() {
        return Conclusion::plain(Verdict::Misconfigured, None, &[Basis::Control]);
    }
    // 9. Signed by a public authority for this name, and wrong in its dates only: no interceptor
    //    could have made it, unless he had hold of the authority.
    let own = case.is_wrong_in_dates_only() && case.publicly_rooted();
    let noted = finding("noted-authority").is_some();
    if own && holder && !noted && case.vouched_control().is_none() {
        return Conclusion::plain(Verdict::Misconfigured, None, &[Basis::PublicAnchor]);
    }
    // 10. An authority that is made as a known interceptor's are, with a key that nobody listed yet.
    let mismatch = finding("control-mismatch");
    let outlier = finding("consensus-outlier");
    let against = [(Basis::Control, mismatch), (Basis::Consensus, outlier)];
    let made = ["forged-leaf", "invalid-scts"].into_iter().filter_map(finding);
    let made = made.map(|made| made.level).max().filter(|level| *level >= Level::Probable);
    let made = made.map(|_| Basis::Forgery);
    let family = finding("interceptor-family");
    if let Some(family) = family.filter(|family| family.level >= Level::Probable)
        && let Some(found) = attribution::by_family(case, family, mismatch)
    {
        return Conclusion::intercepted(found).and(made);
    }
    // 11. A key that this machine trusts and no root program does.
    if let Some(local) = finding("local-anchor") {
        let found = attribution::by_local_store(case, local, &against);
        return Conclusion::intercepted(found).and(made);
    }
    // 12. A product on the machine or its network, by its name.
    let product = finding("known-product");
    if let Some(found) = product.and_then(|found| attribution::by_product(case, found, mismatch)) {
        return Conclusion::intercepted(found).and(made);
    }
    // 13. A control, or many other networks, are shown a public chain for the name, and this is
    //     another one for that name.
    let name = finding("interceptor-name");
    if let (Some(found), None) = (attribution::by_comparison(case, &against, name), product)
        && found.level >= Level::Probable
    {
        return Conclusion::intercepted(found).and(made);
    }
    // 14. Wrong, and nobody knows why.
    let mut basis = Vec::new();
    basis.extend(family.map(|_| Basis::Family));
    basis.extend(against.iter().filter_map(|(basis, found)| found.map(|_| *basis)));
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
    without_chain(case, None)
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
    // A network that sees both keys has both, as a site with several servers does.
    let outlier = finding("consensus-outlier")
        .filter(|found| found.evidence.get("network_sees_both").is_none_or(|both| *both == false));
    if outlier.is_some() {
        let basis = [Basis::Consensus, Basis::PublicAnchor];
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
fn without_chain(case: &Case<'_>, defect: Option<&Finding>) -> Conclusion {
    if defect.is_some() {
        return Conclusion::plain(Verdict::Inconclusive, None, &[Basis::Consensus]);
    }
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
