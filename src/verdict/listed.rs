//! What follows from a key or a certificate that a dossier lists.

use super::Verdict;
use super::conclude::Conclusion;
use crate::attribution::{self, Attribution, Basis};
use crate::detect::{Case, Finding, Level};
use crate::reference::Conduct;

/// A certificate that speaks for itself, if the peer holds its key and it was presented for a site.
pub(super) fn by_certificate(case: &Case<'_>, found: Option<Attribution>) -> Conclusion {
    let copied = case.handshake.is_some_and(|shaken| shaken.extra.holds_key == Some(false));
    match found {
        Some(found) if case.target.is_some() && !copied => Conclusion::intercepted(found),
        found => {
            let basis = found.map(|found| found.basis).unwrap_or_default();
            Conclusion::plain(Verdict::Anomaly, Some(Level::Possible), &basis)
        }
    }
}

pub(super) fn by_dossier(case: &Case<'_>, known: &Finding, chosen: bool) -> Conclusion {
    let Some(mut found) = attribution::by_key(case, known) else {
        return Conclusion::plain(Verdict::Anomaly, Some(Level::Possible), &[]);
    };
    // A certificate that was presented for no site answered in nobody's place.
    if case.target.is_none() {
        return Conclusion::plain(Verdict::Anomaly, Some(Level::Possible), &found.basis);
    }
    let conduct = case.dossier().map(|(dossier, _)| dossier.conduct);
    let public_elsewhere = case.vouched_control().is_some() && case.agreeing_control().is_none();
    if conduct == Some(Conduct::Interception) {
        return Conclusion::intercepted(found);
    }
    // An authority that was never seen to intercept: the site may have chosen it.
    if public_elsewhere {
        found.basis.push(Basis::Control);
        found.basis.sort();
        return Conclusion::intercepted(found);
    }
    let basis = found.basis;
    if chosen || case.agreeing_control().is_some() {
        Conclusion::plain(Verdict::Misconfigured, None, &basis)
    } else {
        Conclusion::plain(Verdict::Anomaly, Some(Level::Possible), &basis)
    }
}
