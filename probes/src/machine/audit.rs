//! What the stores of a machine hold, compared with the reference: the worst first, and nobody
//! accused without a key.

use std::collections::BTreeMap;

use kua::chain::fields::Fields;
use kua::chain::{Certificate, Fingerprint, KeyHash};
use kua::moment::rfc3339;
use kua::reference::{Conduct, Reference, Role};
use time::OffsetDateTime;

use super::Trust;
use super::read::{Failed, Found, Store};
use super::remedy::steps;
use super::report::{
    Blocked, Group, Known, Location, Program, Removed, Report, Root, SCHEMA, Summary, Unread,
};

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
        noted_in: None,
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
    let keys = [Some(fields.key_hash), above.as_ref().map(|key| key.key_hash)];
    let interceptor = keys.into_iter().flatten().find_map(|key| reference.interceptor_with(key));
    let listed = interceptor.or_else(|| reference.leaked_leaf_with(fields.key_hash));
    root.signed_by = above.as_ref().map(|key| key.subject.clone());
    let vouched = above.is_some_and(|key| reference.is_public(key.key_hash, Some(now)));
    root.dossier = listed.map(|(dossier, _)| known(dossier));
    let noted = reference.public_authority_with(fields.key_hash);
    root.noted_in = noted.map(|(dossier, _)| known(dossier));
    let sibling = reference.sibling(fields).filter(|_| root.programs.is_empty() && !vouched);
    root.sibling_of = sibling.map(|sibling| Known {
        fits: sibling.fit.fits.clone(),
        misfits: sibling.fit.misfits.clone(),
        ..known(sibling.dossier)
    });
    names(&mut root, fields, reference);
    let shown = listed.map(|(dossier, key)| (key.role, dossier.conduct));
    root.group = group(&root, shown, vouched, fields);
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
    if root.dossier.is_some() || root.noted_in.is_some() || !root.programs.is_empty() {
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

fn group(root: &Root, shown: Option<(Role, Conduct)>, vouched: bool, fields: &Fields) -> Group {
    let says = |trust: Trust| root.places.iter().any(|place| place.trust == trust);
    if !says(Trust::Trusted) {
        return if says(Trust::Distrusted) { Group::Distrusted } else { Group::Held };
    }
    match shown {
        Some((Role::PlantedRoot | Role::LeakedLeaf, _)) => Group::SharedKey,
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

#[cfg(test)]
mod tests;
