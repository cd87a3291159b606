//! What each kind of root is called, and who is not accused.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use data_encoding::BASE64;
use kua::reference::{File, Reference, built_in_files};
use kua_mint::{Authority, Key, NOW, Template, pem};

use super::*;
use crate::machine::container::Kind;
use crate::machine::remedy::Remedy;
use crate::machine::{Content, pem as pem_file};

fn file(path: &str, text: impl Into<String>) -> File {
    File { path: path.into(), bytes: text.into().into_bytes() }
}

fn fingerprint(der: &[u8]) -> Fingerprint {
    Certificate::from_bytes(der).unwrap().fingerprint()
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap()
}

fn store(remedy: Remedy, trust: Trust, der: &[u8]) -> Store {
    let mut content = Content::default();
    content.add_with(der, "root", trust, None).unwrap();
    let (path, what) = ("/store".to_owned(), "a store".to_owned());
    Store { path, what, kind: Kind::Pem, remedy, content }
}

fn holding(stores: Vec<Store>) -> Found {
    let mut found = Found::default();
    found.stores = stores;
    found
}

fn audited(stores: Vec<Store>, reference: &Reference) -> Root {
    let found = holding(stores);
    let mut report = audit(&found, reference, now());
    assert_eq!(report.roots.len(), 1);
    report.roots.remove(0)
}

/// A program that holds one root and removed another, a list that blocks a third, and a state.
fn reference(
    public: &Authority,
    removed: &Authority,
    blocked: &Authority,
    state: &Authority,
) -> Reference {
    let dated = format!(
        "program = \"Program\"\ndate = \"2025-10-01\"\nknown_since = \"2015-01-01\"\n\
         [[anchor]]\nsha256 = \"{}\"\nuntil = \"2020-05-06\"\n[[anchor]]\nsha256 = \"{}\"\n",
        fingerprint(&removed.certificate),
        fingerprint(&public.certificate),
    );
    let list = format!(
        "list = \"List\"\nprograms = [\"Program\"]\n[[certificate]]\nsha256 = \"{}\"\n\
         since = \"2021-01-02\"\nwhy = \"lost its key\"\n",
        fingerprint(&blocked.certificate)
    );
    let dossier = format!(
        "id = \"qz-state\"\ntitle = \"The state\"\ncountry = \"QZ\"\nactor = \"state\"\n[[key]]\n\
         subject = \"CN=State Root\"\npublic_key = \"{}\"\n[[key]]\nrole = \"misused-authority\"\n\
         subject = \"CN=Removed Root\"\npublic_key = \"{}\"\n",
        BASE64.encode(&state.key.spki()),
        BASE64.encode(&removed.key.spki()),
    );
    let roots = format!("{}{}", pem(&public.certificate), pem(&removed.certificate));
    Reference::from_files([
        file("roots.pem", roots),
        file("stores/program.toml", dated),
        file("blocklists/list.toml", list),
        file("interceptors/qz-state.toml", dossier),
    ])
    .unwrap()
}

#[test]
fn table() {
    let [public, removed, blocked, state, local] =
        ["Public Root", "Removed Root", "Blocked Root", "State Root", "Local Root"]
            .map(Authority::root);
    let reference = reference(&public, &removed, &blocked, &state);
    let namesake = Authority::root_with(Key::ecdsa_p256(), Template::authority(&state.name));
    let middle = |root: &Authority| root.intermediate("Middle").certificate;
    let trusted = |der: &[u8]| vec![store(Remedy::Debian, Trust::Trusted, der)];
    let distrusted = |der: &[u8]| store(Remedy::Chromium, Trust::Distrusted, der);
    for (case, stores, expected) in [
        ("public root", trusted(&public.certificate), Group::Public),
        ("public root -> intermediate", trusted(&middle(&public)), Group::Public),
        ("state root", trusted(&state.certificate), Group::KnownInterceptor),
        ("state root -> intermediate", trusted(&middle(&state)), Group::KnownInterceptor),
        ("a namesake of the state root", trusted(&namesake.certificate), Group::Local),
        ("namesake -> intermediate", trusted(&middle(&namesake)), Group::Local),
        ("local root", trusted(&local.certificate), Group::Local),
        ("local root -> leaf", trusted(&local.leaf("a.example").certificate), Group::Single),
        ("blocked root", trusted(&blocked.certificate), Group::Blocked),
        ("removed root, misused once", trusted(&removed.certificate), Group::Removed),
        ("removed root -> intermediate", trusted(&middle(&removed)), Group::Local),
        (
            "local root in the system's bundle alone",
            vec![store(Remedy::Generated, Trust::Trusted, &local.certificate)],
            Group::Bundled,
        ),
        ("state root, distrusted", vec![distrusted(&state.certificate)], Group::Distrusted),
        (
            "state root, distrusted in one store of two",
            [trusted(&state.certificate), vec![distrusted(&state.certificate)]].concat(),
            Group::KnownInterceptor,
        ),
        (
            "state root, only held",
            vec![store(Remedy::Firefox, Trust::Unsaid, &state.certificate)],
            Group::Held,
        ),
        ("garbage", trusted(b"\x30\x01\x00"), Group::Unreadable),
    ] {
        let root = audited(stores, &reference);
        assert_eq!(root.group, expected, "{case}");
        let named = root.dossier.is_some();
        assert_eq!(named, case.starts_with("state"), "{case}");
    }
}

#[test]
fn what_is_told_of_programs_and_lists() {
    let [public, removed, blocked, state] =
        ["Public Root", "Removed Root", "Blocked Root", "State Root"].map(Authority::root);
    let reference = reference(&public, &removed, &blocked, &state);
    let told = |authority: &Authority| {
        audited(vec![store(Remedy::Debian, Trust::Trusted, &authority.certificate)], &reference)
    };
    assert_eq!(told(&public).programs, ["Program"]);
    let until = Removed { program: "Program".into(), until: "2020-05-06".into() };
    assert_eq!((told(&removed).programs, told(&removed).removed), (vec![], vec![until]));
    assert_eq!(told(&removed).noted_in.map(|known| known.id).as_deref(), Some("qz-state"));
    let list = &told(&blocked).blocked[0];
    assert_eq!((list.list.as_str(), list.since.as_deref()), ("List", Some("2021-01-02")));
    let namesake = Authority::root_with(Key::ecdsa_p256(), Template::authority(&state.name));
    assert_eq!(told(&namesake).bears_name_of.as_deref(), Some("The state"));
}

#[test]
fn a_store_may_distrust_what_another_holds() {
    let [public, removed, blocked, state] =
        ["Public Root", "Removed Root", "Blocked Root", "State Root"].map(Authority::root);
    let reference = reference(&public, &removed, &blocked, &state);
    let certificate = Certificate::from_bytes(&state.certificate).unwrap();
    for hash in [certificate.sha1(), certificate.fingerprint().to_string()] {
        let mut other = store(Remedy::Chromium, Trust::Trusted, b"\x30");
        other.content = Content { distrusted: vec![hash], ..Content::default() };
        let system = store(Remedy::Debian, Trust::Trusted, &state.certificate);
        let root = audited(vec![system, other], &reference);
        let trust: Vec<_> = root.places.iter().map(|place| place.trust).collect();
        assert_eq!(trust, [Trust::Trusted, Trust::Distrusted]);
    }
}

/// Any root of the Kazakh family that no dossier lists is called a sibling, and none of the roots
/// that programs hold is.
#[test]
fn siblings_of_the_kazakh_roots() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !data.exists() {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "skipped: no corpus");
        return;
    }
    let dossier = "interceptors/kz-isca.toml";
    let whole = Reference::built_in().unwrap();
    let known = whole.dossiers.iter().find(|dossier| dossier.id == "kz-isca").unwrap();
    let family = known.family.as_ref().unwrap();
    let mut siblings = 0;
    for sha256 in known.keys.iter().filter_map(|key| key.sha256.as_ref()) {
        if !family.learnt_from.contains(sha256) {
            continue;
        }
        let files = built_in_files().map(|mut file| {
            if file.path == dossier {
                let text = String::from_utf8(file.bytes).unwrap();
                let parts = text
                    .split("[[key]]")
                    .filter(|part| !part.contains(&format!("\nsha256 = \"{sha256}\"")));
                file.bytes = parts.collect::<Vec<_>>().join("[[key]]").into_bytes();
            }
            file
        });
        let reference = Reference::from_files(files).unwrap();
        let path = data.join(format!("state-ca/kazakhstan/{sha256}.pem"));
        let content = pem_file::read(&std::fs::read(path).unwrap()).unwrap();
        let der = content.held[0].certificate.der();
        let root = audited(vec![store(Remedy::Debian, Trust::Trusted, der)], &reference);
        assert_eq!(root.group, Group::Sibling, "{sha256}");
        siblings += 1;
    }
    assert_eq!(siblings, 7);
    let roots = std::fs::read(data.join("roots/all_roots.pem")).unwrap();
    let mut all = store(Remedy::Debian, Trust::Trusted, b"\x30");
    all.content = pem_file::read(&roots).unwrap();
    let found = holding(vec![all]);
    let report = audit(&found, &whole, now());
    assert_eq!(report.roots.iter().filter(|root| root.group == Group::Sibling).count(), 0);
}
