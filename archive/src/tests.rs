//! What was acknowledged is what is served, whatever happened in between.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use data_encoding::BASE64;
use kua::chain::Fingerprint;
use kua::wire::from_line;

use super::*;

mod steps;

/// A record of one handshake with these certificates, written by a program that likes spaces.
fn record(uid: &str, chain: &[Vec<u8>]) -> String {
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

/// Three records, of which two share an authority.
fn three() -> Vec<String> {
    vec![
        record("a", &[certificate(1), certificate(9)]),
        record("b", &[]),
        record("c", &[certificate(2), certificate(9)]),
    ]
}

fn take(writer: &mut Writer, raw: &str) -> Kept {
    writer.keep(raw.as_bytes(), &from_line(raw.as_bytes()).unwrap(), None).unwrap()
}

/// Keeps each record as a batch of its own.
fn keep(dir: &Path, records: &[String]) -> Totals {
    let mut writer = Writer::open(&dir.into()).unwrap();
    for raw in records {
        take(&mut writer, raw);
        writer.commit().unwrap();
    }
    writer.totals()
}

fn served(dir: &Path) -> (Vec<String>, Scanned) {
    served_of(&Archive::open(&dir.into()).unwrap())
}

fn served_of(archive: &Archive) -> (Vec<String>, Scanned) {
    let mut raw = Vec::new();
    let mut next = 1;
    let scanned = archive.scan_raw(|number, record| {
        assert!(number >= next, "numbers rise");
        next = number + 1;
        raw.push(String::from_utf8(record.raw.clone()).unwrap());
        Ok::<_, ArchiveError>(())
    });
    let read = archive.scan(|_, _| Ok::<_, ArchiveError>(())).unwrap();
    let scanned = scanned.unwrap();
    assert_eq!((read.served, read.damaged), (scanned.served, scanned.damaged));
    (raw, scanned)
}

fn raw_file(dir: &Path, batch: u64) -> std::path::PathBuf {
    dir.join(SegmentName::of_batch(batch).unwrap().raw())
}

#[test]
fn records_are_kept_once_and_as_received() {
    let dir = tempfile::tempdir().unwrap();
    let records = three();
    assert_eq!(keep(dir.path(), &records), Totals { records: 3, certificates: 3 });
    assert_eq!(served(dir.path()).0, records);
    assert_eq!(keep(dir.path(), &records), Totals::default(), "twice is once");
    assert_eq!(served(dir.path()).0, records);
    let snapshot = Archive::open(&dir.path().into()).unwrap().snapshot().unwrap();
    assert_eq!((snapshot.segments().len(), snapshot.last()), (3, 3));
}

#[test]
fn places_count_from_nought_in_the_order_of_taking() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(&dir.path().into()).unwrap();
    let records = three();
    take(&mut writer, &records[0]);
    assert_eq!(writer.commit().unwrap(), Committed { first: 0, records: 1 });
    assert_eq!(writer.commit().unwrap(), Committed { first: 1, records: 0 });
    take(&mut writer, &records[1]);
    take(&mut writer, &records[2]);
    let place = |writer: &mut Writer, at: usize| {
        writer.place_of(RecordHash::of(records[at].as_bytes())).unwrap()
    };
    assert_eq!(place(&mut writer, 2), Some(2), "it waits");
    assert_eq!(writer.commit().unwrap(), Committed { first: 1, records: 2 });
    drop(writer);
    for case in ["index there", "index gone"] {
        let mut writer = Writer::open(&dir.path().into()).unwrap();
        assert_eq!(
            (0..3).map(|at| place(&mut writer, at)).collect::<Vec<_>>(),
            [Some(0), Some(1), Some(2)]
        );
        assert_eq!(writer.place_of(RecordHash::of(b"other")).unwrap(), None, "{case}");
        let first = writer.first_seen(Fingerprint::of(&certificate(9))).unwrap();
        assert_eq!(first, Some(1), "{case}");
        drop(writer);
        fs::remove_dir_all(dir.path().join("index")).unwrap();
    }
}

#[test]
fn a_receipt_comes_back_and_names_a_measurement_without_a_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(&dir.path().into()).unwrap();
    let receipt = Receipt { uid: Some("named".into()), scrubbed: true, ..Receipt::default() };
    for raw in [r#"{"test_keys": {}}"#.to_owned(), record("own", &[])] {
        let measurement = from_line(raw.as_bytes()).unwrap();
        writer.keep(raw.as_bytes(), &measurement, Some(receipt.clone())).unwrap();
    }
    writer.commit().unwrap();
    let archive = Archive::open(&dir.path().into()).unwrap();
    let mut uids = Vec::new();
    archive
        .scan(|_, measurement| {
            uids.push(measurement.uid.unwrap());
            Ok::<_, ArchiveError>(())
        })
        .unwrap();
    assert_eq!(uids, ["named", "own"]);
    let snapshot = archive.snapshot().unwrap();
    let records: Vec<_> = snapshot.records(&snapshot.segments()[0]).unwrap().collect();
    assert_eq!(records[0].as_ref().unwrap().receipt, Some(receipt));
}

#[test]
fn nothing_is_there_before_it_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(&dir.path().into()).unwrap();
    let raw = record("a", &[certificate(1)]);
    assert_eq!(take(&mut writer, &raw), Kept::New);
    assert_eq!(take(&mut writer, &raw), Kept::AlreadyThere);
    assert_eq!(writer.pending(), 1);
    assert_eq!(served(dir.path()).0, Vec::<String>::new());
    drop(writer);
    assert_eq!(keep(dir.path(), &[raw]).records, 1);
}

#[test]
fn one_writer_who_is_named_and_nobody_elses_directory() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::from(dir.path().join("new/archive"));
    let writer = Writer::open(&place).unwrap();
    let Err(ArchiveError::Busy { holder: Some(holder), .. }) = Writer::open(&place) else {
        panic!("a second writer")
    };
    assert!(holder.contains(&format!("process {}", std::process::id())), "{holder}");
    assert!(Archive::open(&place).is_ok(), "reading needs no lock");
    drop(writer);
    drop(Writer::open(&place).unwrap());

    let Place::Directory(path) = &place else { unreachable!() };
    fs::write(path.join("archive.json"), r#"{"format":3}"#).unwrap();
    assert!(matches!(Archive::open(&place), Err(ArchiveError::Format { .. })));
    assert!(matches!(Writer::open(&place), Err(ArchiveError::Format { .. })));

    fs::write(dir.path().join("letter.txt"), "dear").unwrap();
    let other = Writer::open(&dir.path().into());
    assert!(matches!(other, Err(ArchiveError::Occupied { .. })));
    let absent = Archive::open(&Place::from(dir.path().join("none")));
    assert!(matches!(absent, Err(ArchiveError::Absent { .. })));
}

#[test]
fn what_is_no_record_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(&dir.path().into()).unwrap();
    let kept = writer.keep(b"{\x1e}", &Default::default(), None);
    assert!(matches!(kept, Err(ArchiveError::NotARecord { length: 3 })));
}

#[test]
fn a_full_batch_is_committed_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { batch_records: 10, ..Options::default() };
    let mut writer = Writer::open_with(&dir.path().into(), options).unwrap();
    for uid in 0..15 {
        take(&mut writer, &record(&uid.to_string(), &[]));
    }
    assert_eq!((writer.totals().records, writer.pending()), (10, 5));
    assert_eq!(served(dir.path()).0.len(), 10);
}

#[test]
fn lines_set_aside_are_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rejected.jsonl");
    let row = r#"{"file":"a.jsonl","line":1,"reason":"not JSON","record":"� nonsense"}"#;
    for case in ["new", "again", "index gone", "torn"] {
        let mut writer = Writer::open(&dir.path().into()).unwrap();
        for line in [1, 2] {
            writer.reject(Path::new("a.jsonl"), line, "not JSON", b"\xff nonsense").unwrap();
        }
        writer.commit().unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), format!("{row}\n"), "{case}");
        drop(writer);
        match case {
            "again" => fs::remove_dir_all(dir.path().join("index")).unwrap(),
            "index gone" => fs::write(&file, format!("{row}\n{{\"file\":")).unwrap(),
            _ => {}
        }
    }
}

#[test]
fn what_a_stopped_writer_left_is_in_nobodys_way() {
    let dir = tempfile::tempdir().unwrap();
    // Stopped before the archive had its name.
    fs::create_dir(dir.path().join("incoming")).unwrap();
    fs::write(dir.path().join("incoming/.tmp1"), "form").unwrap();
    fs::write(dir.path().join("lock"), "").unwrap();
    assert!(matches!(Archive::open(&dir.path().into()), Err(ArchiveError::Absent { .. })));
    let writer = Writer::open(&dir.path().into()).unwrap();
    assert_eq!(writer.torn(), Torn { files: 1, bytes: 4 });
    drop(writer);
    assert_eq!(keep(dir.path(), &three()).records, 3);
    assert_eq!(fs::read_dir(dir.path().join("incoming")).unwrap().count(), 0);
}

#[test]
fn a_damaged_segment_is_named_and_the_rest_is_served() {
    for (case, damage) in [
        (
            "flipped",
            &(|path: &Path| {
                let mut bytes = fs::read(path).unwrap();
                bytes[20] ^= 1;
                fs::write(path, bytes).unwrap();
            }) as &dyn Fn(&Path),
        ),
        ("missing", &|path| fs::remove_file(path).unwrap()),
        ("cut", &|path| fs::write(path, &fs::read(path).unwrap()[..30]).unwrap()),
        ("empty", &|path| fs::write(path, "").unwrap()),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let records = three();
        keep(dir.path(), &records);
        damage(&raw_file(dir.path(), 2));
        let (raw, scanned) = served(dir.path());
        assert_eq!(raw, [&records[0][..], &records[2][..]], "{case}");
        let named = scanned
            .named
            .iter()
            .all(|damaged| damaged.damage.path() == Some("raw/000000000002-000000000002.zst"));
        assert!(named && !scanned.named.is_empty(), "{case}: {:?}", scanned.named);
        // The writer remembers the record, or keeps it again where its index is gone too.
        assert_eq!(keep(dir.path(), &records).records, 0, "{case}");
        fs::remove_dir_all(dir.path().join("index")).unwrap();
        assert_eq!(keep(dir.path(), &records).records, 1, "{case}");
        assert_eq!(served(dir.path()).0.len(), 3, "{case}");
    }
}

#[test]
fn an_index_that_does_not_fit_is_made_again() {
    let other = tempfile::tempdir().unwrap();
    keep(other.path(), &[record("other", &[]), record("x", &[])]);
    for case in ["absent", "of another archive", "behind", "ahead", "garbage"] {
        let dir = tempfile::tempdir().unwrap();
        let index = dir.path().join("index");
        let saved = dir.path().join("../saved-index");
        let _ = fs::remove_dir_all(&saved);
        let records = three();
        keep(dir.path(), &records[..1]);
        let kept = match case {
            "behind" => {
                fs::rename(&index, &saved).unwrap();
                keep(dir.path(), &records[1..]);
                fs::remove_dir_all(&index).unwrap();
                fs::rename(&saved, &index).unwrap();
                0
            }
            "ahead" => {
                keep(dir.path(), &records[1..]);
                // An older copy of the archive, which went on otherwise.
                fs::remove_file(raw_file(dir.path(), 2)).unwrap();
                fs::remove_file(raw_file(dir.path(), 3)).unwrap();
                2
            }
            _ => {
                keep(dir.path(), &records[1..2]);
                fs::remove_dir_all(&index).unwrap();
                match case {
                    "of another archive" => copy(&other.path().join("index"), &index),
                    "garbage" => {
                        fs::create_dir(&index).unwrap();
                        for name in ["0.jnl", "version", "lock"] {
                            fs::write(index.join(name), "garbage").unwrap();
                        }
                    }
                    _ => {}
                }
                1
            }
        };
        assert_eq!(keep(dir.path(), &records).records, kept, "{case}");
        assert_eq!(served(dir.path()).0, records, "{case}");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[test]
fn a_writer_that_another_overtook_keeps_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let records = three();
    let mut late = Writer::open(&dir.path().into()).unwrap();
    take(&mut late, &records[0]);
    // What another writer would have written, had the lock not held.
    let mut encoder = segment::Encoder::new(segment::Encoder::FAST).unwrap();
    for raw in &records[..2] {
        encoder.push(RecordHash::of(raw.as_bytes()), None, raw.as_bytes()).unwrap();
    }
    late.store().put_new("raw/000000000001-000000000001.zst", encoder.finish().unwrap()).unwrap();
    assert!(matches!(late.commit(), Err(ArchiveError::AlreadyThere { .. })));
    let kept: Vec<_> = records.iter().map(|raw| take(&mut late, raw)).collect();
    assert_eq!(kept, [Kept::AlreadyThere, Kept::AlreadyThere, Kept::New]);
    late.commit().unwrap();
    assert_eq!(served(dir.path()).0, records);
}

/// Stands still for what a writer does from the thread of another runtime.
#[test]
fn a_writer_works_inside_of_an_async_program() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        assert_eq!(keep(dir.path(), &three()).records, 3);
        assert_eq!(served(dir.path()).0.len(), 3);
    });
}

#[test]
fn keys_of_a_place_are_those_of_the_environment() {
    let place = Place::s3("b", "p", BTreeMap::from([("AWS_REGION".into(), "x".into())]));
    let store = Store::open(&place).unwrap();
    assert_eq!(store.url(), "s3://b/");
    assert_eq!(store.location("raw/a.zst").as_ref(), "p/raw/a.zst");
    assert_eq!(store.directory(), None);
}
