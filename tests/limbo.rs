//! x509-limbo, cases of chain validation by others: what a client should answer, and what ours does.

use std::collections::BTreeMap;

use kua::chain::Chain;
use kua::trust::{Anchor, TrustStore};
use kua_tests::{corpus, repository, told};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The day the corpus was taken, for cases that name no moment: 2026-06-29T00:00:00Z.
const TAKEN: i64 = 1_782_691_200;

/// Why a case asks for more than [`TrustStore::accepts`] models; `None` where it does not.
fn left_out(case: &Value) -> Option<&'static str> {
    let absent = |field: &str| case[field].as_array().is_none_or(Vec::is_empty);
    let kind = &case["expected_peer_name"]["kind"];
    if case["validation_kind"] != "SERVER" {
        Some("of a client's certificate")
    } else if !absent("crls") {
        Some("with a revocation list")
    } else if !case["max_chain_depth"].is_null() {
        Some("with a longest path")
    } else if kind != "DNS" && kind != "IP" {
        Some("without a name")
    } else {
        None
    }
}

fn certificates(pem: &Value) -> Vec<Vec<u8>> {
    let texts = pem.as_array().map_or(std::slice::from_ref(pem), Vec::as_slice);
    let texts = texts.iter().filter_map(Value::as_str);
    let blocks = texts.map(|text| x509_parser::pem::parse_x509_pem(text.as_bytes()).unwrap().1);
    blocks.map(|block| block.contents).collect()
}

/// What stands against the chain of a case, in the words of the refusal.
fn answer(case: &Value) -> Result<(), String> {
    let roots = certificates(&case["trusted_certs"]);
    let anchors = roots.iter().map(|root| Anchor::from_certificate(root));
    let anchors = anchors.collect::<Result<_, _>>().map_err(|error| format!("root: {error}"))?;
    let store = TrustStore::new("limbo", anchors);
    let mut sent = certificates(&case["peer_certificate"]);
    sent.extend(certificates(&case["untrusted_intermediates"]));
    let chain = Chain::from_der(sent).unwrap();
    let name = case["expected_peer_name"]["value"].as_str().unwrap();
    let at = case["validation_time"].as_str().map(|at| OffsetDateTime::parse(at, &Rfc3339));
    let at = at.unwrap_or_else(|| Ok(OffsetDateTime::from_unix_timestamp(TAKEN).unwrap()));
    let accepted = store.accepts(&chain, name, Some(at.unwrap()));
    accepted.map(|_| ()).map_err(|refusal| refusal.to_string())
}

/// Cases in which our answer may differ, each with the answer: `accepted` or `refused`.
fn exceptions() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(repository().join("tests/limbo_exceptions.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let mut excepted = BTreeMap::new();
    for group in table["exception"].as_array().unwrap() {
        let ours = group["ours"].as_str().unwrap();
        assert!(!group["reason"].as_str().unwrap().is_empty(), "an exception says why");
        for id in group["cases"].as_array().unwrap() {
            let id = id.as_str().unwrap();
            let twice = excepted.insert(id.to_owned(), ours.to_owned());
            assert_eq!(twice, None, "{id} is excepted twice");
        }
    }
    excepted
}

#[test]
fn answers_as_clients_should_or_says_why_not() {
    let Some(folder) = corpus("limbo") else { return };
    let text = std::fs::read(folder.join("limbo.json")).unwrap();
    let limbo: Value = serde_json::from_slice(&text).unwrap();
    let cases = limbo["testcases"].as_array().unwrap();
    let mut not_judged: BTreeMap<&str, usize> = BTreeMap::new();
    let mut agree = 0;
    let mut differ = BTreeMap::new();
    let mut details = Vec::new();
    for case in cases {
        if let Some(why) = left_out(case) {
            *not_judged.entry(why).or_default() += 1;
            continue;
        }
        let expected = case["expected_result"] == "SUCCESS";
        let answer = answer(case);
        if answer.is_ok() == expected {
            agree += 1;
            continue;
        }
        let id = case["id"].as_str().unwrap().to_owned();
        let ours = if answer.is_ok() { "accepted" } else { "refused" };
        details.push(format!("{id}: {}", answer.err().unwrap_or_else(|| ours.into())));
        differ.insert(id, ours.to_owned());
    }
    let excepted = exceptions();
    let unexpected = differ.iter().filter(|(id, ours)| excepted.get(*id) != Some(*ours));
    let unexpected: BTreeMap<_, _> = unexpected.collect();
    let unneeded: Vec<_> = excepted.keys().filter(|id| !differ.contains_key(*id)).collect();
    assert!(unexpected.is_empty(), "without an exception: {unexpected:#?} in {details:#?}");
    assert!(unneeded.is_empty(), "exceptions that are not needed: {unneeded:#?}");
    let (read, excepted) = (cases.len(), differ.len());
    let judged = read - not_judged.values().sum::<usize>();
    told(&format!("limbo: {read} read, {judged} judged, {agree} agree, {excepted} excepted"));
    told(&format!("limbo: left out: {not_judged:?}"));
    assert_eq!((read, judged, agree, excepted), (208, 183, 126, 57));
    let expected = [
        ("of a client's certificate", 10),
        ("with a longest path", 6),
        ("with a revocation list", 8),
        ("without a name", 1),
    ];
    assert_eq!(not_judged, expected.into_iter().collect());
}
