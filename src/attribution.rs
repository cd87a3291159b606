//! Whose key, on what grounds: findings to an actor, a level and their basis.

use serde::Serialize;

use crate::detect::{Case, Finding, Level};
use crate::path::SigningKey;
use crate::reference::{Actor, Class, Likeness};

/// What an attribution or a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// A dossier's key signed the chain.
    SignedByKey,
    /// A listed portal's key answered.
    PortalKey,
    /// A dossier's certificate is part of the path.
    KeyInChain,
    /// An authority on the path is made as a dossier's are.
    Family,
    /// What a control saw.
    Control,
    /// What other networks, or other versions of the program, saw.
    Consensus,
    /// What the same run saw of other names.
    Session,
    /// Where the connection went.
    Address,
    /// The trust store of the machine that measured.
    LocalStore,
    /// The leaf was made from the genuine one.
    Forgery,
    /// A list that clients follow blocks what signed the chain.
    BlockList,
    /// Only a name fits.
    NameOnly,
    /// A root program's key signed the chain.
    PublicAnchor,
}

/// Who intercepts, how sure that is, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    /// What kind of interceptor.
    pub actor: Actor,
    /// How sure.
    pub level: Level,
    /// The dossier's id; only where one of its keys signed.
    pub interceptor: Option<String>,
    /// On what grounds; sorted, without duplicates.
    pub basis: Vec<Basis>,
    /// The key that signed, where it is known.
    pub signing_key: Option<SigningKey>,
}

/// Attributes to the dossier whose key signed.
pub(crate) fn by_key(case: &Case<'_>, finding: &Finding) -> Option<Attribution> {
    let (dossier, key) = case.dossier()?;
    let part = |name: &str| finding.evidence.get(name).is_some_and(|value| !value.is_null());
    let mut basis = Vec::new();
    if part("signed_certificate") {
        basis.push(Basis::SignedByKey);
    }
    if part("key_in_chain") {
        basis.push(Basis::KeyInChain);
    }
    Some(Attribution {
        actor: dossier.actor,
        level: finding.level,
        interceptor: Some(dossier.id.clone()),
        basis,
        signing_key: Some(SigningKey { key_hash: key.key_hash, subject: key.subject.clone() }),
    })
}

/// Attributes to the dossier that knows the leaf as forged.
pub(crate) fn by_forgery(case: &Case<'_>, finding: &Finding) -> Option<Attribution> {
    let forgery = case.forgery()?;
    let own = case.dossier().filter(|(dossier, _)| dossier.id == forgery.dossier.id);
    let (mut basis, signed_with) = match forgery.by {
        Likeness::Certificate | Likeness::Key(_) => (vec![Basis::KeyInChain], own),
        Likeness::Serial(key) => (Vec::new(), Some((forgery.dossier, key))),
    };
    let signing_key = match signed_with {
        Some((_, key)) => {
            basis.insert(0, Basis::SignedByKey);
            Some(SigningKey { key_hash: key.key_hash, subject: key.subject.clone() })
        }
        None => case.anchor(),
    };
    Some(Attribution {
        actor: forgery.dossier.actor,
        level: finding.level,
        interceptor: Some(forgery.dossier.id.clone()),
        basis,
        signing_key,
    })
}

/// Attributes to the public authority whose key signed what its dossier tells of.
pub(crate) fn by_misuse(case: &Case<'_>, finding: &Finding) -> Option<Attribution> {
    let (dossier, key) = case.public_authority()?;
    Some(Attribution {
        actor: dossier.actor,
        level: finding.level,
        interceptor: Some(dossier.id.clone()),
        basis: vec![Basis::SignedByKey],
        signing_key: Some(SigningKey { key_hash: key.key_hash, subject: key.subject.clone() }),
    })
}

/// Attributes to the kind of interceptor whose authorities are made in the same way. It names no
/// dossier, because only a key does: anybody can run the same program, and an issuer chooses its
/// dates. The dossier is in the evidence, as the one that this may be a sibling of.
pub(crate) fn by_family(
    case: &Case<'_>,
    family: &Finding,
    mismatch: Option<&Finding>,
) -> Option<Attribution> {
    let (_, sibling) = case.sibling()?;
    let mut basis = vec![Basis::Family];
    basis.extend(mismatch.map(|_| Basis::Control));
    Some(Attribution {
        actor: sibling.dossier.actor,
        level: family.level,
        interceptor: None,
        basis,
        signing_key: case.anchor(),
    })
}

/// Attributes to a product by its name, which never makes it more than probable, and only with a
/// control. `None` for devices: a router that answers with its own certificate intercepts nothing.
pub(crate) fn by_product(
    case: &Case<'_>,
    product: &Finding,
    mismatch: Option<&Finding>,
) -> Option<Attribution> {
    let class = serde_json::to_value(Class::Device).ok();
    if product.evidence.get("class") == class.as_ref() {
        return None;
    }
    let mut basis = vec![Basis::NameOnly];
    if mismatch.is_some() {
        basis.insert(0, Basis::Control);
    }
    Some(Attribution {
        actor: Actor::Local,
        level: mismatch.map_or(Level::Possible, |mismatch| mismatch.level),
        interceptor: None,
        basis,
        signing_key: case.anchor(),
    })
}

/// Attributes to whoever put the key into the machine's store. Only with a control or many other
/// networks is it more than possible: it may be the authority of the owner's own sites.
pub(crate) fn by_local_store(
    case: &Case<'_>,
    local: &Finding,
    against: &[(Basis, Option<&Finding>)],
) -> Attribution {
    let (mut basis, level) = held_against(against);
    basis.push(Basis::LocalStore);
    basis.sort();
    Attribution {
        actor: Actor::Local,
        level: level.unwrap_or(local.level),
        interceptor: None,
        basis,
        signing_key: case.anchor(),
    }
}

/// Attributes to a portal whose key is listed, or that answers for everybody at addresses of the
/// network's own. One that answers at everybody's addresses may be anything.
pub(crate) fn by_portal(case: &Case<'_>, portal: &Finding) -> Option<Attribution> {
    let listed = portal.evidence.get("portal_spki_sha256").is_some_and(|key| !key.is_null());
    let private = portal.evidence.get("private_addresses").and_then(|found| found.as_array());
    let private = private.is_some_and(|found| !found.is_empty());
    if !listed && !private {
        return None;
    }
    Some(Attribution {
        actor: Actor::Portal,
        level: portal.level,
        interceptor: None,
        basis: if listed { vec![Basis::PortalKey] } else { vec![Basis::Session, Basis::Address] },
        signing_key: case.anchor(),
    })
}

/// What stands against a chain, and the highest level of it.
fn held_against(against: &[(Basis, Option<&Finding>)]) -> (Vec<Basis>, Option<Level>) {
    let spoken = || against.iter().filter_map(|(basis, found)| Some((*basis, (*found)?)));
    (spoken().map(|(basis, _)| basis).collect(), spoken().map(|(_, found)| found.level).max())
}

/// Somebody intercepts, and nothing says who. `None` where nothing stands against the chain.
pub(crate) fn by_comparison(
    case: &Case<'_>,
    against: &[(Basis, Option<&Finding>)],
    name: Option<&Finding>,
) -> Option<Attribution> {
    let (mut basis, level) = held_against(against);
    basis.extend(name.map(|_| Basis::NameOnly));
    Some(Attribution {
        actor: Actor::Unknown,
        level: level?,
        interceptor: None,
        basis,
        signing_key: case.anchor(),
    })
}
