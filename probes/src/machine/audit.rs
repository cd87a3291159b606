//! What the stores of a machine hold, compared with the reference: the worst first, and nobody
//! accused without a key.

use std::collections::BTreeMap;

use kua::chain::fields::Fields;
use kua::chain::{Certificate, Fingerprint, KeyHash};
use kua::moment::rfc3339;
use kua::reference::{Actor, Conduct, Reference, RootOwner};
use serde::Serialize;
use time::OffsetDateTime;

use super::Trust;
use super::container::Kind;
use super::environment::Setting;
use super::read::{Failed, Found, Store};
use super::remedy::{Steps, steps};
use super::signed::Signed;

/// The version of [`Report`] as JSON.
pub const SCHEMA: &str = "kua.roots/1";

/// What was found on a machine.
#[derive(Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// As of when.
    pub at: String,
    /// The root programs that it was compared with, and the day of the newest known state.
    pub programs: Vec<Program>,
    /// The stores that were read.
    pub stores: Vec<Summary>,
    /// Those that could not be read.
    pub unread: Vec<Unread>,
    /// Settings that change what is trusted.
    pub settings: Vec<Setting>,
    /// Every certificate of every store, by group and then by name.
    pub roots: Vec<Root>,
    /// Which records were looked at for chains that a root signed; absent where none were given.
    pub records: Option<Records>,
}

/// A root program.
#[derive(Debug, Serialize)]
pub struct Program {
    /// Its name.
    pub program: String,
    /// The day of its newest known state.
    pub date: Option<String>,
}

/// A store in numbers.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Where it lies.
    pub path: String,
    /// What it is, in words.
    pub what: String,
    /// Its form.
    pub kind: Kind,
    /// Certificates in it.
    pub certificates: usize,
    /// Those that it trusts for TLS servers.
    pub trusted: usize,
    /// Those of the trusted ones whose key a root program holds.
    pub in_programs: usize,
    /// Those that it holds and says nothing of.
    pub held: usize,
    /// Certificates that it distrusts, held or not.
    pub distrusted: usize,
    /// Entries that are no certificate or cannot be read.
    pub passed_over: usize,
}

/// A store that could not be read.
#[derive(Debug, Serialize)]
pub struct Unread {
    /// Where it lies.
    pub path: String,
    /// Why.
    pub because: String,
}

/// The records that were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Records {
    /// Measurements.
    pub measurements: u64,
    /// Presented chains in them.
    pub chains: u64,
    /// Those that a root of this machine signed which is in no root program.
    pub signed_here: u64,
}

/// What a root is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// A dossier lists its key, or the key that signed it, as one of an interceptor.
    KnownInterceptor,
    /// A dossier lists its key as one of a product; others hold the same key.
    SharedKey,
    /// Made as the authorities of a known interceptor are, by a key that no list knows.
    Sibling,
    /// Clients of a root program block it.
    Blocked,
    /// A dossier lists its key; no source says that it intercepted.
    Capability,
    /// Every root program that held it has removed it.
    Removed,
    /// In no root program, and in a place that a person or a program adds to.
    Local,
    /// In no root program, and not able to sign others: one site or service that is trusted by itself.
    Single,
    /// In no root program, and only in stores that the system makes.
    Bundled,
    /// Every store here that says anything of it distrusts it.
    Distrusted,
    /// No store here says that it is trusted.
    Held,
    /// Bytes that no parser accepts.
    Unreadable,
    /// A root program holds its key, or signed it with one that it holds.
    Public,
}

/// A certificate of the machine.
#[derive(Debug, Serialize)]
pub struct Root {
    /// What it is.
    pub group: Group,
    /// Its subject; empty where nobody can read it.
    pub subject: String,
    /// SHA-256 of the certificate.
    pub sha256: Fingerprint,
    /// SHA-256 of its key.
    pub spki_sha256: Option<KeyHash>,
    /// Its first and last moment.
    pub valid: Option<[String; 2]>,
    /// Whether that is over.
    pub expired: bool,
    /// The root programs that hold its key today.
    pub programs: Vec<String>,
    /// The root programs that held it, and the day from which they do not.
    pub removed: Vec<Removed>,
    /// Lists that block it.
    pub blocked: Vec<Blocked>,
    /// Who owns it, where the reference says so.
    pub owner: Option<RootOwner>,
    /// The key above, of a root program or a dossier, where it is no root itself.
    pub signed_by: Option<String>,
    /// The dossier that lists its key or the key above.
    pub dossier: Option<Known>,
    /// The interceptor whose authorities are made like it.
    pub sibling_of: Option<Known>,
    /// A dossier whose name it bears with a key that is not listed. Names are nobody's.
    pub bears_name_of: Option<String>,
    /// A product whose name it bears. Names are nobody's.
    pub named_like: Option<String>,
    /// Where it lies.
    pub places: Vec<Location>,
    /// The chains that it signed in the records.
    pub signed: Option<Signed>,
}

/// That a program removed a root.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Removed {
    /// The program.
    pub program: String,
    /// The first known day without it.
    pub until: String,
}

/// That a list blocks a certificate.
#[derive(Debug, Serialize)]
pub struct Blocked {
    /// The list.
    pub list: String,
    /// Since when, where the list says so.
    pub since: Option<String>,
    /// Why, where the list says so.
    pub why: Option<String>,
}

/// An interceptor of a dossier.
#[derive(Debug, Serialize)]
pub struct Known {
    /// The dossier.
    pub id: String,
    /// What a person calls it.
    pub title: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// What it is known to have done.
    pub conduct: Conduct,
    /// The features that fit, of a sibling.
    pub fits: Vec<&'static str>,
    /// Those that do not.
    pub misfits: Vec<&'static str>,
}

/// Where a certificate lies.
#[derive(Debug, Serialize)]
pub struct Location {
    /// The store.
    pub store: String,
    /// What that is, in words.
    pub what: String,
    /// What the store calls the certificate.
    pub label: String,
    /// What the store says of it.
    pub trust: Trust,
    /// Whether the system makes the store from other places.
    pub generated: bool,
    /// The date of the entry or file; absent where the store keeps none.
    pub since: Option<String>,
    /// How to change that.
    #[serde(flatten)]
    pub steps: Option<Steps>,
}

impl Root {
    /// Whether it is trusted in a place that the system does not make from others.
    pub fn is_added(&self) -> bool {
        self.places.iter().any(|place| place.trust == Trust::Trusted && !place.generated)
    }
}

/// Groups what was found, as of `now`.
pub fn audit(found: &Found, reference: &Reference, now: OffsetDateTime) -> Report {
    let mut held: BTreeMap<Fingerprint, (Certificate, Vec<Location>)> = BTreeMap::new();
    for store in &found.stores {
        for entry in &store.content.held {
            let certificate = &entry.certificate;
            let location = Location {
                store: store.path.clone(),
                what: store.what.clone(),
                label: entry.label.clone(),
                trust: entry.trust,
                generated: store.remedy.is_generated(),
                since: entry.since.map(rfc3339),
                steps: steps(store.remedy, &store.path, &entry.label, certificate),
            };
            let known = held.entry(certificate.fingerprint());
            known.or_insert_with(|| (certificate.clone(), Vec::new())).1.push(location);
        }
    }
    distrust_without_certificate(found, &mut held);
    let roots =
        held.into_values().map(|(certificate, places)| root(&certificate, places, reference, now));
    let mut roots: Vec<_> = roots.collect();
    roots.sort_by(|left, right| {
        (left.group, &left.subject, left.sha256).cmp(&(right.group, &right.subject, right.sha256))
    });
    let program = |store: &kua::trust::TrustStore| Program {
        program: store.program.clone(),
        date: store.date.map(|date| date.to_string()),
    };
    Report {
        schema: SCHEMA,
        at: rfc3339(now),
        programs: reference.stores.iter().map(program).collect(),
        stores: found.stores.iter().map(|store| summary(store, reference, now)).collect(),
        unread: found.failed.iter().map(unread).collect(),
        settings: found.settings.clone(),
        roots,
        records: None,
    }
}

/// A store may distrust a certificate that lies in another one.
fn distrust_without_certificate(
    found: &Found,
    held: &mut BTreeMap<Fingerprint, (Certificate, Vec<Location>)>,
) {
    for store in found.stores.iter().filter(|store| !store.content.distrusted.is_empty()) {
        for (certificate, places) in held.values_mut() {
            let names = [certificate.sha1(), certificate.fingerprint().to_string()];
            if store.content.distrusted.iter().any(|hash| names.contains(hash)) {
                places.push(Location {
                    store: store.path.clone(),
                    what: store.what.clone(),
                    label: String::new(),
                    trust: Trust::Distrusted,
                    generated: false,
                    since: None,
                    steps: None,
                });
            }
        }
    }
}

fn summary(store: &Store, reference: &Reference, now: OffsetDateTime) -> Summary {
    let content = &store.content;
    let with = |trust: Trust| content.held.iter().filter(move |held| held.trust == trust);
    let in_program = |certificate: &Certificate| {
        certificate.fields().is_some_and(|fields| reference.is_public(fields.key_hash, Some(now)))
    };
    Summary {
        path: store.path.clone(),
        what: store.what.clone(),
        kind: store.kind,
        certificates: content.held.len(),
        trusted: with(Trust::Trusted).count(),
        in_programs: with(Trust::Trusted).filter(|held| in_program(&held.certificate)).count(),
        held: with(Trust::Unsaid).count(),
        distrusted: with(Trust::Distrusted).count() + content.distrusted.len(),
        passed_over: content.passed_over,
    }
}

fn unread(failed: &Failed) -> Unread {
    let mut because = failed.error.to_string();
    let mut cause = std::error::Error::source(&failed.error);
    while let Some(error) = cause {
        because.push_str(&format!(": {error}"));
        cause = error.source();
    }
    Unread { path: failed.path.clone(), because }
}

fn root(
    certificate: &Certificate,
    places: Vec<Location>,
    reference: &Reference,
    now: OffsetDateTime,
) -> Root {
    let mut root = Root {
        group: Group::Unreadable,
        subject: String::new(),
        sha256: certificate.fingerprint(),
        spki_sha256: None,
        valid: None,
        expired: false,
        programs: Vec::new(),
        removed: Vec::new(),
        blocked: Vec::new(),
        owner: reference.roots.get(&certificate.fingerprint()).cloned(),
        signed_by: None,
        dossier: None,
        sibling_of: None,
        bears_name_of: None,
        named_like: None,
        places,
        signed: None,
    };
    let Some(fields) = certificate.fields() else { return root };
    root.subject = fields.subject.to_string();
    root.spki_sha256 = Some(fields.key_hash);
    root.valid = Some([rfc3339(fields.not_before), rfc3339(fields.not_after)]);
    root.expired = now > fields.not_after;
    programs(&mut root, fields.key_hash, reference, now);
    for list in &reference.blocklists {
        if let Some(entry) = list.blocks(certificate, Some(now)) {
            let since = entry.since.map(|since| since.to_string());
            root.blocked.push(Blocked { list: list.list.clone(), since, why: entry.why.clone() });
        }
    }
    // Who signed it matters where it is no root: an authority may hand out only the middle.
    let above = if fields.self_issued() { None } else { reference.signer(fields) };
    let dossier = [Some(fields.key_hash), above.as_ref().map(|key| key.key_hash)];
    let dossier = dossier.into_iter().flatten().find_map(|key| reference.dossier_with(key));
    let dossier = dossier.map(|(dossier, _)| dossier);
    root.signed_by = above.as_ref().map(|key| key.subject.clone());
    let vouched = above.is_some_and(|key| reference.is_public(key.key_hash, Some(now)));
    root.dossier = dossier.map(known);
    let sibling = reference.sibling(fields).filter(|_| root.programs.is_empty() && !vouched);
    root.sibling_of = sibling.map(|sibling| Known {
        fits: sibling.fit.fits.clone(),
        misfits: sibling.fit.misfits.clone(),
        ..known(sibling.dossier)
    });
    names(&mut root, fields, reference);
    root.group =
        group(&root, dossier.map(|dossier| (dossier.actor, dossier.conduct)), vouched, fields);
    root
}

/// Which programs hold the key on the day, and which did.
fn programs(root: &mut Root, key: KeyHash, reference: &Reference, now: OffsetDateTime) {
    for (store, anchor) in reference.anchors_with(key) {
        if anchor.held_on(store.known_day(now)) {
            let limit = anchor.distrust.issued_after;
            let limit = limit.map(|day| format!(" (only for certificates made until {day})"));
            root.programs.push(format!("{}{}", store.program, limit.unwrap_or_default()));
        } else if let Some(until) = anchor.until.filter(|until| *until <= now.date()) {
            root.removed.push(Removed { program: store.program.clone(), until: until.to_string() });
        }
    }
    root.programs.dedup();
    let held = &root.programs;
    root.removed
        .retain(|removed| !held.iter().any(|program| program.starts_with(&removed.program)));
    root.removed.sort();
}

/// What names say where no key says anything.
fn names(root: &mut Root, fields: &Fields, reference: &Reference) {
    if root.dossier.is_some() || !root.programs.is_empty() {
        return;
    }
    let subject = fields.subject.attributes();
    let bears = reference.dossiers.iter().find(|dossier| dossier.names.contains(&subject));
    root.bears_name_of = bears.map(|dossier| dossier.title.clone());
    let product = reference.products.iter().find(|product| product.matches(&fields.subject));
    root.named_like = product.map(|product| product.name.clone());
}

fn known(dossier: &kua::reference::Dossier) -> Known {
    Known {
        id: dossier.id.clone(),
        title: dossier.title.clone(),
        country: dossier.country.clone(),
        conduct: dossier.conduct,
        fits: Vec::new(),
        misfits: Vec::new(),
    }
}

fn group(root: &Root, dossier: Option<(Actor, Conduct)>, vouched: bool, fields: &Fields) -> Group {
    let says = |trust: Trust| root.places.iter().any(|place| place.trust == trust);
    if !says(Trust::Trusted) {
        return if says(Trust::Distrusted) { Group::Distrusted } else { Group::Held };
    }
    match dossier {
        Some((Actor::Local, _)) => Group::SharedKey,
        Some((_, Conduct::Interception)) => Group::KnownInterceptor,
        _ if root.sibling_of.is_some() => Group::Sibling,
        _ if !root.blocked.is_empty() => Group::Blocked,
        Some(_) => Group::Capability,
        None if !root.programs.is_empty() || vouched => Group::Public,
        None if !root.removed.is_empty() => Group::Removed,
        None if !fields.is_ca => Group::Single,
        None if root.is_added() => Group::Local,
        None => Group::Bundled,
    }
}
