//! The committed root programs and block lists: well formed, complete, and as many entries as were
//! counted when they were last made.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use data_encoding::{BASE64, HEXLOWER};
use kua_certs::layout::{Anchor, Purpose, Roots, Sha256, Snapshot, Store};
use kua_certs::packages::{add, day, pem, sha256};
use kua_certs::tables::owners;
use kua_certs::text::{roots_csv, roots_pem, store_toml};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Stores with their numbers of times of trust, of roots held on the newest day, and of roots among
/// those whose purpose is not known.
const STORES: &[(&str, usize, usize, usize)] = &[
    ("stores/android.toml", 218, 143, 0),
    ("stores/apple.toml", 265, 156, 32),
    ("stores/chrome.toml", 115, 115, 0),
    ("stores/debian.toml", 163, 148, 0),
    ("stores/java.toml", 174, 143, 0),
    ("stores/microsoft.toml", 390, 222, 11),
    ("stores/mozilla.toml", 273, 118, 0),
];

/// Block lists with their numbers of issuers, serial numbers, keys and certificates.
const LISTS: &[(&str, usize, usize, usize, usize)] = &[
    ("blocklists/apple.toml", 0, 0, 0, 10),
    ("blocklists/chromium.toml", 0, 0, 111, 0),
    ("blocklists/microsoft.toml", 0, 0, 0, 168),
    ("blocklists/onecrl.toml", 330, 1905, 9, 0),
];

/// SHA-256 of the keys with which badssl.com tests browsers' lists of known interception.
const BADSSL: [&str; 2] = [
    "a4e9af01416e3a029b5d35e5b119de00cfe156c5cf95fc823cf6d05e3c1a8237",
    "b0fcce78c1664e293544c143e3d2689f723f5b6e6317107e163d22ba8069794a",
];

fn certs() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn text(path: &str) -> String {
    fs::read_to_string(certs().join(path)).unwrap()
}

fn roots() -> Roots {
    let mut roots = Roots::new();
    add(&mut roots, pem(&text("roots.pem")).unwrap()).unwrap();
    roots
}

#[test]
fn roots_are_sorted_once_each_under_their_own_hash_and_some_store_names_them() {
    let roots = roots();
    assert_eq!(roots_pem(&roots), text("roots.pem"));
    let named: BTreeSet<Sha256> =
        stores().values().flat_map(|store| &store.anchors).map(|anchor| anchor.sha256).collect();
    assert_eq!(roots.into_keys().collect::<BTreeSet<_>>(), named);
}

#[test]
fn every_root_has_an_owner() {
    let (owners, text) = (owners(&certs(), &roots()).unwrap(), text("roots.csv"));
    assert_eq!(roots_csv(&owners), text);
}

#[test]
fn stores_are_as_they_are_written_and_as_large_as_counted() {
    let stores = stores();
    let found: Vec<_> = stores
        .iter()
        .map(|(path, store)| {
            assert_eq!(store_toml(store), text(path), "{path}");
            let newest = || store.anchors.iter().filter(|anchor| anchor.until.is_none());
            let unknown = newest().filter(|anchor| anchor.tls == Purpose::Unknown).count();
            (path.as_str(), store.anchors.len(), newest().count(), unknown)
        })
        .collect();
    assert_eq!(found, STORES);
}

#[test]
fn days_are_those_of_snapshots_and_in_order() {
    for (path, store) in stores() {
        let days: Vec<_> = store.snapshots.iter().map(|snapshot| snapshot.date).collect();
        assert!(days.is_sorted() && days.contains(&store.date), "{path}");
        assert_eq!(store.known_since.is_some(), days.len() > 1, "{path}");
        let mut earlier: BTreeMap<Sha256, Option<time::Date>> = BTreeMap::new();
        for anchor in &store.anchors {
            for day in [anchor.from, anchor.until].into_iter().flatten() {
                assert!(days.contains(&day), "{path}: {day}");
            }
            assert!(anchor.until.is_none_or(|until| anchor.from < Some(until)), "{path}");
            if let Some(ended) = earlier.insert(anchor.sha256, anchor.until) {
                assert!(ended.is_some() && ended <= anchor.from, "{path}: two times at once");
            }
        }
    }
}

#[test]
fn chrome_has_fifteen_anchors_that_did_not_sign_themselves_and_47_with_an_end() {
    let (roots, chrome) = (roots(), &stores()["stores/chrome.toml"]);
    let others = chrome.anchors.iter().filter(|anchor| {
        let der = &roots[&anchor.sha256].der;
        let (_, certificate) = x509_parser::parse_x509_certificate(der).unwrap();
        certificate.issuer() != certificate.subject()
    });
    assert_eq!(others.count(), 15);
    assert_eq!(chrome.anchors.iter().filter(|anchor| anchor.sct_after.is_some()).count(), 47);
}

#[test]
fn mozilla_refused_new_certificates_of_22_roots_and_constrains_two() {
    let mozilla = &stores()["stores/mozilla.toml"];
    let count = |which: fn(&Anchor) -> bool| mozilla.anchors.iter().filter(|it| which(it)).count();
    assert_eq!(count(|anchor| anchor.issued_after.is_some()), 22);
    assert_eq!(count(|anchor| anchor.name_constraints.is_some()), 2);
}

#[test]
fn block_lists_are_sorted_and_as_large_as_counted() {
    let found: Vec<_> = LISTS
        .iter()
        .map(|(path, ..)| {
            let list: toml::Table = text(path).parse().unwrap();
            let entries = |name, key: &str| {
                let entries = list.get(name).map_or(&[][..], |it| it.as_array().unwrap());
                let keys: Vec<&str> = entries.iter().map(|it| it[key].as_str().unwrap()).collect();
                (entries, keys)
            };
            let (issuers, _) = entries("issuer", "name");
            let (_, keys) = entries("key", "spki_sha256");
            let (_, certificates) = entries("certificate", "sha256");
            assert!(keys.is_sorted() && certificates.is_sorted(), "{path}");
            let serials = issuers.iter().map(|issuer| issuer["serials"].as_array().unwrap().len());
            (*path, issuers.len(), serials.sum(), keys.len(), certificates.len())
        })
        .collect();
    assert_eq!(found, LISTS);
}

/// A refusal that began too early would call genuine chains blocked.
#[test]
fn of_what_mozilla_trusted_others_refused_only_trustcor_s_roots() {
    let roots = roots();
    let chromium = since("blocklists/chromium.toml", "key", "spki_sha256");
    let microsoft = since("blocklists/microsoft.toml", "certificate", "sha256");
    let mut names = BTreeSet::new();
    for anchor in &stores()["stores/mozilla.toml"].anchors {
        let root = &roots[&anchor.sha256];
        let (_, certificate) = x509_parser::parse_x509_certificate(&root.der).unwrap();
        let key = HEXLOWER.encode(&sha256(certificate.public_key().raw));
        let refused = [chromium.get(&key), microsoft.get(&HEXLOWER.encode(&anchor.sha256))];
        let early = |since: &str| anchor.until.is_none_or(|until| day(since).unwrap() < until);
        if refused.into_iter().flatten().any(|since| early(since)) {
            names.insert(root.subject.rsplit_once("CN=").unwrap().1.to_owned());
        }
    }
    let trustcor = ["TrustCor ECA-1", "TrustCor RootCert CA-1", "TrustCor RootCert CA-2"];
    assert_eq!(names.iter().collect::<Vec<_>>(), trustcor);
}

fn since(path: &str, entry: &str, key: &str) -> BTreeMap<String, String> {
    let list: toml::Table = text(path).parse().unwrap();
    let entries = list[entry].as_array().unwrap().iter();
    let word = |entry: &toml::Value, name: &str| entry[name].as_str().unwrap().to_owned();
    entries.map(|entry| (word(entry, key), word(entry, "since"))).collect()
}

#[test]
fn chromium_knows_the_kazakh_keys_and_those_of_badssl() {
    let list: toml::Table = text("blocklists/chromium.toml").parse().unwrap();
    let entries = list["key"].as_array().unwrap();
    let mut known: Vec<String> = BADSSL.map(str::to_owned).into();
    for dossier in ["kz-isca", "kz-isca-2020", "kz-qaznet"] {
        let dossier: toml::Table = text(&format!("interceptors/{dossier}.toml")).parse().unwrap();
        let keys = dossier["key"].as_array().unwrap();
        known.extend(keys.iter().map(|key| key["spki_sha256"].as_str().unwrap().to_owned()));
    }
    assert_eq!(known.len(), 12);
    for key in known {
        let listed = entries.iter().any(|entry| entry["spki_sha256"].as_str() == Some(&key));
        assert!(listed, "{key}");
    }
    let interception = entries.iter().filter(|entry| entry.get("interception").is_some());
    assert_eq!(interception.count(), 11);
}

fn stores() -> BTreeMap<String, Store> {
    let folder = fs::read_dir(certs().join("stores")).unwrap();
    let names = folder.map(|file| file.unwrap().file_name().into_string().unwrap());
    let paths = names.filter(|name| name.ends_with(".toml")).map(|name| format!("stores/{name}"));
    paths.map(|path| (path.clone(), store(toml::from_str(&text(&path)).unwrap()))).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    program: String,
    date: String,
    known_since: Option<String>,
    note: String,
    snapshot: Vec<WrittenSnapshot>,
    anchor: Vec<WrittenAnchor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSnapshot {
    date: String,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAnchor {
    sha256: String,
    from: Option<String>,
    until: Option<String>,
    tls: Option<String>,
    name_constraints: Option<String>,
    issued_after: Option<String>,
    sct_after: Option<String>,
}

fn store(written: Written) -> Store {
    let optional = |text: Option<String>| text.map(|text| day(&text).unwrap());
    let anchor = |written: WrittenAnchor| Anchor {
        sha256: HEXLOWER.decode(written.sha256.as_bytes()).unwrap().try_into().unwrap(),
        from: optional(written.from),
        until: optional(written.until),
        tls: if written.tls.is_some() { Purpose::Unknown } else { Purpose::Tls },
        name_constraints: written.name_constraints.map(|it| BASE64.decode(it.as_bytes()).unwrap()),
        issued_after: optional(written.issued_after),
        sct_after: written.sct_after.map(|it| OffsetDateTime::parse(&it, &Rfc3339).unwrap()),
    };
    let snapshot = |written: WrittenSnapshot| Snapshot {
        date: day(&written.date).unwrap(),
        source: written.source,
    };
    Store {
        program: written.program,
        date: day(&written.date).unwrap(),
        known_since: optional(written.known_since),
        note: written.note,
        snapshots: written.snapshot.into_iter().map(snapshot).collect(),
        anchors: written.anchor.into_iter().map(anchor).collect(),
    }
}
