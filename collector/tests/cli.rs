//! What people read, word for word.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod program;

use std::fs;
use std::path::Path;
use std::process::Command;

use kua_archive::Writer;
use kua_mint::Authority;
use program::run;

/// Standard output of a command that succeeds.
fn out(dir: &Path, arguments: &[&str]) -> String {
    let text = run(dir, arguments);
    let (out, err) = text.strip_prefix("exit 0\n").unwrap().split_once("--- stderr\n").unwrap();
    assert_eq!(err, "");
    out.to_owned()
}

fn record(uid: &str, cc: &str, started: &str, chain: &[&[u8]]) -> String {
    let sent = chain.iter().map(|der| {
        format!(r#"{{"data":"{}","format":"base64"}}"#, data_encoding::BASE64.encode(der))
    });
    let sent = sent.collect::<Vec<_>>().join(",");
    format!(
        r#"{{"measurement_uid":"{uid}","probe_cc":"{cc}","measurement_start_time":"{started}","test_keys":{{"tls_handshakes":[{{"server_name":"a.example","failure":null,"peer_certificates":[{sent}]}}]}}}}"#
    )
}

/// A directory with `good.jsonl` (two records, three certificates), `bad.jsonl`, and reference data
/// in `known` by which the good records show an interceptor.
fn files() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = Authority::root("Root");
    let one =
        record("1", "KZ", "2023-10-16 13:06:00", &[&root.leaf("a").certificate, &root.certificate]);
    let two =
        record("2", "DE", "2023-11-01 00:00:00", &[&root.leaf("a").certificate, &root.certificate]);
    fs::write(dir.path().join("good.jsonl"), format!("{one}\n{two}\n")).unwrap();
    let bad = format!(
        "{{\"test_keys\":\n{one}\n{{\"hello\":1}}\n\n{}\n",
        record("3", "KZ", "", &[b"no certificate"])
    );
    fs::write(dir.path().join("bad.jsonl"), bad).unwrap();
    let dossier = format!(
        "id = \"x\"\ncountry = \"KZ\"\nactor = \"state\"\n[[key]]\nsubject = \"CN=Root\"\npublic_key = \"{}\"\n",
        data_encoding::BASE64.encode(&root.key.spki())
    );
    fs::create_dir_all(dir.path().join("known/interceptors")).unwrap();
    fs::write(dir.path().join("known/interceptors/x.toml"), dossier).unwrap();
    dir
}

#[test]
fn version_and_help() {
    let dir = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(out(dir.path(), &["--version"]));
    insta::assert_snapshot!(out(dir.path(), &["--help"]));
    insta::assert_snapshot!(out(dir.path(), &["import", "--help"]));
    insta::assert_snapshot!(out(dir.path(), &["judge", "--help"]));
}

#[test]
fn import_twice() {
    let dir = files();
    let import = ["import", "--archive", "kz", "good.jsonl"];
    insta::assert_snapshot!(run(dir.path(), &import));
    insta::assert_snapshot!(run(dir.path(), &import));
}

#[test]
fn bad_lines_are_named_and_set_aside_once() {
    let dir = files();
    insta::assert_snapshot!(run(dir.path(), &["import", "--archive", "kz", "bad.jsonl"]));
    let aside = fs::read_to_string(dir.path().join("kz/rejected.jsonl")).unwrap();
    insta::assert_snapshot!(aside);
    let strict = run(dir.path(), &["import", "--strict", "--archive", "kz", "bad.jsonl"]);
    assert!(strict.starts_with("exit 1\n"), "{strict}");
    assert_eq!(fs::read_to_string(dir.path().join("kz/rejected.jsonl")).unwrap(), aside);
}

#[test]
fn records_of_several_formats_are_told_by_their_shape() {
    let dir = files();
    let good = fs::read_to_string(dir.path().join("good.jsonl")).unwrap();
    let atlas = r#"{"type":"sslcert","dst_name":"a.example","alert":{"decription":40}}"#;
    let quack = r#"{"vp":"192.0.2.7","service":"https","test_url":"a.example","response":[]}"#;
    fs::write(dir.path().join("mixed"), format!("{good}{atlas}\n{quack}\n{{}}\n")).unwrap();
    let several = ["import", "--archive", "kz", "--as", "ooni,ripe-atlas", "mixed"];
    insta::assert_snapshot!(run(dir.path(), &several));
    let json = ["import", "--archive", "kz", "--as", "hyperquack", "--format", "json", "mix*"];
    insta::assert_snapshot!(run(dir.path(), &json));
    let judged = out(dir.path(), &["judge", "--archive", "kz"]);
    assert_eq!(judged.lines().count(), 4, "whatever format a record has, it is judged again");
}

#[test]
fn at_most_twenty_bad_lines_are_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("noise"), "noise\n".repeat(1_000)).unwrap();
    let few = run(dir.path(), &["import", "--archive", "kz", "noise"]);
    assert_eq!(few.matches("rejected: noise:").count(), 20);
    assert!(few.ends_with("rejected: 980 more; -v names them all\n"), "{few}");
    let all = run(dir.path(), &["-v", "import", "--archive", "kz", "noise"]);
    assert_eq!(all.matches("rejected: noise:").count(), 1_000);
}

#[test]
fn troubles() {
    let dir = files();
    insta::assert_snapshot!(run(
        dir.path(),
        &["import", "--archive", "kz", "good.jsonl", "absent.jsonl"]
    ));
    let writer = Writer::open(&dir.path().join("kz").into()).unwrap();
    let busy = run(dir.path(), &["import", "--archive", "kz", "good.jsonl"]);
    let holder = format!("{}, process {}", own_name(), std::process::id());
    insta::assert_snapshot!(busy.replace(&holder, "PROGRAM, process N"));
    drop(writer);
    insta::assert_snapshot!(run(dir.path(), &["import", "--archive", ".", "good.jsonl"]));
    insta::assert_snapshot!(run(dir.path(), &["judge", "--archive", "absent"]));
    insta::assert_snapshot!(run(dir.path(), &["judge"]));
    insta::assert_snapshot!(run(dir.path(), &["judge", "--archive", "kz", "--cc", "KAZ"]));
}

/// The file name of this test's own program.
fn own_name() -> String {
    let program = std::env::current_exe().unwrap();
    program.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn a_batch_that_was_never_finished_is_told() {
    let dir = files();
    out(dir.path(), &["import", "--archive", "kz", "good.jsonl"]);
    fs::write(dir.path().join("kz/incoming/.tmp"), "half of a").unwrap();
    let again = run(dir.path(), &["import", "--archive", "kz", "good.jsonl"]);
    assert!(again.contains("\nkept                         0\n"), "{again}");
    assert!(again.contains("note: removed 9 bytes of a batch"), "{again}");
}

#[test]
fn a_file_that_breaks_off_is_told_and_its_records_stay() {
    let dir = files();
    let good = fs::read(dir.path().join("good.jsonl")).unwrap();
    let packed = zstd::encode_all(&good[..], 0).unwrap();
    let cut = [&packed[..], &packed[..packed.len() - 2]].concat();
    fs::write(dir.path().join("cut"), cut).unwrap();
    insta::assert_snapshot!(run(dir.path(), &["import", "--archive", "kz", "cut", "good.jsonl"]));
}

#[test]
fn judgements_are_the_same_from_an_archive_and_from_its_file() {
    let dir = files();
    out(dir.path(), &["import", "--archive", "kz", "good.jsonl"]);
    let archived = out(dir.path(), &["judge", "--archive", "kz"]);
    assert_eq!(out(dir.path(), &["judge", "good.jsonl"]), archived);
    let lines: Vec<_> = archived.lines().collect();
    assert_eq!(lines.len(), 2);
    for (number, line) in (1..).zip(&lines) {
        let start = format!(
            r#"{{"schema":"kua.judgement/1","measurement_uid":"{number}","line":{number},"target":"a.example""#
        );
        assert!(line.starts_with(&start), "{line}");
    }
    for (scope, chosen) in [
        (&["--cc", "kz"][..], &lines[..1]),
        (&["--since", "2023-10-17"], &lines[1..]),
        (&["--until", "2023-10-16"], &lines[..1]),
        (&["--cc", "KZ", "--since", "2023-10-16T13:06:01Z"], &[]),
    ] {
        let judged = out(dir.path(), &[&["judge", "--archive", "kz"], scope].concat());
        assert_eq!(judged.lines().collect::<Vec<_>>(), chosen, "{scope:?}");
    }
}

/// Three sites with one router's certificate: the first record is judged beside the later ones, also
/// where they come through a pipe.
#[test]
fn a_record_is_judged_beside_those_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let router = Authority::root("Router").leaf("login.example").certificate;
    let sites = ["a.example", "b.test.example", "c.net"];
    let records = sites.iter().enumerate().map(|(uid, name)| {
        let record = record(&uid.to_string(), "QZ", "2023-10-16 13:06:00", &[&router]);
        let record = record.replace("a.example", name).replace(
            r#""failure":null"#,
            r#""address":"10.0.0.1:443","failure":"ssl_invalid_hostname","x_kua":{}"#,
        );
        record + "\n"
    });
    fs::write(dir.path().join("portal.jsonl"), records.collect::<String>()).unwrap();
    out(dir.path(), &["import", "--archive", "portal", "portal.jsonl"]);
    let program = env!("CARGO_BIN_EXE_kua-collector");
    let piped = Command::new("sh")
        .args(["-c", &format!("cat portal.jsonl | {program} judge -")])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let piped = String::from_utf8(piped.stdout).unwrap();
    let archived = out(dir.path(), &["judge", "--archive", "portal"]);
    for judged in [out(dir.path(), &["judge", "portal.jsonl"]), piped, archived] {
        assert_eq!(judged.lines().count(), 3);
        for line in judged.lines() {
            assert!(line.contains(r#""actor":"portal""#), "{line}");
            assert!(line.contains(r#""detector":"captive-portal""#), "{line}");
        }
    }
}

#[test]
fn exit_codes_of_judge() {
    let dir = files();
    out(dir.path(), &["import", "--archive", "kz", "good.jsonl"]);
    for (arguments, code) in [
        (&["judge", "good.jsonl"][..], 0),
        (&["judge", "good.jsonl", "--reference-add", "known"], 0),
        (&["judge", "good.jsonl", "--fail-on", "confirmed"], 0),
        (&["judge", "good.jsonl", "--fail-on", "confirmed", "--reference-add", "known"], 3),
        (&["judge", "--archive", "kz", "--fail-on", "probable", "--reference-add", "known"], 3),
        (&["judge", "bad.jsonl"], 0),
        (&["judge", "bad.jsonl", "--strict"], 1),
        (&["judge", "good.jsonl", "--control", "good.jsonl"], 0),
        (&["judge", "good.jsonl", "--control", "absent"], 1),
        (&["judge", "good.jsonl", "--reference", "absent"], 1),
        (&["judge", "good.jsonl", "--archive", "kz"], 2),
    ] {
        let text = run(dir.path(), arguments);
        assert!(text.starts_with(&format!("exit {code}\n")), "{arguments:?}: {text}");
    }
    let segment = dir.path().join("kz/raw/000000000001-000000000001.zst");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[40] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let text = run(dir.path(), &["judge", "--archive", "kz"]);
    assert!(text.starts_with("exit 0\n--- stderr\ndamaged: record 1: raw/"), "{text}");
    assert!(run(dir.path(), &["judge", "--archive", "kz", "--strict"]).starts_with("exit 1\n"));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let dir = files();
    let good = fs::read_to_string(dir.path().join("good.jsonl")).unwrap();
    fs::write(dir.path().join("many.jsonl"), good.repeat(200)).unwrap();
    let program = env!("CARGO_BIN_EXE_kua-collector");
    let script = format!("({program} judge many.jsonl; echo $? >code) | head -n1 >head");
    let status = Command::new("sh").args(["-c", &script]).current_dir(dir.path()).status();
    assert!(status.unwrap().success());
    assert_eq!(fs::read_to_string(dir.path().join("code")).unwrap(), "0\n");
}
