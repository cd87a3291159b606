//! An import that is killed at any moment has kept a beginning of its input, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use data_encoding::BASE64;
use kua_archive::{Archive, ArchiveError};

const RECORDS: usize = 2_000;

/// Whether a moment has come, by an archive's directory.
type Sign = fn(&Path) -> bool;

/// Moments of an import, each told by what lies in the archive's directory.
const MOMENTS: [(&str, Sign); 4] = [
    ("it is being made", |dir| dir.join("lock").exists()),
    ("it has its name", |dir| dir.join("archive.json").exists()),
    ("a batch is on its way", |dir| {
        dir.join("archive.json").exists() && entries(&dir.join("incoming")) > 0
    }),
    ("a batch is kept", |dir| entries(&dir.join("raw")) > 0),
];

#[test]
fn a_killed_import_leaves_a_beginning_and_can_be_repeated() {
    let records: Vec<String> = (0..RECORDS).map(record).collect();
    let input = records.join("\n");
    for (moment, has_come) in MOMENTS {
        let dir = tempfile::tempdir().unwrap();
        let mut import = start(dir.path());
        let mut stdin = import.stdin.take().unwrap();
        let feeding = std::thread::spawn({
            let input = input.clone();
            // The reader dies before the end.
            move || drop(stdin.write_all(input.as_bytes()))
        });
        while !has_come(dir.path()) && import.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(1));
        }
        import.kill().unwrap();
        import.wait().unwrap();
        feeding.join().unwrap();

        let kept = served(dir.path());
        assert!(kept == records[..kept.len()], "killed when {moment}");
        let mut again = start(dir.path());
        again.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert!(again.wait().unwrap().success());
        assert!(served(dir.path()) == records, "killed when {moment}");
    }
}

fn entries(dir: &Path) -> usize {
    std::fs::read_dir(dir).map_or(0, Iterator::count)
}

fn record(number: usize) -> String {
    let leaf = [&[0x30, 0x82][..], &(number / 8).to_be_bytes(), &[7; 300]].concat();
    let authority = [&[0x30, 0x82][..], &[9; 900]].concat();
    format!(
        r#"{{"measurement_uid":"{number}","test_keys":{{"tls_handshakes":[{{"peer_certificates":[{{"data":"{}"}},{{"data":"{}"}}]}}]}}}}"#,
        BASE64.encode(&leaf),
        BASE64.encode(&authority)
    )
}

fn start(archive: &Path) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_kua-collector"))
        .args(["import", "-", "--archive"])
        .arg(archive)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// What is kept; nothing where there is not yet an archive. Nothing of it is damaged.
fn served(archive: &Path) -> Vec<String> {
    let archive = match Archive::open(&archive.into()) {
        Ok(archive) => archive,
        Err(ArchiveError::Absent { .. }) => return Vec::new(),
        Err(error) => panic!("{error}"),
    };
    let mut raw = Vec::new();
    let scanned = archive.scan_raw(|_, record| {
        raw.push(String::from_utf8(record.raw.clone()).unwrap());
        Ok::<_, ArchiveError>(())
    });
    assert_eq!(scanned.unwrap().damaged, 0);
    raw
}
