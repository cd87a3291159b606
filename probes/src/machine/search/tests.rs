//! Every place of every system, each on a machine made for the test.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kua_mint::{Authority, pem};

use super::*;
use crate::machine::testing::{TRUSTS, database, keystore};

/// A machine below a folder of the test, with one home.
struct Tree {
    folder: tempfile::TempDir,
    root: Vec<u8>,
}

impl Tree {
    fn new() -> Self {
        let tree = Self {
            folder: tempfile::tempdir().unwrap(),
            root: Authority::root("Root").certificate,
        };
        fs::create_dir_all(tree.folder.path().join("home/ana")).unwrap();
        tree
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.folder.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn search(&self) -> Found {
        search(&Machine::below(self.folder.path()))
    }

    fn search_with(&self, name: &str, value: &str) -> Found {
        let environment = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        search(&Machine { environment, ..Machine::below(self.folder.path()) })
    }
}

fn paths(found: &Found) -> Vec<&str> {
    found.stores.iter().map(|store| store.path.as_str()).collect()
}

/// A path that fits a pattern.
fn example(pattern: &str) -> String {
    let path = pattern.replace('*', "x");
    match path.split_once('/').unwrap() {
        ("~", rest) => format!("/home/ana/{rest}"),
        (variable, rest) if variable.starts_with('$') => format!("/opt/variable/{rest}"),
        _ => path,
    }
}

#[test]
fn every_place_is_found() {
    for place in PLACES {
        let tree = Tree::new();
        let path = example(place.pattern);
        let browser = matches!(
            place.remedy,
            Remedy::Firefox | Remedy::Thunderbird | Remedy::Chromium | Remedy::Certutil
        );
        let java = matches!(place.remedy, Remedy::Java | Remedy::GeneratedJava);
        let file = path.rsplit('/').next().unwrap().contains('.') && !path.contains("com.android");
        let mut expected = path.clone();
        if browser {
            expected = format!("{path}/cert9.db");
            tree.write(&expected, database(&[("Root", &tree.root, Some(TRUSTS))]));
        } else if java {
            tree.write(&path, keystore("changeit", &[("root", &tree.root)]));
        } else if file {
            tree.write(&path, pem(&tree.root));
        } else {
            tree.write(&format!("{path}/5ed36f99.0"), pem(&tree.root));
        }
        let variable = place.pattern.split('/').next().unwrap().trim_start_matches('$');
        let found = tree.search_with(variable, "/opt/variable");
        let store = found.stores.iter().find(|store| store.path == expected);
        let store = store.unwrap_or_else(|| panic!("{} is not found", place.pattern));
        assert_eq!((store.what.as_str(), store.remedy), (place.what, place.remedy), "{expected}");
        let trust: Vec<_> = store.content.held.iter().map(|held| held.trust).collect();
        assert_eq!(trust, [place.trust], "{expected}");
        assert!(found.failed.is_empty(), "{}: {:?}", place.pattern, found.failed);
    }
}

#[test]
fn one_store_under_several_names_is_read_once() {
    let tree = Tree::new();
    tree.write("/etc/ssl/certs/ca-certificates.crt", pem(&tree.root));
    tree.write(
        "/usr/lib/jvm/one/lib/security/cacerts",
        keystore("changeit", &[("root", &tree.root)]),
    );
    let link = |target: &str, path: &str| {
        let path = tree.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    };
    link("certs/ca-certificates.crt", "etc/ssl/cert.pem");
    link("one", "usr/lib/jvm/two");
    let found = tree.search();
    let expected = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/ssl/certs",
        "/usr/lib/jvm/one/lib/security/cacerts",
    ];
    assert_eq!(paths(&found), expected);
    link("/etc/passwd", "etc/ssl/ca-bundle.pem");
    let found = tree.search();
    assert_eq!(found.failed[0].path, "/etc/ssl/ca-bundle.pem", "it leads out of the folder");
}

#[test]
fn a_directory_of_many_names() {
    let tree = Tree::new();
    let other = Authority::root("Other").certificate;
    let folder = "/usr/local/share/ca-certificates";
    tree.write(&format!("{folder}/5ed36f99.0"), pem(&tree.root));
    tree.write(&format!("{folder}/corp/root.crt"), &tree.root);
    tree.write(&format!("{folder}/bundle.pem"), format!("{}{}", pem(&other), pem(&tree.root)));
    tree.write(&format!("{folder}/README"), "not a certificate");
    tree.write(&format!("{folder}/broken.crt"), "-----BEGIN CERTIFICATE-----\nMII");
    tree.write(&format!("{folder}/empty.pem"), "");
    let found = tree.search();
    let held = &found.stores[0].content.held;
    let labels: Vec<_> =
        held.iter().map(|held| (held.label.as_str(), held.since.is_some())).collect();
    assert_eq!(labels, [("corp/root.crt", true), ("bundle.pem", false)]);
    let failed: Vec<_> = found.failed.iter().map(|failed| failed.path.as_str()).collect();
    assert_eq!(failed, [format!("{folder}/broken.crt"), format!("{folder}/empty.pem")]);
}

#[test]
fn what_browsers_are_told() {
    let tree = Tree::new();
    let roots = ["One", "Two", "Three"].map(|name| Authority::root(name).certificate);
    let preference = "user_pref(\"security.enterprise_roots.enabled\", true);\n";
    tree.write("/home/ana/.mozilla/firefox/a.default/prefs.js", preference);
    let policies =
        r#"{"policies": {"Certificates": {"Install": ["corp.pem", "/opt/corp.der", "none.pem"]}}}"#;
    tree.write("/etc/firefox/policies/policies.json", policies);
    tree.write("/usr/lib/mozilla/certificates/corp.pem", pem(&roots[0]));
    tree.write("/opt/corp.der", &roots[1]);
    let text = serde_json::json!({ "CACertificates": [pem(&roots[2])] }).to_string();
    tree.write("/etc/opt/chrome/policies/managed/corp.json", text);
    tree.write("/etc/chromium/policies/managed/broken.json", "{");
    let found = tree.search();
    assert_eq!(found.settings[0].place, "/home/ana/.mozilla/firefox/a.default");
    let expected = [
        "/usr/lib/mozilla/certificates/corp.pem",
        "/opt/corp.der",
        "/etc/opt/chrome/policies/managed/corp.json",
    ];
    assert_eq!(paths(&found), expected);
    assert_eq!(found.failed[0].path, "/etc/chromium/policies/managed/broken.json");
}

#[test]
fn what_the_system_is_told() {
    let tree = Tree::new();
    let bundle = "/etc/ssl/certs/ca-certificates.crt";
    tree.write(bundle, pem(&tree.root));
    tree.write("/usr/share/ca-certificates/mozilla/Root.crt", pem(&tree.root));
    tree.write("/etc/ca-certificates.conf", "!mozilla/Root.crt\n!mozilla/Gone.crt\n");
    tree.write("/opt/own.pem", pem(&Authority::root("Own").certificate));
    tree.write("/home/ana/.npmrc", "cafile=/opt/own.pem\n");
    let found = tree.search_with("SSL_CERT_FILE", bundle);
    let off = found.stores.iter().find(|store| store.path == policies::DEBIAN).unwrap();
    assert_eq!(off.content.held[0].trust, Trust::Distrusted);
    let settings: Vec<_> =
        found.settings.iter().map(|setting| (setting.place.as_str(), setting.usual)).collect();
    assert_eq!(settings, [("SSL_CERT_FILE", true), ("cafile of /home/ana/.npmrc", false)]);
    let own = found.stores.iter().find(|store| store.path == "/opt/own.pem").unwrap();
    assert_eq!(own.remedy, Remedy::Environment);
    let missing = tree.search_with("NODE_EXTRA_CA_CERTS", "/opt/none.pem");
    assert_eq!(missing.failed[0].path, "/opt/none.pem");
}

#[test]
fn homes_are_those_that_are_there() {
    let tree = Tree::new();
    let homes = Machine::below(tree.folder.path()).homes;
    assert_eq!(homes, [PathBuf::from("/home/ana")]);
    assert_eq!(Machine::below(Path::new("/nowhere")).homes, Vec::<PathBuf>::new());
}
