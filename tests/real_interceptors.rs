//! Judgements of programs that really intercept, and of servers that only look like it.

use std::process::Command;

use kua::chain::Certificate;
use kua_mint::{Key, Template, name};
use kua_tests::{Peer, corpus, files_below, free_port, skipped, tool, wait_for};

use crate::scenario::{HOST, Scenario, openssl, told};

#[test]
fn mitmproxy() {
    let (Some(openssl), Some(mitmdump)) = (openssl(), tool("mitmdump")) else {
        skipped("no mitmproxy");
        return;
    };
    let scenario = Scenario::new();
    let genuine = scenario.public.leaf(HOST);
    let (_site, site) = scenario.serve(&openssl, &genuine, &[]);
    let control = scenario.dir.path().join("control.jsonl");
    let control = control.to_str().unwrap();
    assert_eq!(told(&scenario.probe(site, &["--out", control])), ["normal", "-", "-", "-"]);

    let port = free_port();
    let folder = scenario.dir.path().join("mitmproxy");
    let _mitmproxy = Peer::start(
        Command::new(mitmdump)
            .args(["--quiet", "--ssl-insecure", "--listen-host", "127.0.0.1"])
            .args(["--listen-port", &port.to_string()])
            .args(["--mode", &format!("reverse:https://127.0.0.1:{site}/")])
            .args(["--set", &format!("confdir={}", folder.display())]),
    );
    assert!(wait_for(port), "mitmproxy listens");

    // Its name is on the list of products; a name is all that is known.
    let judgement = scenario.probe(port, &[]);
    assert_eq!(told(&judgement), ["intercepted", "local", "possible", "-"]);
    // A control was shown another chain: it is intercepted, whoever it is.
    let judgement = scenario.probe(port, &["--control", control]);
    assert_eq!(told(&judgement), ["intercepted", "local", "probable", "-"]);
    // A dossier lists its key: then its name does not matter.
    let own = std::fs::read(folder.join("mitmproxy-ca-cert.pem")).unwrap();
    let (_, own) = x509_parser::pem::parse_x509_pem(&own).unwrap();
    let own = Certificate::from_bytes(&own.contents).unwrap();
    scenario.accuse(&own.fields().unwrap().spki);
    let judgement = scenario.probe(port, &[]);
    assert_eq!(told(&judgement), ["intercepted", "state", "confirmed", "some-state"]);
    assert_eq!(judgement["chain"].as_array().unwrap().len(), 1, "its root is not sent");
}

/// Keys and encodings that no public authority may use, as interceptors do.
#[test]
fn odd_chains_by_openssl() {
    let Some(openssl) = openssl() else { return };
    let scenario = Scenario::new();
    let old = kua_mint::Authority::root_with(
        Key::rsa(1024),
        Template::authority(&name(&[("CN", "Old State Root")])),
    );
    scenario.accuse(&old.key.spki());
    let key = Key::rsa(2048);
    let plain = || Template::leaf(&[HOST]);
    let sha1 = kua_mint::Algorithm::RsaSha1;
    for (case, template, along) in [
        ("RSA-1024 state root -> leaf", plain(), vec![]),
        ("RSA-1024 state root -> leaf, root sent", plain(), vec![old.certificate.clone()]),
        ("RSA-1024 state root -> leaf over SHA-1", plain().algorithm(sha1), vec![]),
        ("RSA-1024 state root -> expired leaf", plain().valid(0, 86_400), vec![]),
        ("RSA-1024 state root -> version 1 leaf", plain().version_1(), vec![]),
        ("RSA-1024 state root -> leaf that is not DER", plain().explicit_false(), vec![]),
    ] {
        let leaf = old.leaf_with(&key, template);
        // Security level 0: openssl itself would refuse to serve such chains.
        let options = ["-cipher", "DEFAULT:@SECLEVEL=0"];
        let (_peer, port) = scenario.serve_with(&openssl, &leaf, &along, &options);
        let judgement = scenario.probe(port, &[]);
        assert_eq!(told(&judgement), ["intercepted", "state", "confirmed", "some-state"], "{case}");
    }
}

/// Any server can send a state's certificate along with its own chain. It accuses nobody.
#[test]
fn a_state_s_certificate_sent_along() {
    let (Some(openssl), Some(folder)) = (openssl(), corpus("state-ca")) else { return };
    let scenario = Scenario::new();
    let genuine = scenario.public.leaf(HOST);
    let private = kua_mint::Authority::root("Private Root").leaf(HOST);
    let mut served = 0;
    for file in files_below(&folder, &[".pem"]) {
        let text = std::fs::read(&file).unwrap();
        let (_, block) = x509_parser::pem::parse_x509_pem(&text).unwrap();
        for (leaf, verdict) in [(&genuine, "normal"), (&private, "anomaly")] {
            let along = [block.contents.clone()];
            let (_peer, port) =
                scenario.serve_with(&openssl, leaf, &along, &["-cipher", "DEFAULT:@SECLEVEL=0"]);
            let judgement = scenario.probe(port, &[]);
            assert_eq!(judgement["verdict"], verdict, "{}", file.display());
            assert_eq!(judgement["interceptor"], serde_json::Value::Null, "{}", file.display());
            assert_eq!(judgement["chain"].as_array().unwrap().len(), 2, "{}", file.display());
        }
        served += 1;
    }
    assert_eq!(served, 89);
}
