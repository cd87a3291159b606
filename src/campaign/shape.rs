//! All of a judgement that is counted, apart from where and when: few of them, many times each.

use serde::{Deserialize, Serialize};

use super::browsers::{Answer, answers};
use super::class::Class;
use super::intermediate::{self, Used};
use crate::chain::fields::Fields;
use crate::chain::{Fingerprint, KeyHash};
use crate::detect::Level;
use crate::measurement::Measurement;
use crate::path::SigningKey;
use crate::reference::Actor;
use crate::verdict::{Judgement, Verdict};

/// The name of a [`Shape`]: the SHA-256 of what it holds, cut to 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ShapeId(pub [u8; 16]);

/// What judgements have in common that count alike. It names no leaf, no moment and no place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// What it shows.
    pub verdict: Verdict,
    /// It is about a handshake, and not about a measurement that reached none.
    pub handshake: bool,
    /// A certificate was recorded.
    pub chain: bool,
    /// How sure, where something is asserted.
    pub level: Option<Level>,
    /// What is wrong, where no campaign is.
    pub(super) class: Option<Class>,
    /// Whose interception it is, if it is one.
    pub(super) interception: Option<Box<Intercepted>>,
}

/// Whose campaign it is: a dossier's, a key's, or that of a key known only by its identifier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Who {
    Dossier(String),
    Key(KeyHash),
    /// Authority Key Identifier of the last certificate that was sent.
    KeyId(String),
    /// Only a name is left.
    Issuer(String),
}

/// What an example is an example of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Group {
    Campaign(Who),
    Other(Class),
}

/// What is told of an intercepted handshake beyond where and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intercepted {
    pub(super) who: Who,
    pub(super) actor: Actor,
    pub(super) level: Level,
    pub(super) anchor: Option<(KeyHash, String)>,
    /// The name of the signer, where its key is not known.
    pub(super) issuer: Option<String>,
    pub(super) intermediates: Vec<(Fingerprint, Used)>,
    pub(super) answers: Vec<Answer>,
}

impl Shape {
    /// The shape of one of the judgements of `measurement`.
    pub fn of(measurement: &Measurement, judgement: &Judgement) -> Self {
        Self::with(judgement, !measurement.handshakes.is_empty())
    }

    pub(super) fn with(judgement: &Judgement, handshake: bool) -> Self {
        let who = handshake.then(|| who(judgement)).flatten();
        let class = if handshake && who.is_none() { Class::of(judgement) } else { None };
        Self {
            verdict: judgement.verdict,
            handshake,
            chain: judgement.chain.is_some(),
            level: judgement.level,
            class,
            interception: who.map(|who| Box::new(Intercepted::of(judgement, who))),
        }
    }

    /// Its name.
    pub fn id(&self) -> ShapeId {
        let mut id = [0; 16];
        id.copy_from_slice(&Fingerprint::of(&self.to_bytes()).as_bytes()[..16]);
        ShapeId(id)
    }

    /// In bytes, always the same ones.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Nothing in a shape can fail to be written: no map, no foreign type.
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// What [`Shape::to_bytes`] gave; `None` of other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        postcard::take_from_bytes(bytes)
            .ok()
            .filter(|(_, rest)| rest.is_empty())
            .map(|(shape, _)| shape)
    }

    /// The name under which a report counts what is wrong and no campaign.
    pub fn class(&self) -> Option<&'static str> {
        self.class.map(Class::as_str)
    }

    /// Whether a report may show one of these handshakes as an example.
    pub fn is_shown(&self) -> bool {
        self.group().is_some()
    }

    pub(super) fn group(&self) -> Option<Group> {
        match (&self.interception, self.class) {
            (Some(found), _) => Some(Group::Campaign(found.who.clone())),
            (None, class) => class.map(Group::Other),
        }
    }

    /// Whether it belongs to a campaign rather than to a product at home.
    pub(super) fn is_in_campaign(&self) -> bool {
        self.interception.as_ref().is_some_and(|found| found.actor != Actor::Local)
    }
}

impl Intercepted {
    fn of(judgement: &Judgement, who: Who) -> Self {
        let anchor = judgement.signing_key.as_ref();
        let anchor = anchor.map(|SigningKey { key_hash, subject }| (*key_hash, subject.clone()));
        let issuer = last_link(judgement).filter(|_| anchor.is_none());
        Self {
            who,
            actor: judgement.actor.unwrap_or(Actor::Unknown),
            level: judgement.level.unwrap_or(Level::Possible),
            anchor,
            issuer: issuer.map(|last| last.issuer.to_string()),
            intermediates: intermediate::of(judgement),
            answers: answers(&judgement.browsers),
        }
    }
}

impl ShapeId {
    /// The name in these bytes; `None` where they are not 16.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Display for ShapeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// Whose interception it is; `None` where nobody intercepts.
fn who(judgement: &Judgement) -> Option<Who> {
    if judgement.verdict != Verdict::Intercepted || judgement.actor == Some(Actor::Portal) {
        return None;
    }
    if let Some(id) = &judgement.interceptor {
        return Some(Who::Dossier(id.clone()));
    }
    if let Some(key) = &judgement.signing_key {
        return Some(Who::Key(key.key_hash));
    }
    let last = last_link(judgement)?;
    Some(match &last.aki {
        Some(aki) => Who::KeyId(data_encoding::HEXLOWER.encode(aki)),
        None => Who::Issuer(last.issuer.to_string()),
    })
}

/// The topmost certificate of the path that was sent.
fn last_link(judgement: &Judgement) -> Option<&Fields> {
    let last = *judgement.path.as_ref()?.links.last()?;
    judgement.chain.as_ref()?.certificates()[last].fields()
}
