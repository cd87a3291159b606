//! OONI's protocol, both flows, and what its clients ask first.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::{Value, json};

use crate::intake::testing::*;
use crate::intake::{OPENAPI, Options, routes};

fn open(server: &Server, test: &str, country: &str, asn: &str) -> String {
    let template = json!({"data_format_version": "0.2.0", "format": "json", "probe_asn": asn,
        "probe_cc": country, "software_name": "miniooni", "software_version": "3.29.1",
        "test_name": test, "test_start_time": "2026-05-01 10:00:00", "test_version": "0.2.0"});
    let answer = server.post("/report", template.to_string().as_bytes());
    assert_eq!(answer.status, 200);
    let said = answer.json();
    assert!(said["supported_formats"].as_array().unwrap().contains(&json!("json")));
    said["report_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_report_is_opened_filled_and_closed() {
    let shaky = Shaky::new(WELL);
    let kept = shaky.kept.clone();
    let server = Server::start(Options::default(), shaky);
    let id = open(&server, "kua", "KZ", "AS9198");
    assert_eq!(id.split('_').collect::<Vec<_>>()[1..5], ["kua", "KZ", "9198", "n1"]);
    let record = record(1);
    let body = format!(r#"{{"format":"json", "content" : {record} }}"#);
    let first = server.post(&format!("/report/{id}"), body.as_bytes());
    assert_eq!(first.status, 200, "{}", first.body);
    let uid = first.uid().unwrap();
    assert!(uid.starts_with("20260901100000.000000_KZ_kua_"), "{uid}");
    // The same record once more, and by the other flow: the same name, kept once.
    let again = server.post(&format!("/report/{id}"), body.as_bytes());
    assert_eq!(again.uid().as_ref(), Some(&uid));
    let alone = server.submit(&record);
    assert_eq!(alone.uid().as_ref(), Some(&uid));
    let said = alone.json();
    assert_eq!(said["verification_status"], "unverified");
    assert!(said["report_id"].as_str().unwrap().starts_with("20260901T100000Z_kua_KZ_9198_n1_"));
    assert_eq!(kept.lock().unwrap().len(), 1);
    assert_eq!(kept.lock().unwrap()[0].raw, record.as_bytes());
    assert_eq!(server.post(&format!("/report/{id}/close"), b"").json(), json!({}));
    let committed = server.committed.lock().unwrap();
    assert_eq!(committed.len(), 3);
    assert!(committed.iter().all(|one| one.receipt.uid.as_ref() == Some(&uid)));
    assert_eq!(committed[0].receipt.via.as_deref(), Some("report"));
    assert_eq!(committed[2].receipt.via.as_deref(), Some("submit_measurement"));
}

#[test]
fn packed_bodies_are_unpacked() {
    let server = Server::start(Options::default(), Shaky::new(WELL));
    let (record, mut gzip) = (record(1), Vec::new());
    let body = alone(&record);
    let mut packing = flate2::write::GzEncoder::new(&mut gzip, flate2::Compression::fast());
    packing.write_all(&body).unwrap();
    packing.finish().unwrap();
    let zstd = zstd::encode_all(body.as_slice(), 3).unwrap();
    let plain = server.submit(&record).uid();
    assert!(plain.is_some());
    for (name, packed) in [("gzip", &gzip), ("zstd", &zstd), ("identity", &body)] {
        let header = format!("content-encoding: {name}\r\n");
        assert_eq!(server.post_with(SUBMIT, &header, packed).uid(), plain, "{name}");
    }
    for (name, packed, status) in
        [("br", &body, 415), ("gzip", &zstd, 400), ("zstd", &gzip, 400), ("gzip", &body, 400)]
    {
        let header = format!("content-encoding: {name}\r\n");
        assert_eq!(server.post_with(SUBMIT, &header, packed).status, status, "{name}");
    }
}

/// The record with another value for one field.
fn with(field: &str, value: Value) -> String {
    let mut record: Value = serde_json::from_str(&record(1)).unwrap();
    record[field] = value;
    record.to_string()
}

#[test]
fn what_ooni_takes_and_refuses() {
    let server = Server::start(Options::default(), Shaky::new(WELL));
    let report = "20260501T100000Z_kua_KZ_9198_n1_AbCdEfGhIjKlMnOp";
    let good = record(1);
    for (case, id, content, status, named) in [
        ("as it is", report, good.clone(), 200, true),
        ("the other case of a country", &report.replace("KZ", "kz"), good.clone(), 200, true),
        ("five parts", "a_kua_KZ_9198_n1", good.clone(), 400, false),
        ("a test of one letter", "a_k_KZ_9198_n1_x", good.clone(), 400, false),
        ("a test with a dot", "a_k.a_KZ_9198_n1_x", good.clone(), 400, false),
        ("a long country", "a_kua_KAZ_9198_n1_x", good.clone(), 400, false),
        ("no number", "a_kua_KZ_AS9198_n1_x", good.clone(), 400, false),
        ("another country", "a_kua_RU_9198_n1_x", good.clone(), 400, false),
        ("another network", "a_kua_KZ_1_n1_x", good.clone(), 400, false),
        ("another test", "a_tor_KZ_9198_n1_x", good.clone(), 400, false),
        ("a report without network", "a_kua_KZ_0_n1_x", good.clone(), 200, false),
        ("a report without country", "a_kua_ZZ_9198_n1_x", good.clone(), 200, false),
        ("content is a list", report, "[]".into(), 400, false),
        ("content is null", report, "null".into(), 400, false),
        ("a capital test", report, with("test_name", json!("Kua")), 400, false),
        ("a small country", report, with("probe_cc", json!("kz")), 400, false),
        ("a leading 0", report, with("probe_asn", json!("AS09198")), 400, false),
    ] {
        let body = format!(r#"{{"format":"json","content":{content}}}"#);
        let answer = server.post(&format!("/report/{id}"), body.as_bytes());
        assert_eq!((answer.status, answer.uid().is_some()), (status, named), "{case}");
        if status == 400 {
            assert!(answer.json()["detail"]["error"].is_string(), "{case}");
        }
    }
    for (case, content, status, named) in [
        ("no network", with("probe_asn", json!("AS0")), 200, false),
        ("no country", with("probe_cc", json!("ZZ")), 200, false),
        ("a record that is no object", "7".into(), 400, false),
        ("no test", with("test_name", Value::Null), 400, false),
    ] {
        let answer = server.submit(&content);
        assert_eq!((answer.status, answer.uid().is_some()), (status, named), "{case}");
    }
    let lenient = Options { unknown_origin: true, ..Options::default() };
    let server = Server::start(lenient, Shaky::new(WELL));
    for field in [("probe_asn", "AS0"), ("probe_cc", "ZZ")] {
        assert!(server.submit(&with(field.0, json!(field.1))).uid().is_some(), "{field:?}");
    }
}

#[test]
fn what_clients_ask_first() {
    let server = Server::start(Options::default(), Shaky::new(WELL));
    for (method, path, body, status, expected) in [
        ("GET", "/api/v1/test-helpers", "", 200, json!({})),
        ("GET", "/api/v1/manifest", "", 404, Value::Null),
        ("GET", "/api/v1/collectors", "", 200, json!([])),
        ("POST", "/api/v1/register", "{}", 404, Value::Null),
        ("POST", "/api/v1/login", "{}", 404, Value::Null),
        (
            "POST",
            "/api/v1/geolookup",
            r#"{"addresses":["203.0.113.7"]}"#,
            200,
            json!({"v": 1, "geolocation": {"203.0.113.7": {"cc": "ZZ", "asn": 0, "as_name": ""}}}),
        ),
        ("POST", "/api/v1/geolookup", r#"{"addresses":["x"]}"#, 400, Value::Null),
        ("POST", "/report", r#"{"test_name":"a.b"}"#, 400, Value::Null),
        ("POST", "/report", "{}", 400, Value::Null),
        ("GET", "/health", "", 200, json!({"alive": true})),
        ("GET", "/ready", "", 200, json!({"ready": true})),
        ("GET", "/nothing", "", 404, Value::Null),
        ("GET", "/report", "", 405, Value::Null),
        ("POST", "/health", "", 405, Value::Null),
    ] {
        let answer =
            if method == "GET" { server.get(path) } else { server.post(path, body.as_bytes()) };
        assert_eq!(answer.status, status, "{method} {path} {body}");
        if !expected.is_null() {
            assert_eq!(answer.json(), expected, "{method} {path}");
        }
    }
    let check_in = server.post("/api/v1/check-in", br#"{"probe_cc":"KZ"}"#).json();
    assert_eq!((&check_in["v"], &check_in["probe_cc"]), (&json!(1), &json!("ZZ")));
    let asked = br#"{"net-tests":[{"name":"tor","version":"1"}]}"#;
    let bouncer = server.post("/bouncer/net-tests", asked).json();
    assert_eq!(bouncer["net-tests"][0]["collector"], "https://x");
    assert_eq!(server.get("/api/v1/test-list/urls").json()["results"], json!([]));
}

#[test]
fn counts_are_told() {
    let server = Server::start(Options::default(), Shaky::new(WELL));
    let record = record(1);
    server.submit(&record);
    server.submit(&record);
    server.submit("{}");
    let expected = [
        "kua_submissions_total{result=\"kept\"} 1",
        "kua_submissions_total{result=\"already_there\"} 1",
        "kua_submissions_total{result=\"meta\"} 1",
        "kua_submission_seconds_count 3",
        "kua_commit_seconds_count 2",
        "kua_waiting_records 0",
        "kua_body_memory_bytes 0",
    ];
    // What a request held is given back a little after its answer.
    let begun = std::time::Instant::now();
    loop {
        let text = server.get("/metrics").body;
        let missing = expected.iter().find(|line| !text.lines().any(|told| told == **line));
        let Some(line) = missing else { break };
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{line} in\n{text}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn the_description_names_what_is_served() {
    let described: Value = serde_json::from_str(OPENAPI).unwrap();
    let described: BTreeSet<_> = described["paths"].as_object().unwrap().keys().cloned().collect();
    // A path below another is named alike, without the router's star.
    let served = routes::routes().into_iter().map(|(path, _)| path.replace("{*", "{")).collect();
    assert_eq!(described, served);
    let server = Server::start(Options::default(), Shaky::new(WELL));
    let description: Value = serde_json::from_str(OPENAPI).unwrap();
    for (path, methods) in description["paths"].as_object().unwrap() {
        let methods: Vec<_> = methods.as_object().unwrap().keys().collect();
        let path = path.replace("{id}", "x").replace("{path}", "x");
        let (got, posted) = (server.get(&path).status, server.post(&path, b"").status);
        assert_eq!(got != 405, methods.iter().any(|method| *method == "get"), "GET {path}");
        assert_eq!(posted != 405, methods.iter().any(|method| *method == "post"), "POST {path}");
    }
}
