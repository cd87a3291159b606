//! An import that was stopped goes on, and whatever its notes say, nothing is left out.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use kua_archive::{Archive, ArchiveError};
use kua_collector::import::{InputState, Mark, State};

const RECORDS: usize = 3_000;

fn record(number: usize) -> String {
    format!(r#"{{"measurement_uid":"{number}","test_keys":{{"x":"{}"}}}}"#, "x".repeat(1_000))
}

/// A file with all records, and a mark at the beginning of one of them.
fn file(dir: &Path, number: usize) -> (PathBuf, Mark) {
    let records: Vec<_> = (0..RECORDS).map(record).collect();
    let file = dir.join("records.jsonl");
    std::fs::write(&file, records.join("\n")).unwrap();
    let before: usize = records[..number].iter().map(|record| record.len() + 1).sum();
    (file, Mark { offset: before as u64, line: number as u64 + 1 })
}

fn import(dir: &Path, arguments: &[&str]) -> Output {
    let mut import = Command::new(env!("CARGO_BIN_EXE_kua-collector"));
    import.args(["import", "--archive", "kz"]).args(arguments).current_dir(dir);
    import.stdin(Stdio::null()).output().unwrap()
}

fn served(archive: &Path) -> Vec<String> {
    let mut served = Vec::new();
    let archive = Archive::open(&archive.into()).unwrap();
    let scanned = archive.scan_raw(|_, record| {
        served.push(String::from_utf8(record.raw.clone()).unwrap());
        Ok::<_, ArchiveError>(())
    });
    assert_eq!(scanned.unwrap().damaged, 0);
    served
}

/// The archive knows `known` records, and its notes say that more than half of the file was taken.
fn after_notes(known: &[String]) -> (Vec<String>, serde_json::Value) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("known.jsonl"), known.join("\n")).unwrap();
    assert!(import(dir.path(), &["known.jsonl"]).status.success());
    let number = RECORDS * 2 / 3;
    let (file, at) = file(dir.path(), number);
    let archive = dir.path().join("kz");
    let now = InputState::of(&file).unwrap().unwrap();
    let mut state = State::open(Some(&archive));
    state.set(InputState { at, records: number as u64, ..now });
    state.save().unwrap();
    let notes = || {
        let names = std::fs::read_dir(&archive).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("import-state")).count()
    };
    assert_eq!(notes(), 1);
    let output = import(dir.path(), &["--format", "json", file.to_str().unwrap()]);
    assert!(output.status.success());
    assert_eq!(notes(), 0, "it ended: there is nothing to go on with");
    (served(&archive), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn what_was_taken_is_not_read_again() {
    let all: Vec<_> = (0..RECORDS).map(record).collect();
    let (served, said) = after_notes(&all);
    assert!(served == all);
    assert_eq!(said["read_before"], 2_000);
    assert_eq!(said["read"], 1_000);
    assert_eq!(said["already_there"], 1_000);
}

#[test]
fn notes_that_the_archive_does_not_bear_out_are_not_believed() {
    let (served, said) = after_notes(&["{\"test_name\":\"other\"}".to_owned()]);
    let mut sorted: Vec<_> = served[1..].to_vec();
    let mut all: Vec<_> = (0..RECORDS).map(record).collect();
    sorted.sort();
    all.sort();
    assert!(sorted == all);
    assert_eq!(said["kept"], 3_000);
}

#[test]
fn a_signal_ends_it_cleanly_also_where_no_input_comes() {
    let dir = tempfile::tempdir().unwrap();
    let mut import = Command::new(env!("CARGO_BIN_EXE_kua-collector"))
        .args(["import", "--archive", "kz", "-"])
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = import.stdin.take().unwrap();
    let records: Vec<_> = (0..10).map(record).collect();
    stdin.write_all((records.join("\n") + "\n").as_bytes()).unwrap();
    // By then it listens to signals.
    while Archive::open(&dir.path().join("kz").as_path().into()).is_err() {
        sleep(Duration::from_millis(1));
    }
    let killed = Command::new("kill").args(["-INT", &import.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let output = import.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("stopped: what was read is kept"), "{said}");
    let kept = served(&dir.path().join("kz"));
    assert!(kept == records[..kept.len()]);
    drop(stdin);
}

#[test]
fn killed_at_any_moment_it_keeps_a_beginning_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (file, _) = file(dir.path(), 0);
    let all: Vec<_> = (0..RECORDS).map(record).collect();
    let archive = dir.path().join("kz");
    for least in [0, 0, 1, RECORDS] {
        let mut import = Command::new(env!("CARGO_BIN_EXE_kua-collector"))
            .args(["import", "--archive", "kz"])
            .arg(&file)
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let has = || {
            Archive::open(&archive.as_path().into()).is_ok_and(|_| served(&archive).len() >= least)
        };
        while !has() && import.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(1));
        }
        import.kill().unwrap();
        import.wait().unwrap();
        let kept = served(&archive);
        assert!(kept == all[..kept.len()], "killed with {least}");
    }
    assert!(self::import(dir.path(), &[file.to_str().unwrap()]).status.success());
    assert!(served(&archive) == all);
}
