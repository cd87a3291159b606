//! `kua reference` word for word, and what becomes of a directory when reports are good and bad.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod said;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

use data_encoding::{BASE64, HEXUPPER};
use kua_mint::{Authority, pem};
use said::said;
use tempfile::TempDir;

/// 2096-12-10, on which the reports of these tests were downloaded: no built-in file is newer.
const DOWNLOADED: u64 = 4_005_979_200;

/// A user's directory as an earlier update left it on 2096-12-01, and a folder of newer reports.
struct World {
    folder: TempDir,
    roots: Vec<Authority>,
}

impl World {
    fn new() -> Self {
        let roots: Vec<_> = ["A", "B", "C", "D"].map(Authority::root).into();
        let world = Self { folder: tempfile::tempdir().unwrap(), roots };
        let anchors = world.roots[..3].iter().map(|root| {
            format!("[[anchor]]\nsha256 = \"{}\"\n", hash(&root.certificate).to_lowercase())
        });
        let anchors: String = anchors.collect();
        let certificates = world.roots[..3].iter().map(|root| pem(&root.certificate));
        world.write("reference/roots.pem", &certificates.collect::<String>());
        world.write(
            "reference/stores/mozilla.toml",
            &format!("program = \"Mozilla\"\ndate = \"2096-12-01\"\n{anchors}"),
        );
        world.write(
            "reference/blocklists/onecrl.toml",
            "list = \"OneCRL\"\nprograms = [\"Mozilla\"]\ndate = \"2096-12-01\"\n\
             [[issuer]]\nname = \"MAA=\"\nserials = [{ serial = \"07\", since = \"2015-01-01\" }]\n",
        );
        world
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(DOWNLOADED)).unwrap();
    }

    /// Mozilla's report on some of the roots.
    fn mozilla(&self, roots: &[usize]) -> String {
        let mut text = String::from(
            "Owner,SHA-256 Fingerprint,Trust Bits,Distrust for TLS After Date,\
             Mozilla Applied Constraints,PEM Info\n",
        );
        for root in roots {
            let der = &self.roots[*root].certificate;
            let row = format!("\"Owner, {root}\",{},Websites,,,\"'{}'\"\n", hash(der), pem(der));
            text.push_str(&row);
        }
        text
    }

    fn kua(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kua"));
        command.args(arguments).current_dir(self.folder.path());
        command.env("KUA_NOW", "2096-12-15T00:00:00Z").env("KUA_REFERENCE_DIR", "reference");
        command.output().unwrap()
    }

    fn held(&self, folder: &str) -> BTreeMap<String, String> {
        let mut held = BTreeMap::new();
        let root = self.folder.path().join(folder);
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            for path in entries.map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                    held.insert(name, fs::read_to_string(path).unwrap());
                }
            }
        }
        held
    }
}

fn hash(der: &[u8]) -> String {
    HEXUPPER.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der).as_ref())
}

fn onecrl(serial: u8) -> String {
    let serial = BASE64.encode(&[serial]);
    format!(
        "{{\"data\": [{{\"enabled\": false, \"issuerName\": \"MAA=\", \"serialNumber\": \"{serial}\", \
         \"last_modified\": 4005763200000}}]}}"
    )
}

macro_rules! assert_says {
    ($name:expr, $output:expr) => {
        insta::with_settings!({
            filters => vec![(r"\b[0-9a-f]{64}\b", "SHA256"), (r"\b[0-9a-f]{12}\b", "SHA256")],
            omit_expression => true,
        }, {
            insta::assert_snapshot!($name, said(&$output));
        });
    };
}

#[test]
fn help() {
    let world = World::new();
    assert_says!("reference_help", world.kua(&["reference", "--help"]));
    assert_says!("reference_show_help", world.kua(&["reference", "show", "--help"]));
    assert_says!("reference_update_help", world.kua(&["reference", "update", "--help"]));
}

#[test]
fn what_is_compared_with_and_how_old_it_is() {
    let world = World::new();
    world.write("given/roots.pem", &pem(&world.roots[0].certificate));
    let anchor = hash(&world.roots[0].certificate);
    for (program, head) in [
        ("mozilla", "program = \"Mozilla\"\ndate = \"2096-12-14\"\nknown_since = \"2015-02-05\""),
        ("java", "program = \"Java\"\ndate = \"2092-01-23\""),
        ("apple", "program = \"Apple\"\ndate = \"2096-09-15\""),
    ] {
        let text = format!("{head}\n[[anchor]]\nsha256 = \"{anchor}\"\n");
        world.write(&format!("given/stores/{program}.toml"), &text);
    }
    world.write(
        "given/interceptors/x.toml",
        "id = \"x\"\ntitle = \"X\"\ncountry = \"QZ\"\nactor = \"state\"\nnames = [\"CN=X\"]\n",
    );
    let arguments = ["reference", "show", "--reference", "given"];
    assert_says!("reference_show", world.kua(&arguments));
    assert_says!(
        "reference_show_json",
        world.kua(&[&arguments[..], &["--format", "json"]].concat())
    );
}

#[test]
fn good_reports_are_taken_and_bad_ones_are_named() {
    let world = World::new();
    let before = world.held("reference");
    world.write("reports/IncludedCACertificateReportPEMCSV.csv", &world.mozilla(&[1, 2, 3]));
    world.write("reports/onecrl.json", &onecrl(7));
    world.write("reports/all_logs_list.json", "{}");
    world.write("reports/all_logs_list.sig", "not a signature");
    world.write("reports/crl-set.crx3", "Cr24 cut");
    world.write("reports/current_log_list.json", "{\"version\": \"9\", \"operators\": [");
    let output = world.kua(&["reference", "update", "--from", "reports"]);
    assert_says!("reference_update", output);

    let after = world.held("reference");
    let files: Vec<_> = after.keys().map(String::as_str).collect();
    let expected = ["blocklists/onecrl.toml", "roots.csv", "roots.pem", "stores/mozilla.toml"];
    assert_eq!(files, expected);
    let store = &after["stores/mozilla.toml"];
    assert!(
        store.starts_with(
            "program = \"Mozilla\"\ndate = \"2096-12-10\"\nknown_since = \"2096-12-01\"\n"
        ),
        "{store}"
    );
    assert_eq!(store.matches("until = \"2096-12-10\"").count(), 1, "{store}");
    assert_eq!(store.matches("from = \"2096-12-01\"").count(), 1, "{store}");
    assert_eq!(after["roots.pem"].matches("BEGIN").count(), 4);
    assert!(after["roots.csv"].ends_with(",\"Owner, 3\",,,ccadb\n"), "{}", after["roots.csv"]);
    let list = &after["blocklists/onecrl.toml"];
    assert!(list.contains("{ serial = \"07\", since = \"2015-01-01\" }"), "{list}");
    assert_eq!(world.held("reference.previous"), before);

    let shown = world.kua(&["reference", "show", "--format", "json"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let refreshed = shown["files"].as_array().unwrap().iter();
    let refreshed = refreshed.filter(|file| file["origin"] == "refreshed");
    let refreshed: Vec<_> = refreshed.map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(refreshed, expected);
}

#[test]
fn reports_that_cannot_be_true_change_nothing() {
    let world = World::new();
    let before = world.held("reference");
    let good = world.mozilla(&[0, 1, 2]);
    let hashes = [0, 1].map(|root: usize| hash(&world.roots[root].certificate));
    for (case, mozilla, onecrl) in [
        ("no more than a third of the roots", world.mozilla(&[0]), "{\"data\": []}".to_owned()),
        ("another program's block list", world.mozilla(&[3]), onecrl(9)),
        ("cut", good[..good.len() - 40].to_owned(), onecrl(7).replace("}]}", "")),
        ("a hash that does not fit", good.replace(&hashes[0], &hashes[1]), "[]".into()),
        ("a portal's page", "<html>Please log in</html>".into(), "<html></html>".into()),
        ("nothing", String::new(), String::new()),
    ] {
        world.write("reports/IncludedCACertificateReportPEMCSV.csv", &mozilla);
        world.write("reports/onecrl.json", &onecrl);
        let output = world.kua(&["reference", "update", "--from", "reports"]);
        assert_eq!(output.status.code(), Some(1), "{case}");
        assert_eq!(world.held("reference"), before, "{case}");
        assert!(!world.folder.path().join("reference.previous").exists(), "{case}");
        let error = String::from_utf8(output.stderr).unwrap();
        for file in ["stores/mozilla.toml", "blocklists/onecrl.toml"] {
            assert!(error.contains(&format!("error: cannot refresh {file}")), "{case}: {error}");
        }
    }
    assert_says!(
        "reference_update_refused",
        world.kua(&["reference", "update", "--from", "reports"])
    );
    assert_says!(
        "reference_update_nothing",
        world.kua(&["reference", "update", "--from", "absent"])
    );
}

#[test]
fn a_broken_directory_stops_judging_and_is_made_anew() {
    let world = World::new();
    world.write("reference/stores/mozilla.toml", "program = \"Mozilla\"\ndate = \"2096-12-02\"\n");
    assert_says!("reference_broken", world.kua(&["reference", "show"]));
    let built_in = world.kua(&["reference", "show", "--reference-built-in", "--format", "json"]);
    assert_eq!(built_in.status.code(), Some(0));
    fs::remove_dir_all(world.folder.path().join("reference/blocklists")).unwrap();
    world.write("reports/onecrl.json", &onecrl(7));
    let output = world.kua(&["reference", "update", "--from", "reports", "--dir", "elsewhere"]);
    assert!(Path::new(&world.folder.path().join("reference/stores/mozilla.toml")).exists());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!error.contains("warning"), "another directory is not looked at: {error}");
    let output = world.kua(&["reference", "update", "--from", "reports"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("warning: reference is not used any more"), "{error}");
}

#[test]
fn nowhere_to_keep_it() {
    let world = World::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kua"));
    command.args(["reference", "update", "--from", "reports"]).current_dir(world.folder.path());
    command.env("KUA_REFERENCE_DIR", "");
    assert_says!("reference_nowhere", command.output().unwrap());
}
