//! x509-limbo, cases of chain validation by others: what a client should answer, and what ours does.

use std::collections::BTreeMap;

use kua::chain::Chain;
use kua::trust::{Anchor, TrustStore};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::report::Section;
use crate::{data, repository};

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

/// How our answer to a case may differ, or that it is not asked, with the reason.
struct Exception {
    ours: String,
    reason: String,
}

fn exceptions() -> BTreeMap<String, Exception> {
    let text = std::fs::read_to_string(repository().join("tests/limbo_exceptions.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let mut excepted = BTreeMap::new();
    for group in table["exception"].as_array().unwrap() {
        let said = |field: &str| group[field].as_str().unwrap().to_owned();
        assert!(!said("reason").is_empty(), "an exception says why");
        for id in group["cases"].as_array().unwrap() {
            let id = id.as_str().unwrap().to_owned();
            let exception = Exception { ours: said("ours"), reason: said("reason") };
            assert!(excepted.insert(id.clone(), exception).is_none(), "{id} is excepted twice");
        }
    }
    excepted
}

/// Every case agrees, or the file of exceptions names it with our answer and the reason.
pub fn section() -> Section {
    let mut section = Section::new("x509-limbo: does `accepts` answer as a client should?");
    let Some(folder) = data("limbo") else { return section.skip("no corpus") };
    let text = std::fs::read(folder.join("limbo.json")).unwrap();
    let limbo: Value = serde_json::from_slice(&text).unwrap();
    let cases = limbo["testcases"].as_array().unwrap();
    let mut excepted = exceptions();
    let mut agree = 0;
    let mut reasons: BTreeMap<(String, String), usize> = BTreeMap::new();
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let expected = case["expected_result"] == "SUCCESS";
        let (ours, why) = match left_out(case) {
            Some(why) => ("not asked", why.to_owned()),
            None => match answer(case) {
                Ok(()) => ("accepted", "accepted".into()),
                Err(refusal) => ("refused", refusal),
            },
        };
        let agrees = ours != "not asked" && (ours == "accepted") == expected;
        match (excepted.remove(id), agrees) {
            (None, true) => agree += 1,
            (None, false) => section.fail(format!("{id}: {ours} without an exception: {why}")),
            (Some(_), true) => section.fail(format!("{id}: excepted, though we agree")),
            (Some(known), false) if known.ours == ours => {
                *reasons.entry((known.ours, known.reason)).or_default() += 1;
            }
            (Some(known), false) => {
                section.fail(format!("{id}: {ours}, and the exception says {}: {why}", known.ours));
            }
        }
    }
    for id in excepted.keys() {
        section.fail(format!("{id}: excepted, and no case of the corpus"));
    }
    section.line(format!("cases {}, agree {agree}, excepted {}", cases.len(), cases.len() - agree));
    for ((ours, reason), count) in reasons {
        section.line(format!("  {count:>3} {ours}: {reason}"));
    }
    section
}
