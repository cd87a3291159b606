//! The committed stores beside other copies of the same lists, which were gathered independently.

#![allow(clippy::print_stderr, reason = "cargo test shows what a test writes there")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;

/// Not part of the repository; see its SOURCES.md.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");

/// Store, copy, and how many roots only the store and only the copy hold.
const COPIES: &[(&str, &str, usize, usize)] = &[
    ("apple", "store_apple", 0, 0),
    ("chrome", "store_chrome", 0, 0),
    ("debian", "store_debian_20250419", 0, 0),
    ("mozilla", "store_mozilla_webpki", 0, 0),
    // The copy is of July 2026, before three roots went.
    ("mozilla", "store_mozilla_nss", 0, 3),
    // The copies are of June and July 2026, the newest packages of December and March. Microsoft's
    // has 82 roots that are not for TLS.
    ("android", "store_google_aosp", 3, 5),
    ("microsoft", "store_microsoft_windows", 14, 123),
];

#[test]
fn stores_hold_what_other_copies_hold() {
    let folder = Path::new(CORPUS).join("roots");
    if !folder.exists() {
        // Cargo hides what a passing test prints, but not what it writes there.
        let _ = writeln!(std::io::stderr(), "skipped: no corpus");
        return;
    }
    for (store, copy, ours, theirs) in COPIES {
        let text = fs::read_to_string(folder.join(format!("{copy}.sha256.txt"))).unwrap();
        let copied: BTreeSet<String> = text.split_whitespace().map(str::to_owned).collect();
        let held = held(store);
        let (only_ours, only_theirs) = (held.difference(&copied), copied.difference(&held));
        assert_eq!((only_ours.count(), only_theirs.count()), (*ours, *theirs), "{store}, {copy}");
    }
}

#[test]
fn known_authorities_of_states_are_on_the_lists_that_the_facts_name() {
    let facts = Path::new(CORPUS).join("../facts/known_state_cas.json");
    let Ok(facts) = fs::read(facts) else {
        let _ = writeln!(std::io::stderr(), "skipped: no corpus");
        return;
    };
    let facts: serde_json::Value = serde_json::from_slice(&facts).unwrap();
    let chromium = text("blocklists/chromium.toml");
    let (mut listed, mut others) = (0, Vec::new());
    for authority in facts["cas"].as_array().unwrap() {
        let key = authority["spki_sha256"].as_str().unwrap();
        if chromium.contains(key) {
            listed += 1;
        } else {
            others.push(authority["id"].as_str().unwrap());
        }
    }
    assert_eq!(listed, 15);
    let expected = [
        "kz_nca_rsa_national_ca_ctlog_accepted",
        "ru_trusted_root_ca_2022",
        "ru_trusted_sub_ca_2022",
    ];
    assert_eq!(others, expected);
}

/// The roots that a store holds on its newest day.
fn held(store: &str) -> BTreeSet<String> {
    let store: toml::Table = text(&format!("stores/{store}.toml")).parse().unwrap();
    let anchors = store["anchor"].as_array().unwrap();
    let newest = anchors.iter().filter(|anchor| anchor.get("until").is_none());
    newest.map(|anchor| anchor["sha256"].as_str().unwrap().to_owned()).collect()
}

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
