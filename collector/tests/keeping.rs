//! An archive made small, checked, damaged and mended, as people read it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;

use std::fs;
use std::path::Path;

use kua_mint::Authority;
use program::run;

fn flip(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 0x10;
    fs::write(file, bytes).unwrap();
}

/// A directory with `kz.jsonl`: three records of one site, seen from two countries.
fn files() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = Authority::root("Root");
    let sent = [&root.leaf("a.example").certificate, &root.certificate].map(|der| {
        format!(r#"{{"data":"{}","format":"base64"}}"#, data_encoding::BASE64.encode(der))
    });
    let record = |uid: &str, cc: &str| {
        format!(
            r#"{{"measurement_uid":"{uid}","probe_cc":"{cc}","measurement_start_time":"2023-10-16 13:06:00","test_keys":{{"tls_handshakes":[{{"server_name":"a.example","failure":null,"peer_certificates":[{}]}}]}}}}"#,
            sent.join(",")
        )
    };
    let lines = [record("1", "KZ"), record("2", "DE"), record("3", "KZ")].join("\n");
    fs::write(dir.path().join("kz.jsonl"), lines).unwrap();
    dir
}

#[test]
fn help() {
    let dir = tempfile::tempdir().unwrap();
    for command in ["check", "compact", "repair"] {
        insta::assert_snapshot!(command, run(dir.path(), &[command, "--help"]));
    }
}

#[test]
fn compact_check_damage_repair() {
    let dir = files();
    let archived = |command: &'static str| run(dir.path(), &[command, "--archive", "kz"]);
    insta::assert_snapshot!("nothing_to_compact", archived("compact"));
    run(dir.path(), &["import", "--archive", "kz", "kz.jsonl"]);
    insta::assert_snapshot!("compacted", archived("compact"));
    insta::assert_snapshot!("compacted_again", archived("compact"));
    insta::assert_snapshot!("sound", archived("check"));
    let table = "handshakes/day=2023-10-16/cc=KZ/000000000001-000000000002.parquet";
    flip(&dir.path().join("kz").join(table));
    insta::assert_snapshot!("damaged_table", archived("check"));
    fs::remove_file(dir.path().join("kz/raw/000000000001-000000000002.json")).unwrap();
    insta::assert_snapshot!("damaged_inventory", archived("check"));
    insta::assert_snapshot!("mended", archived("repair"));
    insta::assert_snapshot!("sound_again", archived("check"));
    fs::remove_file(dir.path().join("kz/certificates/000000000001-000000000002.parquet")).unwrap();
    let lost = archived("repair");
    assert!(lost.starts_with("exit 1\n") && lost.contains("\nlost: certificates/"), "{lost}");
    assert!(archived("check").starts_with("exit 1\n"));
}
