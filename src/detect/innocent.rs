//! Innocent causes: what else could explain a finding, and what rules each of them out.

use serde::{Deserialize, Serialize};

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
    /// A page that says that the site is blocked.
    BlockPage,
    /// The probe's clock.
    ClockSkew,
    /// DNS.
    DnsMoved,
    /// Antivirus, parental control, employer.
    LocalProduct,
    /// A server of the site inside the network.
    NearServer,
    /// Sites that nobody looks after.
    NeglectedSites,
    /// The site's own choice of a certificate that no log shows.
    NotLogged,
    /// The site's own server.
    OmittedIntermediate,
    /// The record.
    OneCertificate,
    /// DNS that sends different networks to different servers.
    OtherServer,
    /// Sites of whoever owns the machine.
    OwnSites,
    /// Captive portal.
    Portal,
    /// The program that makes certificates.
    SameProgram,
    /// Somebody without the leaf's key.
    Replayed,
    /// Keys that a site has side by side or one after the other.
    Rotation,
    /// Another way of delivery, which records do not keep.
    SctsElsewhere,
    /// A server for many sites.
    SharedServer,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
            Self::BlockPage => "a page in the site's place that says that it is blocked",
            Self::ClockSkew => "the probe's clock was wrong",
            Self::DnsMoved => "DNS sent the probe to another server",
            Self::LocalProduct => {
                "antivirus, parental control or an employer's proxy on this machine or network"
            }
            Self::NearServer => {
                "the site has a server in or near that network, with a key of its own"
            }
            Self::NeglectedSites => "several sites let their certificates run out",
            Self::NotLogged => {
                "its owner or its authority keeps it out of the logs, for clients that do not ask"
            }
            Self::OmittedIntermediate => "the site forgot to send an intermediate certificate",
            Self::OneCertificate => {
                "the record kept one certificate, so the leaf is not in evidence"
            }
            Self::OtherServer => {
                "the site moved, or sends this network to a server that is set up wrongly"
            }
            Self::OwnSites => {
                "the owner of the machine or its network runs the site and its authority"
            }
            Self::Portal => "a captive portal that wants a login first",
            Self::Replayed => "a server sent somebody else's chain without holding its key",
            Self::Rotation => "the site has several keys, or was changing from one to the next",
            Self::SameProgram => {
                "somebody else made it with the same program and the same settings"
            }
            Self::SctsElsewhere => "the SCTs came in the TLS handshake or with the OCSP answer",
            Self::SharedServer => {
                "one server holds all of these sites, and has one certificate for what it does not know"
            }
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
        Innocent::ClockSkew if dates_hold(case) > 0 => {
            let sites = dates_hold(case);
            Some(format!("the chains of {sites} other sites in the same run were in date"))
        }
        Innocent::ClockSkew => {
            let refused = case.refusal()?;
            let dates = refused.is_about_dates();
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
            known.filter(|_| fits).or(same).or_else(|| met_by_others(case))
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
        Innocent::BlockPage | Innocent::Portal => known
            .map(|id| format!("the chain is signed by a key of {id}, which no portal holds"))
            .or_else(|| online(case, cause)),
        // `consensus-outlier` speaks of a trusted key only where it is so.
        Innocent::Rotation => case.vouched().map(|_| {
            "the others saw their key before and after, and no third key is one network's alone"
                .into()
        }),
        Innocent::Replayed => (case.handshake?.extra.holds_key == Some(true))
            .then(|| "the peer signed the handshake with the leaf's key".into()),
        Innocent::OwnSites | Innocent::SharedServer => control.map(str::to_owned),
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
        | Innocent::NearServer
        | Innocent::NeglectedSites
        | Innocent::NotLogged
        | Innocent::OtherServer
        | Innocent::SameProgram
        | Innocent::SctsElsewhere
        | Innocent::StolenKey
        | Innocent::TwoAuthorities => None,
    }
}

/// Sites other than the target's that were answered with a trusted chain in the same run; 0 where
/// nobody knows that it was one run.
fn dates_hold(case: &Case<'_>) -> usize {
    let (Some(_), Some(target)) = (&case.measurement.run, case.target.as_deref()) else { return 0 };
    case.session().map_or(0, |session| session.genuine_beside(target))
}

/// A portal lets nobody through before the login.
fn online(case: &Case<'_>, cause: Innocent) -> Option<String> {
    let sites = if cause == Innocent::Portal { dates_hold(case) } else { 0 };
    (sites > 0).then(|| format!("in the same run {sites} other sites were answered genuinely"))
}

/// The address is one at which other networks met a trusted chain for the name.
fn met_by_others(case: &Case<'_>) -> Option<String> {
    let (address, network) = (case.address()?, case.network());
    let met = case.rows().into_iter().any(|(key, row)| {
        row.trusted > 0 && key.network != network && row.addresses.kept().contains_key(&address)
    });
    met.then(|| format!("other networks met the site at {address}"))
}
