//! The chain as a tree: who signed whom, by key.

use std::collections::BTreeSet;
use std::io::{self, Write};

use kua::chain::{Certificate, Chain};
use kua::path::{Path, Top};
use kua::reference::Reference;

/// Draws the path from its top down to the leaf, then what was sent and has no part in it.
pub(super) fn write(
    out: &mut impl Write,
    chain: &Chain,
    path: &Path,
    reference: &Reference,
) -> io::Result<()> {
    let certificates = chain.certificates();
    let mut depth = 0;
    match &path.top {
        Top::Signed(key) => {
            let known = known(key.key_hash, reference);
            writeln!(out, "  {} (not sent; {known})", key.subject)?;
            depth = 1;
        }
        Top::Unknown => {
            let last = path.links.last().and_then(|last| certificates[*last].fields());
            let issuer = last.map_or_else(String::new, |fields| fields.issuer.to_string());
            writeln!(out, "  {issuer} (not sent; by this name only: its key is not known)")?;
            depth = 1;
        }
        Top::SelfSigned | Top::Unreadable => {}
    }
    for link in path.links.iter().rev() {
        let certificate = &certificates[*link];
        let known = match (certificate.fields(), depth) {
            (Some(fields), 0) => format!("; signs itself; {}", known(fields.key_hash, reference)),
            _ => String::new(),
        };
        writeln!(out, "  {}{} ({}{known})", branch(depth), subject(certificate), sent(*link))?;
        depth += 1;
    }
    for (position, certificate) in certificates.iter().enumerate() {
        if !path.links.contains(&position) {
            let words = "signed nothing here";
            writeln!(out, "  - {} ({}; {words})", subject(certificate), sent(position))?;
        }
    }
    Ok(())
}

fn branch(depth: usize) -> String {
    match depth {
        0 => String::new(),
        depth => format!("{}└─ ", "   ".repeat(depth - 1)),
    }
}

fn subject(certificate: &Certificate) -> String {
    match certificate.fields() {
        Some(fields) if !fields.subject.to_string().is_empty() => fields.subject.to_string(),
        Some(fields) => {
            fields.alternative_names.first().cloned().unwrap_or_else(|| "no name".into())
        }
        None => format!("unreadable {}", certificate.fingerprint()),
    }
}

fn sent(position: usize) -> String {
    match position {
        0 => "sent first".into(),
        1 => "sent 2nd".into(),
        2 => "sent 3rd".into(),
        more => format!("sent {}th", more + 1),
    }
}

fn known(key: kua::chain::KeyHash, reference: &Reference) -> String {
    let mut known: Vec<String> = Vec::new();
    let programs = |held: bool| {
        let anchors = reference.anchors_with(key);
        let anchors = anchors.filter(|(_, anchor)| anchor.until.is_none() == held);
        let programs: BTreeSet<_> = anchors.map(|(store, _)| store.program.as_str()).collect();
        programs
    };
    let (now, ever) = (programs(true), programs(false));
    let former: Vec<_> = ever.difference(&now).copied().collect();
    if !now.is_empty() {
        known.push(format!("a root of {}", now.into_iter().collect::<Vec<_>>().join(", ")));
    }
    if !former.is_empty() {
        known.push(format!("formerly a root of {}", former.join(", ")));
    }
    known.extend(owner(key, reference));
    known.extend(reference.dossier_with(key).map(|(dossier, _)| format!("dossier {}", dossier.id)));
    if known.is_empty() { "in no root program and no dossier".into() } else { known.join(", ") }
}

/// Who owns the root, and whether a state holds it.
fn owner(key: kua::chain::KeyHash, reference: &Reference) -> Option<String> {
    let mut names = reference.anchors_with(key).filter_map(|(_, anchor)| anchor.fingerprint);
    let owner = names.find_map(|name| reference.roots.get(&name))?;
    let mut told = format!("owned by {}", owner.owner);
    told.extend(owner.country.iter().map(|country| format!(" ({country})")));
    told.extend(owner.state.iter().map(|tie| format!(", {}", tie.as_str())));
    Some(told)
}
