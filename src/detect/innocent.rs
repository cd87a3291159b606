//! Innocent causes: what else could explain a finding, and what rules each of them out.

use serde::Serialize;

use super::{Case, Explanation};
use crate::path::Top;
use crate::reference::{Actor, Conduct};

/// A cause that accuses nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Innocent {
    /// The authority's own mistake.
    AuthorityErred,
    /// The list's other reasons.
    BlockedOtherwise,
    /// The probe's clock.
    ClockSkew,
    /// DNS.
    DnsMoved,
    /// Antivirus, parental control, employer.
    LocalProduct,
    /// The site's own choice of a certificate that no log shows.
    NotLogged,
    /// The site's own server.
    OmittedIntermediate,
    /// The record.
    OneCertificate,
    /// Captive portal.
    Portal,
    /// The program that makes certificates.
    SameProgram,
    /// Somebody without the leaf's key.
    Replayed,
    /// Another way of delivery, which records do not keep.
    SctsElsewhere,
    /// The site's own doing.
    SiteItself,
    /// The site's own choice.
    SiteChose,
    /// The lists of logs.
    StaleLogs,
    /// The reference data.
    StaleReference,
    /// The interceptor's key.
    StolenKey,
    /// The site's own choice of several authorities.
    TwoAuthorities,
}

/// What became of an innocent cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "how", rename_all = "kebab-case")]
pub enum State {
    /// It still stands.
    Open(Option<String>),
    /// It cannot be, and why.
    RuledOut(String),
}

impl Innocent {
    /// The cause, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::AuthorityErred => {
                "the authority put the promises of another certificate into this one by mistake"
            }
            Self::BlockedOtherwise => {
                "it was blocked for a reason that has nothing to do with interception"
            }
            Self::ClockSkew => "the probe's clock was wrong",
            Self::DnsMoved => "DNS sent the probe to another server",
            Self::LocalProduct => {
                "antivirus, parental control or an employer's proxy on this machine or network"
            }
            Self::NotLogged => {
                "its owner or its authority keeps it out of the logs, for clients that do not ask"
            }
            Self::OmittedIntermediate => "the site forgot to send an intermediate certificate",
            Self::OneCertificate => {
                "the record kept one certificate, so the leaf is not in evidence"
            }
            Self::Portal => "a captive portal that wants a login first",
            Self::Replayed => "a server sent somebody else's chain without holding its key",
            Self::SameProgram => {
                "somebody else made it with the same program and the same settings"
            }
            Self::SctsElsewhere => "the SCTs came in the TLS handshake or with the OCSP answer",
            Self::SiteChose => "the owner of the site chose this authority",
            Self::SiteItself => "the site itself presents this chain to everybody",
            Self::StaleLogs => {
                "the lists of logs known here are older or newer than the certificate"
            }
            Self::StaleReference => {
                "the root programs known here are older or newer than the chain"
            }
            Self::TwoAuthorities => {
                "the owner has, or had, certificates of several authorities in use"
            }
            Self::StolenKey => "somebody other than its owner used the interceptor's key",
        }
    }
}

pub(super) fn explanations(causes: &[Innocent], case: &Case<'_>) -> Vec<Explanation> {
    let explain = |cause: &Innocent| Explanation {
        cause: cause.words(),
        state: ruled_out(*cause, case).map_or(State::Open(None), State::RuledOut),
    };
    causes.iter().map(explain).collect()
}

/// How a cause is ruled out, where it is.
fn ruled_out(cause: Innocent, case: &Case<'_>) -> Option<String> {
    let known = case.dossier().filter(|(dossier, _)| {
        dossier.conduct == Conduct::Interception && dossier.actor == Actor::State
    });
    let known = known.map(|(dossier, _)| dossier.id.as_str());
    let control = case.vouched_control().is_some() && case.agreeing_control().is_none();
    let control = control.then_some("a control was shown a chain that a root program accepts");
    match cause {
        Innocent::AuthorityErred => (case.vouched().is_none() && !case.publicly_rooted())
            .then(|| "no public authority signed it".into()),
        Innocent::ClockSkew => {
            let refused = case.refusal()?;
            let dates = matches!(
                refused,
                crate::trust::Refusal::Expired | crate::trust::Refusal::NotYetValid
            );
            (!dates).then(|| format!("the chain is refused whatever the time is: {refused}"))
        }
        Innocent::DnsMoved => {
            let fits = case.fits_name() == Some(true);
            let known = known.map(|id| format!("the chain is signed by a key of {id}"));
            let endpoint = case.handshake.and_then(|shaken| shaken.endpoint);
            let same = endpoint.filter(|endpoint| {
                case.controls.iter().any(|seen| seen.endpoint == Some(*endpoint))
            });
            let same = same.map(|endpoint| format!("a control connected to {endpoint} as well"));
            known.filter(|_| fits).or(same)
        }
        Innocent::LocalProduct => {
            known.map(|id| format!("the chain is signed by a key of {id}, which no product holds"))
        }
        Innocent::OmittedIntermediate => match case.path.as_ref()?.top {
            Top::SelfSigned => Some("the chain ends in a root of its own".into()),
            _ => known
                .map(|id| format!("what signed it is known: a key of {id}"))
                .or_else(|| control.map(str::to_owned)),
        },
        Innocent::OneCertificate => {
            let whole = case.handshake?.whole;
            whole.then(|| "the record holds all that was presented".into())
        }
        Innocent::Portal => {
            known.map(|id| format!("the chain is signed by a key of {id}, which no portal holds"))
        }
        Innocent::Replayed => (case.handshake?.extra.holds_key == Some(true))
            .then(|| "the peer signed the handshake with the leaf's key".into()),
        Innocent::SiteChose | Innocent::SiteItself => control.map(str::to_owned).or_else(|| {
            known.map(|id| format!("no site is known to use the authority of {id} itself"))
        }),
        Innocent::StaleReference if case.accepted_by_recorder() => None,
        Innocent::StaleReference => known
            .map(|id| format!("the chain is signed by a key of {id}, which no program holds"))
            .or_else(|| control.map(str::to_owned)),
        Innocent::StaleLogs if case.scts.is_empty() => {
            Some("the certificate carries no SCT of any log".into())
        }
        Innocent::StaleLogs => {
            let known = case.scts.iter().all(|sct| sct.log.is_some());
            known.then(|| "the lists know every log whose SCT it carries".into())
        }
        // Records do not hold what would rule these out.
        Innocent::BlockedOtherwise
        | Innocent::NotLogged
        | Innocent::SameProgram
        | Innocent::SctsElsewhere
        | Innocent::StolenKey
        | Innocent::TwoAuthorities => None,
    }
}
