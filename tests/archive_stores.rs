//! An archive in a directory and in an object store: the same rules, the same records.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use kua::wire::from_line;
use kua_archive::{
    Archive, ArchiveError, Committed, Damage, Kept, Options, Place, RecordHash, Store, Writer,
};
use kua_tests::chains;
use kua_tests::s3::Server;

/// An archive that is empty, and a folder for its index.
fn in_a_directory(body: impl Fn(&Place, &Path)) {
    let dir = tempfile::tempdir().unwrap();
    body(&Place::from(dir.path().join("archive")), &dir.path().join("index"));
}

fn in_an_object_store(body: impl Fn(&Place, &Path)) {
    let Some(server) = Server::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let settings = server.environment().map(|(name, value)| (name.to_owned(), value));
    let place = server.place("one/archive");
    let bucket = place.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).unwrap();
    let place = Place::s3(bucket.0, bucket.1, BTreeMap::from(settings));
    body(&place, &dir.path().join("index"));
}

#[test]
fn files_of_a_directory() {
    in_a_directory(files);
}

#[test]
fn files_of_an_object_store() {
    in_an_object_store(files);
}

#[test]
fn an_archive_in_a_directory() {
    in_a_directory(archive);
}

#[test]
fn an_archive_in_an_object_store() {
    in_an_object_store(archive);
}

fn files(place: &Place, _: &Path) {
    let store = Store::open(place).unwrap();
    let text = Bytes::from_static(b"0123456789");
    let path = "handshakes/day=2023-10-16/cc=KZ/000000000001-000000000002.parquet";
    let missing = |error| matches!(error, ArchiveError::Missing { .. });
    assert!(missing(store.read(path).unwrap_err()));
    assert!(missing(store.read_range(path, 0..3).unwrap_err()));
    assert_eq!(store.size(path).unwrap(), None);
    assert_eq!(store.list("").unwrap(), []);
    store.remove(path).unwrap();

    store.put_new(path, text.clone()).unwrap();
    let again = store.put_new(path, Bytes::from_static(b"other"));
    assert!(matches!(again, Err(ArchiveError::AlreadyThere { .. })), "{again:?}");
    assert_eq!(store.read(path).unwrap(), text);
    assert_eq!(store.read_range(path, 2..5).unwrap(), &b"234"[..]);
    assert_eq!(store.read_range(path, 8..50).unwrap(), &b"89"[..]);
    assert_eq!(store.size(path).unwrap(), Some(10));
    let long = store.read_at_most(path, 9);
    assert!(matches!(long, Err(ArchiveError::TooLong { bytes: 10, .. })), "{long:?}");

    store.put("manifest/1.json", text.clone()).unwrap();
    store.put("manifest/1.json", Bytes::from_static(b"new")).unwrap();
    assert_eq!(store.read("manifest/1.json").unwrap(), &b"new"[..]);
    let paths = |folder| -> Vec<(String, u64)> {
        let entries = store.list(folder).unwrap().into_iter();
        entries.map(|entry| (entry.path, entry.bytes)).collect()
    };
    assert_eq!(paths(""), [(path.to_owned(), 10), ("manifest/1.json".into(), 3)]);
    assert_eq!(paths("manifest/"), [("manifest/1.json".into(), 3)]);
    store.remove("manifest/1.json").unwrap();
    assert_eq!(paths("manifest/"), []);

    for bad in ["../outside", "/etc/passwd", "a/../../b", ""] {
        if store.directory().is_some() {
            let put = store.put_new(bad, text.clone());
            assert!(matches!(put, Err(ArchiveError::BadPath { .. })), "{bad}: {put:?}");
        }
    }
    // What an asynchronous reader is given shows the same file.
    let reader = store.object_store().unwrap();
    let location = store.location(path);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let read = runtime.block_on(async {
        use object_store::ObjectStoreExt;
        reader.get(&location).await.unwrap().bytes().await.unwrap()
    });
    assert_eq!(read, text);
}

fn archive(place: &Place, index: &Path) {
    let open = || {
        let options = Options { index: Some(index.into()), ..Options::default() };
        Writer::open_with(place, options)
    };
    let keep = |writer: &mut Writer, uid: u8| {
        let raw = record(uid);
        writer.keep(raw.as_bytes(), &from_line(raw.as_bytes()).unwrap(), None).unwrap()
    };
    assert!(matches!(Archive::open(place), Err(ArchiveError::Absent { .. })));
    let mut writer = open().unwrap();
    let busy = open().map(drop);
    let Err(ArchiveError::Busy { holder: Some(holder), .. }) = busy else { panic!("{busy:?}") };
    assert!(holder.contains("process"), "{holder}");
    assert_eq!(served(place), (vec![], 0));
    assert_eq!(keep(&mut writer, 1), Kept::New);
    assert_eq!(keep(&mut writer, 2), Kept::New);
    writer.reject(Path::new("a.jsonl"), 3, "not JSON", b"nonsense").unwrap();
    assert_eq!(writer.commit().unwrap(), Committed { first: 0, records: 2 });
    assert_eq!(keep(&mut writer, 2), Kept::AlreadyThere);
    assert_eq!(keep(&mut writer, 3), Kept::New);
    assert_eq!(served(place), (vec![record(1), record(2)], 0));
    // What was not committed is gone.
    drop(writer);

    // Whether the index is there or not.
    for uid in [3, 4] {
        let mut writer = open().unwrap();
        assert_eq!(keep(&mut writer, 1), Kept::AlreadyThere);
        assert_eq!(keep(&mut writer, uid), Kept::New);
        writer.reject(Path::new("b.jsonl"), 1, "not JSON", b"nonsense").unwrap();
        writer.commit().unwrap();
        drop(writer);
        std::fs::remove_dir_all(index).unwrap();
    }
    let all: Vec<_> = (1..=4).map(record).collect();
    assert_eq!(served(place), (all, 0));

    // A name that another has taken keeps the batch out, and its records are known afterwards.
    let mut writer = open().unwrap();
    assert_eq!(keep(&mut writer, 5), Kept::New);
    let raw = record(6);
    let mut encoder = kua_archive::segment::Encoder::new(1).unwrap();
    encoder.push(RecordHash::of(raw.as_bytes()), None, raw.as_bytes()).unwrap();
    let path = "raw/000000000004-000000000004.zst";
    writer.store().put_new(path, encoder.finish().unwrap()).unwrap();
    assert!(matches!(writer.commit(), Err(ArchiveError::AlreadyThere { .. })));
    assert_eq!(keep(&mut writer, 6), Kept::AlreadyThere);
    assert_eq!(keep(&mut writer, 5), Kept::New);
    assert_eq!(writer.commit().unwrap(), Committed { first: 5, records: 1 });

    // A flipped bit is named, and the rest is served.
    let mut bytes = writer.store().read("raw/000000000001-000000000001.zst").unwrap().to_vec();
    bytes[30] ^= 1;
    writer.store().put("raw/000000000001-000000000001.zst", bytes.into()).unwrap();
    let served: Vec<_> = [3, 4, 6, 5].map(record).into();
    assert_eq!(self::served(place), (served, 2));
}

fn record(uid: u8) -> String {
    format!("{{\"measurement_uid\": \"{uid}\",\n \"test_keys\": {{}}}}")
}

/// The records that are served, and how many are damaged.
fn served(place: &Place) -> (Vec<String>, u64) {
    let mut records = Vec::new();
    let snapshot = Archive::open(place).unwrap().snapshot().unwrap();
    let mut lost = 0;
    snapshot
        .each(|_, read: Result<_, Damage>| {
            match read {
                Ok(record) => records.push(String::from_utf8(record.raw).unwrap()),
                Err(damage) => lost += damage.records(),
            }
            Ok::<_, ArchiveError>(())
        })
        .unwrap();
    (records, lost)
}

/// From import to report: the programs print over a bucket what they print over a directory.
#[test]
fn the_programs_over_an_object_store() {
    let Some(server) = Server::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let records = dir.path().join("records.jsonl");
    std::fs::write(&records, chains::records(12).join("\n")).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let mut command = std::process::Command::new(kua_tests::program(program));
        command.args(arguments).envs(server.environment()).env("NO_COLOR", "1");
        command.env("XDG_CACHE_HOME", dir.path().join("cache"));
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let printed = |archive: &str| {
        let mut printed = Vec::new();
        let mut collector = |command: &str, more: &[&str]| {
            let told = run("kua-collector", &[&[command, "--archive", archive], more].concat());
            assert_eq!(told.0, Some(0), "{command} {archive}: {told:?}");
            printed.push((command.to_owned(), told.1, told.2.replace(archive, "ARCHIVE")));
        };
        let formats = "ooni,hyperquack,ripe-atlas,pem";
        collector("import", &["--as", formats, &records.to_string_lossy()]);
        collector("judge", &["--format", "text"]);
        collector("compact", &[]);
        collector("judge", &["--format", "text"]);
        collector("judge", &["--format", "text"]);
        collector("import", &["--as", formats, &records.to_string_lossy()]);
        collector("check", &[]);
        collector("repair", &[]);
        collector("query", &["SELECT cc, count(*) FROM handshakes GROUP BY cc ORDER BY cc"]);
        let verdicts = "SELECT verdict, count(*) FROM judgements GROUP BY verdict ORDER BY verdict";
        collector("query", &[verdicts]);
        collector("export", &[]);
        let report = run("kua-auditor", &["report", "--archive", archive, "--format", "json"]);
        assert_eq!(report.0, Some(0), "{report:?}");
        printed.push(("report".into(), report.1, report.2));
        printed
    };
    let directory = printed(&dir.path().join("kz").to_string_lossy());
    let bucket = printed(&server.place("programs/kz"));
    for (here, there) in directory.iter().zip(&bucket) {
        assert_eq!(here, there);
    }
    let (_, checked, _) = &directory[6];
    assert!(checked.contains("damaged                      0"), "{checked}");
    assert!(directory[8].1.contains("KZ"), "{directory:?}");
}
