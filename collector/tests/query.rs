//! What people read who ask an archive, word for word; and other engines' answers to the same question.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use kua::wire::from_line;
use kua_archive::tables::handshakes::Rows;
use kua_archive::{
    FileHash, Inventory, Manifest, Place, RecordHash, Settled, Store, TableFile, Writer,
};

/// Runs the program in `dir`; gives its exit code, standard output and standard error.
fn run_of(program: &Path, dir: &Path, arguments: &[&str], input: &str) -> String {
    let mut program = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .env_remove("COLUMNS")
        .env("NO_COLOR", "1")
        .env("PATH", "")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut program.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let output = program.wait_with_output().unwrap();
    let code = output.status.code().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    format!("exit {code}\n{out}--- stderr\n{err}")
}

fn run_with(dir: &Path, arguments: &[&str], input: &str) -> String {
    run_of(env!("CARGO_BIN_EXE_kua-collector").as_ref(), dir, arguments, input)
}

fn run(dir: &Path, arguments: &[&str]) -> String {
    run_with(dir, &[&["query", "--archive", "kz"], arguments].concat(), "")
}

fn record(uid: u32, country: &str, started: &str, names: &[&str]) -> String {
    let shaken = names.iter().map(|name| {
        format!(
            r#"{{"server_name":"{name}","network":"tcp","failure":null,"peer_certificates":[]}}"#
        )
    });
    let shaken = shaken.collect::<Vec<_>>().join(",");
    format!(
        r#"{{"measurement_uid":"{uid}","probe_cc":"{country}","probe_asn":"AS9198","measurement_start_time":"{started}","test_keys":{{"tls_handshakes":[{shaken}]}}}}"#
    )
}

/// An archive `kz` with two settled segments, and beside them a table of a segment that no manifest names.
fn archive() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::from(dir.path().join("kz"));
    drop(Writer::open(&place).unwrap());
    let store = Store::open(&place).unwrap();
    let first = [
        record(1, "KZ", "2023-10-16 13:06:00", &["a.example", "b.example"]),
        record(2, "DE", "2023-10-16 23:59:59", &["a.example"]),
    ];
    let second = [
        record(3, "KZ", "2023-10-17 00:00:00", &["c.example"]),
        record(4, "KZ", "", &["d.example"]),
    ];
    let mut manifest = Manifest { version: 1, ..Manifest::default() };
    manifest.settled.push(settle(&store, 1, 2, &first));
    store.put_new(&Manifest::path(1), Bytes::from(manifest.to_text())).unwrap();
    manifest.version = 2;
    manifest.settled.push(settle(&store, 3, 4, &second));
    store.put_new(&Manifest::path(2), Bytes::from(manifest.to_text())).unwrap();
    settle(&store, 1, 4, &[record(5, "KZ", "2023-10-16 13:06:00", &["stray.example"])]);
    dir
}

/// Writes the tables, the inventory, and something in the place of the segment.
fn settle(store: &Store, from: u64, until: u64, records: &[String]) -> Settled {
    let name = format!("{from:012}-{until:012}");
    let mut rows = Rows::default();
    for (number, record) in (from..).zip(records) {
        let hash = RecordHash::of(record.as_bytes());
        rows.add(number, *hash.as_bytes(), &from_line(record.as_bytes()).unwrap());
    }
    let handshakes = rows.count();
    let files = rows.into_files().map(|file| {
        let file = file.unwrap();
        let path = format!("handshakes/{}/{name}.parquet", file.partition);
        store.put_new(&path, file.bytes.clone()).unwrap();
        let bytes = file.bytes.len() as u64;
        TableFile { path, rows: file.rows, bytes, sha256: FileHash::of(&file.bytes) }
    });
    let files = files.collect();
    let records = records.len() as u64;
    let inventory = Inventory { records, handshakes, certificates: 0, needs: Vec::new(), files };
    let text = inventory.to_text();
    store.put_new(&format!("raw/{name}.json"), Bytes::from(text.clone())).unwrap();
    store.put_new(&format!("raw/{name}.zst"), Bytes::from_static(b"segment")).unwrap();
    Settled {
        first: from,
        last: until,
        records,
        bytes: 7,
        sha256: FileHash::of(b"segment"),
        inventory: FileHash::of(text.as_bytes()),
    }
}

const BY_DAY: &str =
    "SELECT day, cc, count(*) AS handshakes FROM handshakes GROUP BY day, cc ORDER BY day, cc";

#[test]
fn help_and_tables() {
    let dir = archive();
    insta::assert_snapshot!(run_with(dir.path(), &["query", "--help"], ""));
    insta::assert_snapshot!(run(dir.path(), &["--tables"]));
}

#[test]
fn answers() {
    let dir = archive();
    let rows = "SELECT record, server_name, hash, started, alpn, chain FROM handshakes ORDER BY record, handshake";
    insta::assert_snapshot!(run(dir.path(), &[rows]));
    insta::assert_snapshot!(run(dir.path(), &["--format", "json", rows]));
    insta::assert_snapshot!(run(dir.path(), &["--format", "csv", rows]));
    insta::assert_snapshot!(run(dir.path(), &[BY_DAY]));
    let text = run_with(dir.path(), &["query", "--archive", "kz", "-"], BY_DAY);
    assert_eq!(text, run(dir.path(), &[BY_DAY]));
}

#[test]
fn a_table_says_what_it_leaves_out() {
    let dir = archive();
    insta::assert_snapshot!(run(
        dir.path(),
        &["--rows", "2", "SELECT repeat(server_name, 20) AS long FROM handshakes ORDER BY 1"]
    ));
}

#[test]
fn troubles() {
    let dir = archive();
    for arguments in [
        &["SELECT server FROM handshakes"][..],
        &["SELECT h.leafkey FROM handshakes h"],
        &["SELECT nothing FROM certificates"],
        &["SELECT * FROM records"],
        &["SELECT * FROM handshakes WHERE"],
        &["SELECT count(server_name, FROM handshakes"],
        &["SELECT sqrt_of(record) FROM handshakes"],
        &["SELECT record + server_name FROM handshakes"],
        &["SELECT 1; SELECT 2"],
        &["DROP TABLE handshakes"],
        &["COPY handshakes TO 'x.csv'"],
        &[" "],
        &["SELECT CAST(server_name AS BIGINT) FROM handshakes"],
        &["--memory", "1", "SELECT value FROM generate_series(1, 1000000) ORDER BY -value"],
        &["--reference-version", "none", "SELECT count(*) FROM judgements"],
    ] {
        insta::assert_snapshot!(format!(
            "$ query {}\n{}",
            arguments.join(" "),
            run(dir.path(), arguments)
        ));
    }
    insta::assert_snapshot!(run_with(
        dir.path(),
        &["query", "--archive", "absent", "SELECT 1"],
        ""
    ));
    insta::assert_snapshot!(run_with(
        dir.path(),
        &["query", "--archive", "http://x", "SELECT 1"],
        ""
    ));
    insta::assert_snapshot!(run(dir.path(), &[]));
}

/// Where the program for clusters lies neither beside ours nor in PATH.
#[test]
fn a_cluster_needs_its_program() {
    let dir = archive();
    let alone = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = alone.path().join("kua-collector");
    fs::hard_link(env!("CARGO_BIN_EXE_kua-collector"), &program).unwrap();
    let arguments = ["query", "--archive", "kz", "--cluster", "http://127.0.0.1:1", "SELECT 1"];
    insta::assert_snapshot!(run_of(&program, dir.path(), &arguments, ""));
}

#[test]
fn what_no_table_has_yet_is_told() {
    let dir = archive();
    let mut writer = Writer::open(&Place::from(dir.path().join("kz"))).unwrap();
    let record = record(9, "KZ", "2023-10-18 00:00:00", &["live.example"]);
    writer.keep(record.as_bytes(), &from_line(record.as_bytes()).unwrap(), None).unwrap();
    writer.commit().unwrap();
    insta::assert_snapshot!(run(dir.path(), &["SELECT count(*) FROM handshakes"]));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let dir = archive();
    let program = env!("CARGO_BIN_EXE_kua-collector");
    let script = format!(
        "({program} query --archive kz --format csv 'SELECT value FROM generate_series(1, 3000000)'; echo $? >code) | head -n1 >head"
    );
    let status = Command::new("sh").args(["-c", &script]).current_dir(dir.path()).status();
    assert!(status.unwrap().success());
    assert_eq!(fs::read_to_string(dir.path().join("code")).unwrap(), "0\n");
    assert_eq!(fs::read_to_string(dir.path().join("head")).unwrap(), "value\n");
}

/// Runs a script with one argument; prints rows with `|` between their cells.
const DUCKDB: &str = "import sys, duckdb
print('\\n'.join('|'.join(map(str, row)) for row in duckdb.connect().execute(sys.argv[1]).fetchall()))";
const CHDB: &str = "import sys, chdb
print(str(chdb.query(sys.argv[1], 'TabSeparated')).strip().replace('\\t', '|'))";

/// The queries in docs/operate.md give the same rows as ours: only files that the manifest names count.
#[test]
fn other_engines_read_the_same_rows() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = fs::read_to_string(repository.join("docs/operate.md")).unwrap();
    let installed = Command::new(repository.join("tests/engines")).output();
    let python = match installed {
        Ok(installed) if installed.status.success() => String::from_utf8(installed.stdout).unwrap(),
        _ => {
            // To standard error itself: cargo hides what a passing test prints.
            let _ = writeln!(std::io::stderr(), "skipped: no duckdb and no chdb");
            return;
        }
    };
    let dir = archive();
    let ours = "SELECT coalesce(CAST(day AS TEXT), 'unknown') AS day, cc, count(*), count(DISTINCT leaf_key) \
                FROM handshakes GROUP BY 1, 2 ORDER BY 1, 2";
    let ours = run(dir.path(), &["--format", "csv", ours]);
    let (ours, _) = ours.split_once("--- stderr").unwrap();
    let ours: Vec<_> = ours.lines().skip(2).map(|line| line.replace(',', "|")).collect();
    assert_eq!(
        ours,
        ["2023-10-16|DE|1|0", "2023-10-16|KZ|2|0", "2023-10-17|KZ|1|0", "unknown|KZ|1|0"]
    );
    for (engine, script) in [("duckdb", DUCKDB), ("clickhouse", CHDB)] {
        let begin = format!("```sql {engine}\n");
        let (_, after) = document.split_once(&begin).unwrap();
        let (query, _) = after.split_once("```").unwrap();
        let output = Command::new(python.trim())
            .args(["-c", script, query])
            .current_dir(dir.path())
            .output()
            .unwrap();
        let theirs = String::from_utf8(output.stdout).unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(theirs.lines().collect::<Vec<_>>(), ours, "{engine}: {said}");
    }
}
