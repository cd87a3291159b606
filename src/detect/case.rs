//! One handshake and all that it is compared with, worked out once for all detectors.

use std::net::IpAddr;

use time::OffsetDateTime;

use crate::chain::fields::Fields;
use crate::chain::{Certificate, Chain, KeyHash};
use crate::control::Seen;
use crate::ct::{self, Checked};
use crate::measurement::{Failure, Handshake, Measurement};
use crate::memory::{Answers, Memory};
use crate::path::{Path, SigningKey, Top};
use crate::reference::{Dossier, Forgery, ListedKey, PrivatePki, Reference, Sibling};
use crate::sighting::name_of;
use crate::signature::{Signed, signed_by};
use crate::surroundings::{Network, Rows, Session, Surroundings, address};
use crate::trust::{Anchor, Refusal, fits_name};

/// One handshake, or none where the measurement did not come so far.
#[derive(Debug)]
pub struct Case<'a> {
    /// The record.
    pub measurement: &'a Measurement,
    /// The handshake under judgement.
    pub handshake: Option<&'a Handshake>,
    /// The host that was meant, in lower case.
    pub target: Option<String>,
    /// What it is compared with.
    pub reference: &'a Reference,
    /// Who signed whom in the presented chain; `None` without a chain.
    pub path: Option<Path>,
    /// The keys that signed something between the first certificate and its anchor.
    pub signers: Vec<KeyHash>,
    /// What each root program says of the chain for the target; empty where no leaf is known.
    pub trust: Answers<'a>,
    /// The SCTs that the leaf carries, checked; empty also where the reference knows no logs.
    pub scts: Vec<Checked<'a>>,
    /// What clean controls saw for the target.
    pub controls: Vec<Seen>,
    /// What else was seen.
    pub surroundings: &'a Surroundings,
}

impl<'a> Case<'a> {
    pub(crate) fn new<'r: 'a>(
        measurement: &'a Measurement,
        handshake: Option<&'a Handshake>,
        memory: &mut Memory<'r>,
        surroundings: &'a Surroundings,
    ) -> Self {
        let reference = memory.reference();
        let target = name_of(measurement, handshake);
        let chain = handshake.and_then(|shaken| shaken.chain.as_ref());
        let controls = controls_for(target.as_deref(), measurement, surroundings);
        let path = chain.map(|chain| completed(memory.path(chain), chain, &controls, surroundings));
        let signers = path.as_ref().zip(chain).map(|(path, chain)| path.signers(chain));
        let mut case = Self {
            measurement,
            handshake,
            reference,
            path,
            signers: signers.unwrap_or_default(),
            trust: Vec::new(),
            scts: Vec::new(),
            controls,
            surroundings,
            target,
        };
        if let Some(leaf) = handshake.and_then(Handshake::leaf) {
            case.scts = memory.scts(leaf, case.signer());
        }
        if let (Some(chain), Some(name), Some(_)) = (chain, &case.target, case.leaf()) {
            case.trust = memory.answers(chain, name, measurement.started);
        }
        case
    }

    /// The presented chain.
    pub fn chain(&self) -> Option<&'a Chain> {
        self.handshake?.chain.as_ref()
    }

    /// The leaf's fields, where a leaf was recorded and can be read.
    pub fn leaf(&self) -> Option<&'a Fields> {
        self.handshake?.leaf()?.fields()
    }

    /// When it was seen.
    pub fn at(&self) -> Option<OffsetDateTime> {
        self.measurement.started
    }

    /// The anchor by which a root program accepts the chain for the target at its time.
    pub fn vouched(&self) -> Option<&'a Anchor> {
        self.trust.iter().find_map(|(_, accepted)| accepted.as_ref().ok().copied())
    }

    /// What the first root program has against the chain.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.trust.iter().find_map(|(_, accepted)| accepted.as_ref().err())
    }

    /// A key that some program held at some time signed the chain for the target, and only its dates
    /// are wrong.
    pub fn is_wrong_in_dates_only(&self) -> bool {
        let dates = self.refusal().is_some_and(Refusal::is_about_dates);
        let rooted = || self.signers.iter().any(|key| self.reference.is_public(*key, None));
        dates && self.vouched().is_none() && self.fits_name() == Some(true) && rooted()
    }

    /// The key that signed the first certificate.
    pub fn signer(&self) -> Option<KeyHash> {
        self.signers.first().copied()
    }

    /// The key that the chain leads up to.
    pub fn anchor(&self) -> Option<SigningKey> {
        self.path.as_ref()?.anchor(self.chain()?)
    }

    /// Whether the signatures lead to a key that a root program held at the time, whatever else is
    /// wrong with the chain: dates, name, algorithm.
    pub fn publicly_rooted(&self) -> bool {
        self.signers.iter().any(|key| self.reference.is_public(*key, self.at()))
            || self.completed_by().is_some()
    }

    /// A control that was shown the authority below which this chain breaks off, with the rest of
    /// the way up to a root program.
    pub fn completed_by(&self) -> Option<&Seen> {
        let Top::Signed(key) = &self.path.as_ref()?.top else { return None };
        if self.reference.is_public(key.key_hash, self.at()) {
            return None;
        }
        let holds = |known: &Certificate| {
            known.fields().is_some_and(|fields| fields.key_hash == key.key_hash)
        };
        self.controls.iter().find(|seen| seen.authorities.iter().any(holds))
    }

    /// Whether a program has nothing against the chain but its dates.
    pub fn is_out_of_date(&self) -> bool {
        let mut refusals = self.trust.iter().filter_map(|(_, answer)| answer.as_ref().err());
        refusals.any(Refusal::is_about_dates)
    }

    /// The known interceptor whose key signed on the way up, and that key.
    pub fn dossier(&self) -> Option<(&'a Dossier, &'a ListedKey)> {
        self.signers.iter().rev().find_map(|key| self.reference.interceptor_with(*key))
    }

    /// The public authority that a dossier tells of and whose key signed on the way up, the nearest
    /// to the leaf, and that key.
    pub fn public_authority(&self) -> Option<(&'a Dossier, &'a ListedKey)> {
        self.signers.iter().find_map(|key| self.reference.public_authority_with(*key))
    }

    /// The dossier of a genuine leaf with whose key anybody can answer, where this leaf has it.
    pub fn leaked_leaf(&self) -> Option<(&'a Dossier, &'a ListedKey)> {
        self.reference.leaked_leaf_with(self.leaf()?.key_hash)
    }

    /// The forgery that the leaf is known to be.
    pub fn forgery(&self) -> Option<Forgery<'a>> {
        self.reference.forgery(self.handshake?.leaf()?, self.signer())
    }

    /// Whether a key that is known, of a root program or of a dossier, accounts for the chain: then
    /// names and likenesses have nothing to add.
    pub fn is_accounted_for(&self) -> bool {
        self.vouched().is_some()
            || self.publicly_rooted()
            || self.dossier().is_some()
            || self.public_authority().is_some()
    }

    /// The authority on the path that is made as those of a known interceptor are, with its
    /// position, where no root program's key and no dossier's key signed: the best fit.
    pub fn sibling(&self) -> Option<(usize, Sibling<'a>)> {
        if self.is_accounted_for() {
            return None;
        }
        let siblings = self
            .links()
            .filter_map(|(position, fields)| Some((position, self.reference.sibling(fields)?)));
        siblings.min_by_key(|(_, sibling)| sibling.fit.misfits.len())
    }

    /// The owner of the target's name, where a key of the owner's own authority signed.
    pub fn private_pki(&self) -> Option<&'a PrivatePki> {
        let target = self.target.as_deref()?;
        let mut owners =
            self.signers.iter().filter_map(|key| self.reference.private_pki_with(*key));
        owners.find(|owner| owner.is_for(target))
    }

    /// Whether the leaf is for the target; `None` where nobody can tell.
    pub fn fits_name(&self) -> Option<bool> {
        self.leaf()?;
        fits_name(self.chain()?, self.target.as_deref()?)
    }

    /// The certificates of the path with their positions in the chain.
    pub fn links(&self) -> impl Iterator<Item = (usize, &'a Fields)> {
        let links = self.path.iter().flat_map(|path| path.links.iter().copied());
        let chain = self.chain();
        links.filter_map(move |link| Some((link, chain?.certificates()[link].fields()?)))
    }

    /// Whether the client that made the record verified the chain and had nothing against it: it
    /// knew roots that the reference does not know, or no longer.
    pub fn accepted_by_recorder(&self) -> bool {
        self.handshake.is_some_and(|shaken| {
            shaken.failure.is_none() && !shaken.unverified && shaken.extra.holds_key.is_none()
        })
    }

    /// A control to which a root program vouched for the target.
    pub fn vouched_control(&self) -> Option<&Seen> {
        self.controls.iter().find(|seen| seen.vouched)
    }

    /// A control to which a root program vouched for another key whose certificate is in public
    /// logs, where no control was shown this key.
    pub fn logged_elsewhere(&self) -> Option<&Seen> {
        let key = self.leaf()?.key_hash;
        if self.controls.iter().any(|seen| seen.leaf_key == Some(key)) {
            return None;
        }
        let other = |seen: &&Seen| seen.vouched && seen.logged && seen.leaf_key.is_some();
        self.controls.iter().find(other)
    }

    /// What the same run saw.
    pub fn session(&self) -> Option<&'a Session> {
        self.surroundings.session(self.measurement)
    }

    /// What everybody saw for the target.
    pub fn rows(&self) -> Rows<'a> {
        self.target.as_deref().map(|target| self.surroundings.rows(target)).unwrap_or_default()
    }

    /// The network that the measurement was made in.
    pub fn network(&self) -> Network {
        Network::of(self.measurement)
    }

    /// Where the connection went, as far as DNS sent it there.
    pub fn address(&self) -> Option<IpAddr> {
        address(self.measurement, self.handshake?)
    }

    /// A control that was shown the same key or the same anchor, or that kept no certificate and
    /// failed in the same way.
    ///
    /// Under one public root stand sites and those who pretend to be them. There a shared authority
    /// speaks for the chain only where nothing is wrong with it but its dates or an intermediate
    /// that was not sent, and where it is in public logs if the control's is.
    pub fn agreeing_control(&self) -> Option<&Seen> {
        let key = self.leaf().map(|leaf| leaf.key_hash);
        let anchor = self.anchor().map(|anchor| anchor.key_hash);
        let failure = self.handshake.and_then(|shaken| shaken.failure.as_ref());
        let about_certificate = failure.is_some_and(Failure::is_about_certificate);
        let untidy = self.is_out_of_date() || self.completed_by().is_some();
        let logged = self.scts.iter().any(|sct| sct.outcome == ct::Outcome::Valid);
        let shared =
            !self.publicly_rooted() || (untidy && (logged || self.logged_elsewhere().is_none()));
        if let Some(seen) = self.completed_by().filter(|_| shared) {
            return Some(seen);
        }
        self.controls.iter().find(|seen| {
            (key.is_some() && seen.leaf_key == key)
                || (shared && anchor.is_some() && seen.anchor == anchor)
                || (about_certificate
                    && seen.leaf_key.is_none()
                    && seen.failure.as_ref() == failure)
        })
    }
}

/// The path up to the authority that signed its last link, where neither chain nor reference knows
/// it and controls were shown it for the same name, or the machine that measured trusts it.
fn completed(
    mut path: Path,
    chain: &Chain,
    controls: &[Seen],
    surroundings: &Surroundings,
) -> Path {
    let last = path.links.last().filter(|_| path.top == Top::Unknown);
    let last = last.and_then(|last| chain.certificates()[*last].fields());
    let Some(last) = last else { return path };
    let shown = controls.iter().flat_map(|seen| &seen.authorities);
    let authorities = shown.chain(surroundings.local_anchors.values());
    let mut authorities = authorities.filter_map(Certificate::fields);
    let signed = |authority: &&Fields| {
        authority.subject == last.issuer && signed_by(last, &authority.spki) == Signed::Yes
    };
    if let Some(authority) = authorities.find(signed) {
        let (key_hash, subject) = (authority.key_hash, authority.subject.to_string());
        path.top = Top::Signed(SigningKey { key_hash, subject });
    }
    path
}

fn controls_for(
    target: Option<&str>,
    measurement: &Measurement,
    surroundings: &Surroundings,
) -> Vec<Seen> {
    let Some(target) = target else { return Vec::new() };
    let helpers = measurement.seen_by_helper.iter();
    let helpers = helpers.filter(|seen| seen.server_name.eq_ignore_ascii_case(target));
    surroundings.controls.of(target).iter().cloned().chain(helpers.map(Seen::from)).collect()
}
