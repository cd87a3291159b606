//! `--cluster` of the collector and the auditor: what they print over the cluster is what they print without.

use std::path::Path;
use std::process::{Command, Output};

use kua_tests::chains::records;

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

#[test]
fn the_same_report_and_rows_with_a_cluster_as_without() {
    let records = records(24);
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
    fill(&kept, &records(24));
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
