//! `kua-cluster query` over a real archive: the rows of the embedded engine, and an end mark only on a whole answer.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Output, Stdio};

use arrow::ipc::reader::StreamReader;
use kua::wire::from_line;
use kua_archive::{Archive, Options, Place, Writer, settle};
use kua_query::{Limits, session};

use crate::archive;
use crate::machines::{Cluster, command};
use crate::rows::lines;

/// How an Arrow stream ends that was written to its end.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

fn record(number: u32) -> String {
    let country = ["KZ", "RU", "ZZ"][number as usize % 3];
    let day = 16 + number % 2;
    let shaken = (0..number % 4).map(|one| {
        format!(
            r#"{{"server_name":"site-{one}.example","network":"tcp","failure":null,"peer_certificates":[]}}"#
        )
    });
    let shaken = shaken.collect::<Vec<_>>().join(",");
    format!(
        r#"{{"measurement_uid":"{number}","probe_cc":"{country}","probe_asn":"AS{}","measurement_start_time":"2023-10-{day} 13:06:00","test_keys":{{"tls_handshakes":[{shaken}]}}}}"#,
        9190 + number % 5
    )
}

fn records() -> Vec<String> {
    (0..100).map(record).collect()
}

/// Keeps and settles records, in two steps, so that tables are of several files.
pub(crate) fn fill(place: &Place, records: &[String]) {
    let index = tempfile::tempdir().unwrap();
    let options = Options { index: Some(index.path().join("index")), ..Options::default() };
    let mut writer = Writer::open_with(place, options).unwrap();
    for part in records.chunks(records.len().div_ceil(2)) {
        for raw in part {
            writer.keep(raw.as_bytes(), &from_line(raw.as_bytes()).unwrap(), None).unwrap();
        }
        writer.settle(&settle::Options::default(), |_| {}).unwrap();
    }
}

fn ask(place: &archive::Place, archive: &str, scheduler: &str, sql: &str) -> Output {
    let mut command = command();
    command.args([
        "query",
        "--scheduler",
        scheduler,
        "--archive",
        archive,
        "--partitions",
        "4",
        "-",
    ]);
    command.envs(place.environment.clone());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    process.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
    process.wait_with_output().unwrap()
}

#[test]
fn the_command_over_a_directory_and_over_s3() {
    for place in archive::Place::all() {
        let (address, kept) = place.archive();
        fill(&kept, &records());
        let snapshot = Archive::open(&kept).unwrap().snapshot().unwrap();
        let cluster = Cluster::start(&place, 2);
        let limits = Limits { memory: 1 << 30, spill: None, threads: 2 };
        let embedded = session(&snapshot, None, &limits).unwrap();
        for sql in [
            "SELECT count(*) FROM handshakes",
            "SELECT day, cc, asn, server_name, count(*) FROM handshakes
             GROUP BY day, cc, asn, server_name ORDER BY day, cc, asn, server_name",
            "SELECT record, handshake, hash FROM handshakes WHERE cc = 'RU' ORDER BY record, handshake",
            "SELECT sha256 FROM certificates",
            "SELECT verdict, count(*) FROM judgements GROUP BY verdict",
        ] {
            let output = ask(&place, &address, cluster.address(), sql);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "{}: {sql}: {said}", place.name);
            assert!(output.stdout.ends_with(&END), "{sql}");
            let batches = StreamReader::try_new(output.stdout.as_slice(), None).unwrap();
            let found: Vec<_> = batches.flat_map(|batch| lines(&batch.unwrap())).collect();
            let answer = embedded.query(sql).unwrap();
            let expected: Vec<_> = answer.flat_map(|batch| lines(&batch.unwrap())).collect();
            assert_eq!(found, expected, "{}: {sql}", place.name);
            assert_eq!(said, "", "{sql}");
        }
    }
}

#[test]
fn what_has_no_answer_has_no_end_mark() {
    let place = archive::Place::directory();
    let (address, kept) = place.archive();
    fill(&kept, &records());
    let nobody = format!("127.0.0.1:{}", kua_tests::free_port());
    let cases: BTreeMap<_, _> = [
        ("SELECT nothing FROM handshakes", "because: there is no column nothing\n"),
        ("SELECT 1; SELECT 2", "because: there are 2 statements instead of one\n"),
        ("DROP TABLE handshakes", "because: only a query can be run"),
        ("SELECT max(record) FROM handshakes", "does not answer: "),
        ("SELECT 1 / 0", "because: "),
    ]
    .into();
    for (sql, because) in cases {
        let output = ask(&place, &address, &nobody, sql);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{sql}: {said}");
        assert!(said.starts_with("error: the cluster did not answer the query\n"), "{sql}: {said}");
        assert!(said.contains(because), "{sql}: {said}");
        assert!(!output.stdout.ends_with(&END), "{sql}");
    }
    let output = ask(&place, "/nowhere/kz", &nobody, "SELECT count(*) FROM handshakes");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("error: cannot read the archive\n"), "{said}");
}
