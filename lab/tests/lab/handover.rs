//! The files that a lab leaves for those who measure it, and the command that runs one.

use std::fs;
use std::path::Path;
use std::process::Command;

use data_encoding::{BASE64, HEXLOWER};
use kua_lab::Network;
use kua_lab::hosts::HOSTS;

#[tokio::test]
async fn a_started_lab_says_where_it_is_and_a_stopped_one_takes_it_back() {
    let out = tempfile::tempdir().expect("a directory");
    let out = out.path().join("not/yet/there");
    let network = Network::start(&out).await.expect("a network");

    let ready = read(&out.join("ready"));
    assert_eq!(ready, format!("clean {}\nnational {}\n", network.clean, network.national));
    for (file, entry) in [("clean.args", network.clean), ("national.args", network.national)] {
        let arguments = read(&out.join(file));
        let expected = HOSTS.iter().map(|host| format!("--connect-to {}:443:{entry}", host.name));
        assert!(arguments.lines().eq(expected), "{arguments}");
    }

    let suite = table(&out.join("suite.toml"));
    assert_eq!(suite["name"].as_str(), Some("lab"));
    let targets = suite["target"].as_array().expect("targets");
    assert_eq!(targets.len(), HOSTS.len());
    assert!(targets.iter().all(|target| target["reason"].as_str().is_some()));

    network.stop().await.expect("a stop");
    assert!(!out.join("ready").exists());
    assert!(out.join("suite.toml").exists());
}

#[tokio::test]
async fn reference_data_is_whole_and_its_hashes_fit() {
    let out = tempfile::tempdir().expect("a directory");
    let _network = Network::start(out.path()).await.expect("a network");
    let reference = out.path().join("reference");

    let store = read(&reference.join("stores/lab-public.pem"));
    assert!(store.starts_with("# program: Lab public roots\n# date: 20"));
    assert!(store.contains("\n\n# C=QP, O=Lab Public Trust, CN=Lab Public Root\n-----BEGIN"));
    let (_, root) = x509_parser::pem::parse_x509_pem(store.as_bytes()).expect("PEM");
    let root = root.parse_x509().expect("a certificate").subject().to_string();
    assert_eq!(root, "C=QP, O=Lab Public Trust, CN=Lab Public Root");

    let dossier = table(&reference.join("interceptors/lab-state.toml"));
    assert_eq!(dossier["id"].as_str(), Some("lab-state"));
    let key = &dossier["key"][0];
    let spki = BASE64.decode(key["public_key"].as_str().expect("text").as_bytes()).expect("base64");
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &spki);
    assert_eq!(key["spki_sha256"].as_str(), Some(HEXLOWER.encode(hash.as_ref()).as_str()));
    assert_eq!(key["sha256"].as_str().map(str::len), Some(64));

    let products = table(&reference.join("products.toml"));
    assert_eq!(products["product"][0]["source"], products["source"][0]["id"]);
}

#[test]
fn the_command_ends_by_itself_and_leaves_no_ready() {
    let out = tempfile::tempdir().expect("a directory");
    let run = Command::new(env!("CARGO_BIN_EXE_kua-lab"))
        .args(["run", "--for", "0", "--out"])
        .arg(out.path())
        .output()
        .expect("the command runs");
    let said = String::from_utf8(run.stderr).expect("text");
    assert!(run.status.success(), "{said}");
    assert!(run.stdout.is_empty());
    for line in ["clean entry ", "antivirus ", "censor ", "listed ", "unlisted ", "sites "] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!out.path().join("ready").exists());
    assert!(out.path().join("national.args").exists());
}

#[test]
fn the_command_says_why_it_cannot_start() {
    let out = tempfile::NamedTempFile::new().expect("a file, not a directory");
    let run = Command::new(env!("CARGO_BIN_EXE_kua-lab"))
        .args(["run", "--for", "0", "--out"])
        .arg(out.path())
        .output()
        .expect("the command runs");
    let said = String::from_utf8(run.stderr).expect("text");
    assert_eq!(run.status.code(), Some(1));
    assert!(said.starts_with("error: write ") && said.contains("\nbecause: "), "{said}");
}

fn table(path: &Path) -> toml::Table {
    read(path).parse().expect("TOML")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
