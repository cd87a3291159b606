//! Certificate Transparency against real data: the committed lists of logs against what Chrome and
//! Apple publish, and the SCTs of real leaves against those lists.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use kua::chain::{Certificate, Chain, KeyHash};
use kua::ct::{self, Kind, Log, Outcome};
use kua::measurement::{Handshake, Measurement};
use kua::path::path;
use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::verdict::{Verdict, judge};
use kua::wire;
use kua_tests::{corpus, files_below};
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
        let sent = sent.map(|pem| der(pem.as_str().unwrap()));
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

/// The same sites, judged as a probe would have seen them.
#[test]
fn real_sites_are_normal_without_a_finding() {
    let Some(limbo) = json("limbo", "limbo.json") else { return };
    let reference = Reference::built_in().unwrap();
    let mut normal = 0;
    for case in limbo["testcases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if !id.starts_with("online::") {
            continue;
        }
        let intermediates = case["untrusted_intermediates"].as_array().unwrap();
        let sent = std::iter::once(&case["peer_certificate"]).chain(intermediates);
        let sent: Vec<_> = sent.map(|pem| der(pem.as_str().unwrap())).collect();
        let seen = case["validation_time"].as_str().unwrap();
        let shaken = Handshake {
            server_name: case["expected_peer_name"]["value"].as_str().map(str::to_owned),
            chain: Some(Chain::from_der(sent).unwrap()),
            whole: true,
            ..Handshake::default()
        };
        let measurement = Measurement {
            started: Some(OffsetDateTime::parse(seen, &Rfc3339).unwrap()),
            handshakes: vec![shaken],
            ..Measurement::default()
        };
        let judgements = judge(&measurement, &reference, &Surroundings::none(), None);
        assert_eq!(judgements[0].verdict, Verdict::Normal, "{id}");
        assert_eq!(judgements[0].findings, [], "{id}");
        normal += 1;
    }
    assert_eq!(normal, 14);
}

fn der(pem: &str) -> Vec<u8> {
    x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1.contents
}

/// Every leaf in OONI's records and RIPE Atlas' results, of 2013 to 2025: what was asked of each in
/// its year it has, by logs that are long rejected.
#[test]
fn the_scts_of_recorded_leaves() {
    let Some(chains) = recorded() else { return };
    let reference = Reference::built_in().unwrap();
    let mut leaves = BTreeMap::new();
    let mut outcomes = BTreeMap::new();
    for chain in chains {
        let Some(leaf) = chain.first().fields().filter(|fields| !fields.is_ca) else { continue };
        let signers = path(&chain, |fields| reference.signer(fields)).signers(&chain);
        let scts = ct::check(leaf, signers.first().copied(), &reference.logs);
        *leaves.entry(if scts.is_empty() { "without" } else { "with SCTs" }).or_insert(0) += 1;
        for sct in &scts {
            *outcomes.entry(sct.outcome.as_str()).or_insert(0) += 1;
        }
        for policy in reference.policies.iter().filter(|_| !scts.is_empty()) {
            assert_eq!(policy.unmet(leaf, &scts, &reference.logs), None, "{}", leaf.subject);
        }
    }
    assert_eq!(leaves, BTreeMap::from([("with SCTs", 15), ("without", 39)]));
    // Two records lack the intermediate.
    assert_eq!(outcomes, BTreeMap::from([("issuer-unknown", 5), ("valid", 30)]));
}

#[test]
fn records_of_honest_sites_are_not_accused_over_scts() {
    let Some(measurements) = measurements() else { return };
    let reference = Reference::built_in().unwrap();
    let mut findings = BTreeMap::new();
    for measurement in measurements {
        for judgement in judge(&measurement, &reference, &Surroundings::none(), None) {
            for id in ["missing-scts", "invalid-scts"] {
                *findings.entry(id).or_insert(0) += usize::from(judgement.has(id));
            }
        }
    }
    assert_eq!(findings, BTreeMap::from([("invalid-scts", 0), ("missing-scts", 0)]));
}

/// Certificates of pyca/cryptography, one of them with its TBSCertificate as its logs signed it.
#[test]
fn odd_lists_of_scts() {
    let Some(folder) = corpus("certs_misc") else { return };
    let reference = Reference::built_in().unwrap();
    let read = |name: &str| {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let pem = x509_parser::pem::parse_x509_pem(&bytes).map(|(_, pem)| pem.contents);
        Certificate::from_bytes(&pem.unwrap_or(bytes)).unwrap()
    };
    let certificate = read("cryptography-scts.pem");
    let expected = std::fs::read(folder.join("cryptography-scts-tbs-precert.der")).unwrap();
    assert_eq!(ct::precertificate(certificate.fields().unwrap()), Some(expected));
    let anybody = Some(KeyHash::from([0; 32]));
    let unknown = || vec![Outcome::UnknownLog];
    for (name, expected) in [
        ("badssl-sct.pem", unknown()),
        ("badssl-sct-anonymous-sig.der", unknown()),
        ("badssl-sct-none-hash.der", unknown()),
        ("cryptography.io.pem", Vec::new()),
        ("cryptography.io.precert.pem", Vec::new()),
    ] {
        let certificate = read(name);
        let scts = ct::check(certificate.fields().unwrap(), anybody, &reference.logs);
        let found: Vec<_> = scts.iter().map(|sct| sct.outcome).collect();
        assert_eq!(found, expected, "{name}");
    }
}

/// Every JSON value of the corpus; of arrays every element.
fn records() -> Option<Vec<Value>> {
    let folder = corpus("ooni")?;
    let mut records = Vec::new();
    for file in files_below(&folder, &[".json", ".jsonl"]) {
        let text = std::fs::read(&file).unwrap();
        let values = serde_json::Deserializer::from_slice(&text).into_iter::<Value>();
        for value in values.map_while(Result::ok) {
            match value {
                Value::Array(items) => records.extend(items),
                record => records.push(record),
            }
        }
    }
    Some(records)
}

fn measurements() -> Option<Vec<Measurement>> {
    let records = records()?;
    let read =
        records.iter().filter_map(|record| wire::from_line(record.to_string().as_bytes()).ok());
    Some(read.collect())
}

/// The distinct chains of all records.
fn recorded() -> Option<Vec<Chain>> {
    let handshakes = measurements()?.into_iter().flat_map(|measurement| measurement.handshakes);
    let mut chains: Vec<_> = handshakes.filter_map(|shaken| shaken.chain).collect();
    for record in records()? {
        let sent = record["cert"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let sent = sent.filter_map(|pem| x509_parser::pem::parse_x509_pem(pem.as_bytes()).ok());
        chains.extend(Chain::from_der(sent.map(|(_, pem)| pem.contents).collect::<Vec<_>>()));
    }
    let distinct: BTreeMap<_, _> =
        chains.into_iter().map(|chain| (chain.fingerprints(), chain)).collect();
    Some(distinct.into_values().collect())
}
