//! `kua inspect` word for word: files, records, and what is neither.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod said;

use std::path::PathBuf;
use std::process::{Command, Output};

use data_encoding::BASE64;
use kua_mint::{Authority, Key, Log, NOW, Template, name, pem, sct_list};
use said::said;
use tempfile::TempDir;

/// A folder with a public root, a state's dossier and chains to look at.
struct Desk {
    folder: TempDir,
    public: Authority,
    state: Authority,
}

impl Desk {
    fn new() -> Self {
        let rdns = [("C", "QZ"), ("O", "State"), ("CN", "State Root")];
        let state = Authority::root_with(Key::ecdsa_p256(), Template::authority(&name(&rdns)));
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
            public: Authority::root("Public Root"),
            state,
        };
        let root = pem(&desk.public.certificate);
        desk.write(
            "reference/stores/test.pem",
            &format!("# program: Mozilla\n# date: 2025-10-01\n{root}"),
        );
        desk.write("reference/browsers.toml", include_str!("../../certs/browsers.toml"));
        let key = BASE64.encode(&desk.state.key.spki());
        desk.write(
            "reference/interceptors/some-state.toml",
            &format!(
                "id = \"some-state\"\ntitle = \"The interception of QZ\"\ncountry = \"QZ\"\n\
                 actor = \"state\"\n[[key]]\nsubject = \"CN=State Root,O=State,C=QZ\"\n\
                 public_key = \"{key}\"\n"
            ),
        );
        desk
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn inspect(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_kua"))
            .current_dir(self.folder.path())
            .env("KUA_NOW", "2025-10-09T08:53:20Z")
            .args(["inspect", "--reference", "reference"])
            .args(arguments)
            .output()
            .unwrap()
    }
}

macro_rules! assert_said {
    ($name:literal, $output:expr) => {
        let output = $output;
        let said = said(&output);
        insta::with_settings!({
            filters => vec![
                (r"serial       \d+", "serial       SERIAL"),
                (r"[0-9a-f]{64}", "SHA256"),
                (r"[0-9a-f]{40}", "KEY_ID"),
            ],
            omit_expression => true,
        }, {
            insta::assert_snapshot!($name, said);
        });
    };
}

#[test]
fn a_forged_chain_with_a_stranger_sent_along() {
    let desk = Desk::new();
    let middle = desk.state.intermediate("Security Certificate");
    let expired = Template::leaf(&["example.com", "www.example.com"])
        .valid(NOW - 80 * 86_400, NOW - 5 * 86_400);
    let leaf = middle.leaf_with(&Key::rsa(2048), expired).certificate;
    let stranger = Authority::root("Stranger").certificate;
    let chain = format!("{}{}{}", pem(&leaf), pem(&stranger), pem(&middle.certificate));
    desk.write("chain.pem", &chain);
    assert_said!("forged", desk.inspect(&["chain.pem", "--fail-on", "confirmed"]));
    let json = desk.inspect(&["chain.pem", "--format", "json"]);
    let judgement: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(judgement["interceptor"], "some-state");
}

/// What its victim sees where the root was installed: nothing.
#[test]
fn a_forged_chain_that_an_installed_root_makes_silent() {
    let desk = Desk::new();
    let stranger = Authority::root("Root of a Stranger");
    let template = Template::leaf(&["example.com"]).valid(NOW - 86_400, NOW + 90 * 86_400);
    let leaf = stranger.leaf_with(&Key::ecdsa_p256(), template).certificate;
    desk.write("chain.pem", &format!("{}{}", pem(&leaf), pem(&stranger.certificate)));
    assert_said!("silent", desk.inspect(&["chain.pem"]));
    let json = desk.inspect(&["chain.pem", "--format", "json"]);
    let judgement: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let browsers = judgement["browsers"].as_array().unwrap();
    assert_eq!(browsers.len(), 21);
    assert_eq!(browsers[1]["browser"], "firefox");
    assert_eq!(browsers[1]["installed"], "by-user");
    assert_eq!(browsers[1]["shows"], "silence");
    assert_eq!(browsers[1]["rule"], "firefox-own-roots");
    assert!(browsers[1]["since"].is_null());
}

#[test]
fn a_genuine_leaf_by_its_name_and_by_another() {
    let desk = Desk::new();
    let leaf = desk.public.leaf("example.com").certificate;
    std::fs::write(desk.folder.path().join("leaf.der"), &leaf).unwrap();
    assert_said!("genuine", desk.inspect(&["leaf.der", "-v"]));
    assert_said!("other_name", desk.inspect(&["leaf.der", "--name", "example.org"]));
    assert_said!("other_time", desk.inspect(&["leaf.der", "--at", "2035-01-01T00:00:00Z"]));
}

/// The same list of SCTs in the certificate it was made for and copied onto another key.
#[test]
fn scts_of_the_genuine_leaf_and_copied() {
    let desk = Desk::new();
    let (log, stranger) = (Log::new(), Log::new());
    let base64 = |bytes: &[u8]| BASE64.encode(bytes);
    desk.write(
        "reference/logs/test.toml",
        &format!(
            "program = \"Test\"\n[[log]]\ndescription = \"Some Log\"\noperator = \"Somebody\"\n\
             kind = \"rfc6962\"\nid = \"{}\"\nkey = \"{}\"\n",
            base64(&log.id()),
            base64(&log.key.spki()),
        ),
    );
    let (key, template) = (Key::ecdsa_p256(), Template::leaf(&["example.com"]));
    let scts = [&log, &stranger].map(|log| log.sct(&desk.public, &key, &template));
    let template = template.with(sct_list(&scts));
    let genuine = desk.public.leaf_with(&key, template.clone()).certificate;
    let copied = desk.public.leaf_with(&Key::ecdsa_p256(), template).certificate;
    desk.write("genuine.pem", &pem(&genuine));
    desk.write("copied.pem", &pem(&copied));
    let said = desk.inspect(&["genuine.pem"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let line = "    SCTs         1 of 2 valid: Some Log, a log that no list here knows\n";
    assert!(said.contains(line), "{said}");
    assert_said!("copied_scts", desk.inspect(&["copied.pem"]));
}

/// Stock OONI keeps one authority; it is not called a leaf.
#[test]
fn a_record_that_kept_one_authority() {
    let desk = Desk::new();
    let middle = BASE64.encode(&desk.state.intermediate("Security Certificate").certificate);
    let record = format!(
        "{{\"test_name\":\"web_connectivity\",\"measurement_start_time\":\"2025-10-09 08:53:20\",\
         \"probe_cc\":\"QZ\",\"probe_asn\":\"AS64500\",\"test_keys\":{{\"tls_handshakes\":[{{\
         \"server_name\":\"example.com\",\"address\":\"192.0.2.1:443\",\
         \"failure\":\"ssl_unknown_authority\",\"no_tls_verify\":false,\
         \"peer_certificates\":[{{\"format\":\"base64\",\"data\":\"{middle}\"}}]}}]}}}}\n"
    );
    desk.write("records.jsonl", &format!("{record}not a record\n"));
    assert_said!("record", desk.inspect(&["records.jsonl"]));
}

#[test]
fn what_is_neither_a_file_nor_a_host() {
    let desk = Desk::new();
    desk.write("empty.pem", "");
    assert_said!("empty", desk.inspect(&["empty.pem"]));
    assert_said!("nowhere", desk.inspect(&["no such file"]));
    assert_said!("bad_time", desk.inspect(&["empty.pem", "--at", "yesterday"]));
}
