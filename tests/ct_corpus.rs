//! Certificate Transparency against real data: the committed lists of logs against what Chrome and
//! Apple publish, and the SCTs of real leaves against those lists.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use kua::chain::{Chain, KeyHash};
use kua::ct::{self, Kind, Log, Outcome};
use kua::path::path;
use kua::reference::Reference;
use kua_tests::corpus;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fn json(folder: &str, file: &str) -> Option<Value> {
    let bytes = std::fs::read(corpus(folder)?.join(file)).unwrap();
    Some(serde_json::from_slice(&bytes).unwrap())
}

#[test]
fn the_lists_of_logs_are_those_that_were_published() {
    let reference = Reference::built_in().unwrap();
    for (program, file, count) in [
        ("Chrome", "gstatic_v3_all_logs_list.json", 117),
        ("Apple", "apple_current_log_list.json", 166),
    ] {
        let Some(published) = json("ct", file) else { return };
        let list = reference.logs.iter().find(|list| list.program == program).unwrap();
        assert_eq!(list.version.as_deref(), published["version"].as_str());
        let mut logs = list.logs.iter();
        for operator in published["operators"].as_array().unwrap() {
            for (field, kind) in [("logs", Kind::Rfc6962), ("tiled_logs", Kind::Static)] {
                for one in operator[field].as_array().into_iter().flatten() {
                    let log = logs.next().unwrap();
                    assert_eq!(log.kind, kind, "{}", log.description);
                    assert_eq!(log.operator, operator["name"].as_str().unwrap());
                    same(log, one);
                }
            }
        }
        assert!(logs.next().is_none());
        assert_eq!(list.logs.len(), count, "logs of {program}");
    }
}

fn same(log: &Log, published: &Value) {
    let text = |field: &str| published[field].as_str().unwrap_or_default();
    let key = BASE64.decode(text("key").as_bytes()).unwrap();
    assert_eq!(log.description, text("description"));
    assert_eq!(BASE64.encode(log.id.as_bytes()), text("log_id"));
    assert_eq!(log.id, KeyHash::of(&key), "{}", log.description);
    assert_eq!(Some(&log.key), ct::LogKey::from_spki(&key).as_ref());
    assert_eq!(log.purpose.as_deref().unwrap_or_default().replace('-', "_"), text("log_type"));
    let states = published["state"].as_object();
    let states = states.into_iter().flatten().map(|(name, state)| {
        let since = state["timestamp"].as_str().unwrap();
        (OffsetDateTime::parse(since, &Rfc3339).unwrap(), name.clone())
    });
    let known = log.states.iter().map(|(since, state)| {
        (*since, serde_json::to_value(state).unwrap().as_str().unwrap().replace('-', ""))
    });
    assert_eq!(known.collect::<Vec<_>>(), states.collect::<Vec<_>>(), "{}", log.description);
}

/// 14 sites that x509-limbo visited in 2025 and 2026.
#[test]
fn the_scts_of_real_leaves_verify() {
    let Some(limbo) = json("limbo", "limbo.json") else { return };
    let reference = Reference::built_in().unwrap();
    let (mut leaves, mut unmet) = (0, Vec::new());
    let mut outcomes = BTreeMap::new();
    for case in limbo["testcases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if !id.starts_with("online::") {
            continue;
        }
        let sent = [&case["peer_certificate"]].into_iter().chain(
            ["untrusted_intermediates", "trusted_certs"]
                .into_iter()
                .flat_map(|field| case[field].as_array().unwrap()),
        );
        let sent = sent.map(|pem| {
            let pem = x509_parser::pem::parse_x509_pem(pem.as_str().unwrap().as_bytes()).unwrap();
            pem.1.contents
        });
        let chain = Chain::from_der(sent.collect::<Vec<_>>()).unwrap();
        let issuer = path(&chain, |_| None).signers(&chain).first().copied();
        let leaf = chain.first().fields().unwrap();
        let scts = ct::check(leaf, issuer, &reference.logs);
        for sct in &scts {
            *outcomes.entry(sct.outcome.as_str()).or_insert(0) += 1;
            assert_eq!(sct.outcome, Outcome::Valid, "{id}: {:?}", sct.log);
        }
        for policy in &reference.policies {
            let asked = policy.unmet(leaf, &scts, &reference.logs);
            unmet.extend(asked.map(|asked| format!("{id}: {asked:?}")));
        }
        // Without the issuer's key, or under another, nothing verifies.
        let other = Some(KeyHash::of(&leaf.spki));
        for (issuer, expected) in [(None, Outcome::IssuerUnknown), (other, Outcome::BadSignature)] {
            let scts = ct::check(leaf, issuer, &reference.logs);
            assert!(scts.iter().all(|sct| sct.outcome == expected), "{id}");
        }
        leaves += 1;
    }
    assert_eq!((leaves, outcomes), (14, BTreeMap::from([("valid", 38)])));
    assert_eq!(unmet, Vec::<String>::new());
}
