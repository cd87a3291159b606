//! `--cluster` of the collector and the auditor: what they print over the cluster is what they print without.

use std::path::Path;
use std::process::{Command, Output};

use kua_mint::Authority;

use crate::archive;
use crate::command::fill;
use crate::machines::Cluster;

fn run(program: &str, place: &archive::Place, arguments: &[&str]) -> Output {
    let cache = tempfile::tempdir().unwrap();
    let mut command = Command::new(kua_tests::program(program));
    command.args(arguments).envs(place.environment.clone()).env("XDG_CACHE_HOME", cache.path());
    command.env("NO_COLOR", "1").output().unwrap()
}

fn text(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said, "");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Chains "public root -> leaf" and "private root -> leaf" of some sites, seen from two countries.
fn records() -> Vec<String> {
    let [one, other] = ["One", "Other"].map(Authority::root);
    let record = |number: usize| {
        let root = if number.is_multiple_of(3) { &one } else { &other };
        let name = format!("site-{}.example", number % 4);
        let sent = [root.leaf(&name).certificate, root.certificate.clone()].map(|der| {
            let text = data_encoding::BASE64.encode(&der);
            format!(r#"{{"data":"{text}","format":"base64"}}"#)
        });
        format!(
            r#"{{"measurement_uid":"{number}","probe_cc":"{}","probe_asn":"AS{}","measurement_start_time":"2023-10-{} 13:06:00","test_keys":{{"tls_handshakes":[{{"server_name":"{name}","failure":"ssl_unknown_authority","no_tls_verify":false,"peer_certificates":[{}]}}]}}}}"#,
            ["KZ", "DE"][number % 2],
            64500 + number % 3,
            16 + number % 2,
            sent.join(",")
        )
    };
    (0..24).map(record).collect()
}

#[test]
fn the_same_report_and_rows_with_a_cluster_as_without() {
    let records = records();
    let alone = archive::Place::directory();
    let (here, kept) = alone.archive();
    fill(&kept, &records);
    let report = |place: &archive::Place, archive: &str, more: &[&str]| {
        let arguments = ["report", "--archive", archive, "--format", "json"];
        run("kua-auditor", place, &[&arguments, more].concat())
    };
    let expected = text(&report(&alone, &here, &[]));
    assert!(expected.contains("site-1.example"), "{expected}");
    for place in archive::Place::all() {
        let (address, kept) = place.archive();
        fill(&kept, &records);
        let cluster = Cluster::start(&place, 2);
        let url = format!("http://{}", cluster.address());
        // First: what was counted once is not counted again.
        let found = text(&report(&place, &address, &["--cluster", &url]));
        assert!(found == expected, "{}: another report", place.name);
        for sql in [
            "SELECT verdict, asn, count(*) AS n FROM judgements GROUP BY verdict, asn ORDER BY verdict, asn",
            "SELECT server_name, min(leaf) AS leaf FROM handshakes GROUP BY server_name ORDER BY 1",
        ] {
            let query = |more: &[&str]| {
                let arguments = ["query", "--archive", &address, "--format", "csv", sql];
                text(&run("kua-collector", &place, &[&arguments, more].concat()))
            };
            let rows = query(&[]);
            assert!(rows.lines().count() > 3, "{rows}");
            assert_eq!(query(&["--cluster", &url]), rows, "{}: {sql}", place.name);
        }
    }
}

#[test]
fn without_a_cluster_there_is_no_report() {
    let place = archive::Place::directory();
    let (here, kept) = place.archive();
    fill(&kept, &records());
    let out = tempfile::tempdir().unwrap();
    let report = out.path().join("report.json");
    let nobody = format!("http://127.0.0.1:{}", kua_tests::free_port());
    let arguments = ["report", "--archive", &here, "--cluster", &nobody, "--out"];
    let output =
        run("kua-auditor", &place, &[&arguments[..], &[&report.to_string_lossy()]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: ") && said.contains("does not answer"), "{said}");
    assert!(!Path::new(&report).exists());
}
