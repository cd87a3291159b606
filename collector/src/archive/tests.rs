//! What was received is what is served, whatever happened in between.

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use kua::chain::Fingerprint;
use kua::wire::from_line;
use proptest::prelude::*;

use super::{Archive, ArchiveError, Damage, Kept, Scanned, Torn, Totals, Writer};

/// A record of one handshake with these certificates, written by a program that likes spaces.
fn record(uid: &str, chain: &[&[u8]]) -> String {
    let sent = chain
        .iter()
        .map(|der| format!(r#"{{ "data": "{}", "format": "base64"}}"#, BASE64.encode(der)));
    let sent = sent.collect::<Vec<_>>().join(", ");
    format!(
        r#"{{"measurement_uid": "{uid}",  "test_keys": {{"tls_handshakes": [{{"peer_certificates": [{sent}]}}]}}}}"#
    )
}

fn certificate(seed: u8) -> Vec<u8> {
    [&[0x30, 0x82][..], &[seed; 200]].concat()
}

fn keep(dir: &Path, records: &[String]) -> Totals {
    let mut writer = Writer::open(dir).unwrap();
    for raw in records {
        writer.keep(raw.as_bytes(), &from_line(raw.as_bytes()).unwrap()).unwrap();
    }
    writer.commit().unwrap();
    writer.totals()
}

fn served(dir: &Path) -> (Vec<String>, Scanned) {
    let archive = Archive::open(dir).unwrap();
    let mut raw = Vec::new();
    let scanned = archive.scan_raw(|_, bytes| {
        raw.push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok::<_, ArchiveError>(())
    });
    let read = archive.scan(|_, _| Ok::<_, ArchiveError>(())).unwrap();
    let scanned = scanned.unwrap();
    assert_eq!((read.served, read.damaged), (scanned.served, scanned.damaged));
    (raw, scanned)
}

fn certificate_file(dir: &Path, der: &[u8]) -> PathBuf {
    let name = Fingerprint::of(der).to_string();
    dir.join("certificates").join(&name[..2]).join(format!("{name}.der"))
}

/// Three records, of which two share an authority.
fn three() -> Vec<String> {
    let root = certificate(9);
    vec![
        record("a", &[&certificate(1), &root]),
        record("b", &[]),
        record("c", &[&certificate(2), &root]),
    ]
}

#[test]
fn certificates_are_kept_once_and_records_as_received() {
    let dir = tempfile::tempdir().unwrap();
    let records = three();
    assert_eq!(keep(dir.path(), &records), Totals { records: 3, certificates: 3 });
    assert_eq!(served(dir.path()).0, records);
    let kept = fs::read_to_string(dir.path().join("records")).unwrap();
    assert!(!kept.contains(&BASE64.encode(&certificate(9))), "{kept}");
    assert_eq!(fs::read(certificate_file(dir.path(), &certificate(9))).unwrap(), certificate(9));

    assert_eq!(keep(dir.path(), &records), Totals::default(), "twice is once");
    assert_eq!(fs::read_to_string(dir.path().join("records")).unwrap(), kept);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_goes_in_comes_out(
        chains in proptest::collection::vec(proptest::collection::vec(0u8..6, 0..4), 1..12),
        spaces in "[ \t\n]{0,3}",
    ) {
        let dir = tempfile::tempdir().unwrap();
        let records = chains.iter().enumerate().map(|(uid, chain)| {
            let chain: Vec<_> = chain.iter().map(|seed| certificate(*seed)).collect();
            let chain: Vec<_> = chain.iter().map(Vec::as_slice).collect();
            record(&uid.to_string(), &chain).replace(": ", &format!(":{spaces}"))
        });
        let records: Vec<_> = records.collect();
        let (first, second) = records.split_at(records.len() / 2);
        keep(dir.path(), first);
        keep(dir.path(), second);
        prop_assert_eq!(served(dir.path()).0, records);
    }
}

#[test]
fn a_record_cut_at_any_byte_is_the_old_state_or_the_new() {
    let dir = tempfile::tempdir().unwrap();
    let records = three();
    keep(dir.path(), &records);
    let file = dir.path().join("records");
    let whole = fs::read(&file).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for end in last..=whole.len() {
        fs::write(&file, &whole[..end]).unwrap();
        let expected = if end == whole.len() { &records[..] } else { &records[..2] };
        let (raw, scanned) = served(dir.path());
        assert_eq!((&raw[..], scanned.damaged), (expected, 0), "cut at {end}");

        let torn = Writer::open(dir.path()).unwrap().torn();
        let bytes = (end - last) as u64;
        let expected = (bytes > 0 && end < whole.len()).then_some(Torn { bytes });
        assert_eq!(torn, expected, "cut at {end}");
        keep(dir.path(), &records);
        assert_eq!(fs::read(&file).unwrap(), whole, "cut at {end}");
    }
}

#[test]
fn a_last_line_of_other_bytes_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let records = three();
    keep(dir.path(), &records);
    let file = dir.path().join("records");
    let whole = fs::read(&file).unwrap();
    for (case, tail) in [("zeros", &b"\0\0\0\0\n"[..]), ("another hash", &b"0000 {}\n"[..])] {
        fs::write(&file, [&whole[..], tail].concat()).unwrap();
        assert_eq!(served(dir.path()).1.damaged, 1, "{case}");
        let torn = Writer::open(dir.path()).unwrap().torn();
        assert_eq!(torn, Some(Torn { bytes: tail.len() as u64 }), "{case}");
        assert_eq!(fs::read(&file).unwrap(), whole, "{case}");
    }
    let mut flipped = whole.clone();
    let at = flipped.len() - 3;
    flipped[at] ^= 1;
    fs::write(&file, flipped).unwrap();
    assert!(Writer::open(dir.path()).unwrap().torn().is_some());
    assert_eq!(keep(dir.path(), &records), Totals { records: 1, certificates: 0 });
}

#[test]
fn a_damaged_record_is_named_and_the_rest_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let records = three();
    keep(dir.path(), &records);
    let file = dir.path().join("records");
    let mut bytes = fs::read(&file).unwrap();
    bytes[100] ^= 1;
    fs::write(&file, bytes).unwrap();
    let (raw, scanned) = served(dir.path());
    assert_eq!(raw, records[1..]);
    assert_eq!(scanned.named[0].number, 1);
    assert!(matches!(scanned.named[0].damage, Damage::BadHash));
}

#[test]
fn a_missing_certificate_is_named_and_comes_back_with_its_record() {
    let dir = tempfile::tempdir().unwrap();
    let records = three();
    keep(dir.path(), &records);
    let gone = certificate_file(dir.path(), &certificate(2));
    for (case, missing) in [("missing", true), ("other bytes", false)] {
        if missing {
            fs::remove_file(&gone).unwrap();
        } else {
            fs::write(&gone, "other").unwrap();
        }
        let (raw, scanned) = served(dir.path());
        assert_eq!(raw, records[..2], "{case}");
        assert_eq!(scanned.damaged, 1, "{case}");
        assert_eq!(scanned.named[0].number, 3, "{case}");
        let named = matches!(scanned.named[0].damage, Damage::MissingCertificate { .. });
        assert_eq!(named, missing, "{case}");
        assert_eq!(Writer::open(dir.path()).unwrap().torn(), None, "{case}");
        let _ = fs::remove_file(&gone);
        assert_eq!(keep(dir.path(), &records), Totals { records: 0, certificates: 1 }, "{case}");
        assert_eq!(served(dir.path()).0, records, "{case}");
    }
}

#[test]
fn what_a_stopped_writer_left_is_in_nobodys_way() {
    let dir = tempfile::tempdir().unwrap();
    // Stopped before the archive had its name.
    fs::create_dir(dir.path().join("incoming")).unwrap();
    fs::write(dir.path().join("incoming/archive.toml"), "form").unwrap();
    fs::write(dir.path().join("lock"), "").unwrap();
    assert!(matches!(Archive::open(dir.path()), Err(ArchiveError::Absent { .. })));
    // Stopped between two certificates, and before their records.
    keep(dir.path(), &three()[1..2]);
    fs::write(dir.path().join("incoming/half"), "0").unwrap();
    let early = certificate_file(dir.path(), &certificate(1));
    fs::create_dir(early.parent().unwrap()).unwrap();
    fs::write(&early, certificate(1)).unwrap();
    assert_eq!(served(dir.path()).0, three()[1..2]);
    assert_eq!(keep(dir.path(), &three()), Totals { records: 2, certificates: 2 });
    assert_eq!(fs::read_dir(dir.path().join("incoming")).unwrap().count(), 0);
}

#[test]
fn one_writer_and_nobody_elses_directory() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("new/archive");
    let writer = Writer::open(&archive).unwrap();
    assert!(matches!(Writer::open(&archive), Err(ArchiveError::Busy { .. })));
    assert!(Archive::open(&archive).is_ok(), "reading needs no lock");
    drop(writer);
    Writer::open(&archive).unwrap();

    fs::write(archive.join("archive.toml"), "format = 2\n").unwrap();
    assert!(matches!(Archive::open(&archive), Err(ArchiveError::Format { .. })));
    assert!(matches!(Writer::open(&archive), Err(ArchiveError::Format { .. })));

    fs::write(dir.path().join("letter.txt"), "dear").unwrap();
    assert!(matches!(Writer::open(dir.path()), Err(ArchiveError::Occupied { .. })));
}

#[test]
fn nothing_is_there_before_it_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(dir.path()).unwrap();
    let raw = record("a", &[&certificate(1)]);
    let measurement = from_line(raw.as_bytes()).unwrap();
    assert_eq!(writer.keep(raw.as_bytes(), &measurement).unwrap(), Kept::New);
    assert_eq!(writer.keep(raw.as_bytes(), &measurement).unwrap(), Kept::AlreadyThere);
    assert_eq!(served(dir.path()).0, Vec::<String>::new());
    drop(writer);
    assert_eq!(keep(dir.path(), &[raw]).records, 1);
}

#[test]
fn what_is_no_record_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(dir.path()).unwrap();
    let kept = writer.keep(b"{\x1e}", &Default::default());
    assert!(matches!(kept, Err(ArchiveError::NotARecord { length: 3 })));
}

#[test]
fn a_full_batch_is_committed_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(dir.path()).unwrap();
    for uid in 0..1_500 {
        let raw = record(&uid.to_string(), &[]);
        writer.keep(raw.as_bytes(), &from_line(raw.as_bytes()).unwrap()).unwrap();
    }
    assert_eq!(writer.totals().records, 1_000);
    assert_eq!(served(dir.path()).0.len(), 1_000);
}

#[test]
fn lines_set_aside_are_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut writer = Writer::open(dir.path()).unwrap();
        for line in [1, 2] {
            writer.reject(Path::new("a.jsonl"), line, "not JSON", b"\xff nonsense").unwrap();
        }
        writer.commit().unwrap();
    }
    let rows = fs::read_to_string(dir.path().join("rejected.jsonl")).unwrap();
    let row = r#"{"file":"a.jsonl","line":1,"reason":"not JSON","record":"� nonsense"}"#;
    assert_eq!(rows, format!("{row}\n"));
}
