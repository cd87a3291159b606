use std::fs;
use std::path::Path;
use std::time::Duration;

use kua::chain::Chain;
use kua::measurement::{Handshake, Measurement, Span, Target, Vantage};
use kua::wire::{from_line, to_line};
use kua_mint::Authority;
use proptest::prelude::*;
use time::OffsetDateTime;

use super::*;
use crate::check::{Checked, check};
use crate::{Archive, Place, Receipt, Writer};

/// Small enough that every kind of work is done for a few records.
pub(crate) fn eager() -> Options {
    Options { unit_text: 4_000, fan: 2, smallest: 400, grace: Duration::ZERO, ..Options::default() }
}

/// Records about a few sites, seen by several vantage points on several days: with whole chains,
/// lone certificates, without any, and one of several lines.
pub(crate) fn records(count: usize) -> Vec<String> {
    let root = Authority::root("Root");
    let middle = root.intermediate("Intermediate");
    let sites: Vec<_> = (0..3)
        .map(|site| {
            let leaf = middle.leaf(&format!("site-{site}.example")).certificate;
            vec![leaf, middle.certificate.clone(), root.certificate.clone()]
        })
        .collect();
    let record = |number: usize| {
        let site = number % sites.len();
        let chain = match number % 7 {
            5 => None,
            6 => Some(&sites[site][1..2]),
            _ => Some(&sites[site][..]),
        };
        let shaken = Handshake {
            network: "tcp".into(),
            endpoint: Some("192.0.2.1:443".parse().unwrap()),
            server_name: Some(format!("site-{site}.example")),
            chain: chain.map(|chain| Chain::from_der(chain).unwrap()),
            whole: number % 7 != 6,
            version: "TLSv1.3".into(),
            span: Span { t0: 0.25, t: 0.5 },
            ..Handshake::default()
        };
        let day = (number / 2 % 3) as i64;
        let measurement = Measurement {
            uid: (!number.is_multiple_of(5)).then(|| format!("uid-{number}")),
            run: Some(format!("run-{number}")),
            started: OffsetDateTime::from_unix_timestamp(1_697_414_400 + day * 86_400).ok(),
            vantage: Vantage {
                country: ["KZ", "DE"][number % 2].into(),
                asn: 9198,
                network: "Example".into(),
            },
            target: Some(Target { host: format!("site-{site}.example"), port: 443 }),
            handshakes: if number % 11 == 10 { vec![] } else { vec![shaken] },
            ..Measurement::default()
        };
        let line = to_line(&measurement);
        if number % 4 == 3 { line.replacen(',', ",\n", 1) } else { line }
    };
    (0..count).map(record).collect()
}

pub(crate) fn place(dir: &Path) -> Place {
    Place::Directory(dir.to_path_buf())
}

pub(crate) fn keep(writer: &mut Writer, records: &[String]) {
    for (number, raw) in records.iter().enumerate() {
        let uid = Some(format!("given-{number}"));
        let receipt = (number % 2 == 0).then(|| Receipt { uid, ..Receipt::default() });
        let measurement = from_line(raw.as_bytes()).unwrap();
        writer.keep(raw.as_bytes(), &measurement, receipt).unwrap();
    }
    writer.commit().unwrap();
}

/// What a reader is given.
pub(crate) fn served(dir: &Path) -> Vec<String> {
    let mut served = Vec::new();
    let archive = Archive::open(&place(dir)).unwrap();
    let scanned = archive.scan_raw::<ArchiveError>(|number, record| {
        served.push(String::from_utf8(record.raw.clone()).unwrap());
        assert_eq!(number, served.len() as u64);
        Ok(())
    });
    assert_eq!(scanned.unwrap().damaged, 0);
    served
}

pub(crate) fn faults(dir: &Path) -> (Checked, Vec<String>) {
    let mut faults = Vec::new();
    let checked = check(&place(dir), |fault| faults.push(fault.to_string()), |_| ()).unwrap();
    (checked, faults)
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let other = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &other),
            false => _ = fs::copy(entry.path(), other).unwrap(),
        }
    }
}

fn files(dir: &Path, folder: &str) -> Vec<String> {
    let store = Store::open(&place(dir)).unwrap();
    store.list(folder).unwrap().into_iter().map(|entry| entry.path).collect()
}

#[test]
fn what_is_settled_reads_as_it_was_received() {
    let dir = tempfile::tempdir().unwrap();
    let records = records(40);
    let mut writer = Writer::open(&place(dir.path())).unwrap();
    keep(&mut writer, &records[..25]);
    let first = writer.settle(&eager(), |_| ()).unwrap();
    assert_eq!((first.batches, first.records, first.stopped_at.clone()), (2, 25, None));
    assert!(served(dir.path()) == records[..25]);
    keep(&mut writer, &records[25..]);
    writer.settle(&eager(), |_| ()).unwrap();
    assert!(served(dir.path()) == records);
    let (checked, named) = faults(dir.path());
    assert_eq!(named, Vec::<String>::new());
    // Five certificates, each once; three records of forty have no handshake.
    assert_eq!((checked.records, checked.certificates, checked.handshakes), (40, 5, 37));
    for raw in files(dir.path(), "raw/").iter().filter(|path| path.ends_with(".zst")) {
        let text = zstd::decode_all(fs::File::open(dir.path().join(raw)).unwrap()).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("MII"), "no certificate is left in {raw}");
    }
    assert_eq!(writer.settle(&eager(), |_| ()).unwrap().batches, 0);
}

#[test]
fn a_batch_that_would_be_alone_is_settled_with_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(&place(dir.path())).unwrap();
    let records = records(2);
    keep(&mut writer, &records[..1]);
    assert_eq!(writer.settle(&Options::default(), |_| ()).unwrap().batches, 2);
    drop(writer);
    let mut writer = Writer::open(&place(dir.path())).unwrap();
    keep(&mut writer, &records);
    assert!(served(dir.path()) == records);
}

#[test]
fn files_stay_for_who_reads_by_an_older_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let records = records(12);
    let mut writer = Writer::open(&place(dir.path())).unwrap();
    keep(&mut writer, &records[..6]);
    keep(&mut writer, &records[6..]);
    let patient = Options { grace: Duration::from_secs(3600), ..eager() };
    writer.settle(&patient, |_| ()).unwrap();
    assert!(dir.path().join("raw/000000000001-000000000001.zst").exists());
    assert!(served(dir.path()) == records);
    assert!(writer.settle(&eager(), |_| ()).unwrap().removed >= 2);
    assert!(!dir.path().join("raw/000000000001-000000000001.zst").exists());
    assert_eq!(files(dir.path(), "manifest/").len(), 1);
    assert!(served(dir.path()) == records);
}

/// Who has a segment open reads it to its end, also where its certificates have moved.
#[test]
fn certificates_are_found_where_they_were_merged_to() {
    let dir = tempfile::tempdir().unwrap();
    let records = records(24);
    let mut writer = Writer::open(&place(dir.path())).unwrap();
    let small = Options { fan: 100, smallest: 0, ..eager() };
    for part in records.chunks(6) {
        keep(&mut writer, part);
        writer.settle(&small, |_| ()).unwrap();
    }
    let snapshot = Archive::open(&place(dir.path())).unwrap().snapshot().unwrap();
    let mut open: Vec<_> = snapshot
        .segments()
        .iter()
        .filter(|segment| segment.records != Some(0))
        .map(|segment| snapshot.records(segment).unwrap())
        .collect();
    assert!(open.len() > 1);
    writer.settle(&eager(), |_| ()).unwrap();
    writer.settle(&eager(), |_| ()).unwrap();
    let before = files(dir.path(), "certificates/");
    assert!(!before.iter().any(|file| file.contains("000000000001-000000000002")), "{before:?}");
    let read: Vec<_> = open
        .iter_mut()
        .flatten()
        .map(|record| String::from_utf8(record.unwrap().raw).unwrap())
        .collect();
    assert!(read == records);
}

#[test]
fn a_crash_at_any_file_leaves_the_old_or_the_new_state() {
    let base = tempfile::tempdir().unwrap();
    let records = records(30);
    let mut writer = Writer::open(&place(base.path())).unwrap();
    keep(&mut writer, &records[..8]);
    writer.settle(&eager(), |_| ()).unwrap();
    for part in records[8..].chunks(6) {
        keep(&mut writer, part);
    }
    drop(writer);
    let mut crashes = 0;
    loop {
        let dir = tempfile::tempdir().unwrap();
        copy(base.path(), dir.path());
        let store = Store::open(&place(dir.path())).unwrap();
        let mut left = crashes;
        let mut put = |path: &str, bytes: Bytes| match left {
            0 => Err(ArchiveError::Missing { path: "power".into() }),
            _ => {
                left -= 1;
                store.put_new(path, bytes)
            }
        };
        let mut settling = Settling { store: &store, put: &mut put, first_seen: &mut |_| Ok(None) };
        let settled = settling.all(&eager(), &mut Done::default(), &mut |_| ());
        assert!(served(dir.path()) == records, "after {crashes} files");
        assert_eq!(faults(dir.path()).1, Vec::<String>::new(), "after {crashes} files");
        let mut writer = Writer::open(&place(dir.path())).unwrap();
        writer.settle(&eager(), |_| ()).unwrap();
        keep(&mut writer, &records);
        assert!(served(dir.path()) == records, "after {crashes} files");
        assert_eq!(faults(dir.path()).1, Vec::<String>::new(), "after {crashes} files");
        if settled.is_ok() && left > 0 {
            break;
        }
        crashes += 1;
    }
    assert!(crashes > 30, "{crashes}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_reads_the_same(steps in proptest::collection::vec(0usize..12, 1..14)) {
        let dir = tempfile::tempdir().unwrap();
        let records = records(80);
        let mut writer = Writer::open(&place(dir.path())).unwrap();
        let mut kept = 0;
        for step in steps {
            match step {
                0 => {
                    drop(writer);
                    writer = Writer::open(&place(dir.path())).unwrap();
                }
                1 | 2 => _ = writer.settle(&eager(), |_| ()).unwrap(),
                3 => _ = writer.settler().unwrap().run(&eager(), |_| ()).unwrap(),
                more => {
                    let until = (kept + more).min(records.len());
                    keep(&mut writer, &records[kept..until]);
                    kept = until;
                }
            }
        }
        prop_assert!(served(dir.path()) == records[..kept]);
        let (checked, named) = faults(dir.path());
        prop_assert_eq!(named, Vec::<String>::new());
        prop_assert_eq!(checked.records, kept as u64);
    }
}
