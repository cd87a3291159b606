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
    for command in ["check", "compact", "export", "repair"] {
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

/// Records of every kind that an archive keeps: in a line, over several, in an array, sent in an envelope, of PEM.
#[test]
fn what_is_exported_is_imported_again_under_the_same_hashes() {
    let dir = files();
    let root = Authority::root("Root");
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        data_encoding::BASE64.encode(&root.certificate)
    );
    let odd = [
        ("document.json", "{\n  \"test_name\": \"kua\"\n}\n"),
        ("array.json", "[{\"test_name\":\"a\"}, {\"test_name\":\n\"b\"}]"),
        ("postcan.json", r#"{"format":"json","content":"\r\n{\"test_name\":\n\"c\"}\r"}"#),
        ("chain.pem", &pem),
    ];
    for (name, text) in odd {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let all = ["kz.jsonl", "document.json", "array.json", "postcan.json", "chain.pem"];
    let formats = ["--as", "ooni,hyperquack,ripe-atlas,pem"];
    let imported = |archive: &str, files: &[&str]| {
        run(dir.path(), &[&["import", "--archive", archive], &formats[..], files].concat())
    };
    let told = imported("first", &all);
    assert!(told.contains("kept                         8\n"), "{told}");
    // Some have their certificates in files of their own, some have not.
    run(dir.path(), &["compact", "--archive", "first"]);
    let exported = |archive: &str, scope: &[&str]| {
        let told = run(dir.path(), &[&["export", "--archive", archive], scope].concat());
        let (out, err) = told.split_once("--- stderr\n").unwrap();
        assert_eq!(err, "");
        out.strip_prefix("exit 0\n").unwrap().to_owned()
    };
    let lines = exported("first", &[]);
    fs::write(dir.path().join("again.jsonl"), &lines).unwrap();
    let told = imported("second", &["again.jsonl"]);
    assert!(told.contains("kept                         8\n"), "{told}");
    let records = |archive: &str| {
        let mut records = Vec::new();
        let place = kua_archive::Place::from(dir.path().join(archive).as_path());
        let archive = kua_archive::Archive::open(&place).unwrap();
        archive
            .scan_raw(|_, record| {
                records.push((record.hash, record.raw.clone()));
                Ok::<_, kua_archive::ArchiveError>(())
            })
            .unwrap();
        records
    };
    assert_eq!(records("second"), records("first"));
    assert_eq!(exported("second", &[]), lines);
    assert_eq!(exported("first", &["--cc", "DE"]).lines().count(), 1);
    assert_eq!(exported("first", &["--since", "2023-10-17"]), "");
}

#[test]
fn what_is_damaged_is_named_and_the_rest_exported() {
    let dir = files();
    run(dir.path(), &["import", "--archive", "kz", "kz.jsonl"]);
    run(dir.path(), &["compact", "--archive", "kz"]);
    let certificates = dir.path().join("kz/certificates/000000000001-000000000002.parquet");
    assert!(certificates.exists());
    fs::remove_file(certificates).unwrap();
    let told = run(dir.path(), &["export", "--archive", "kz"]);
    assert!(told.starts_with("exit 1\n") && told.contains("damaged: record 1: "), "{told}");
}
