use std::fs;
use std::path::Path;

use crate::settle::tests::{copy, eager, faults, keep, place, records, served};
use crate::{Store, Writer};

use super::*;

/// An archive with merged, settled and live segments.
fn made(dir: &Path) -> Vec<String> {
    let records = records(40);
    let mut writer = Writer::open(&place(dir)).unwrap();
    for part in records[..36].chunks(9) {
        keep(&mut writer, part);
        keep(&mut writer, &[]);
        let options = crate::settle::Options { fan: 3, ..eager() };
        writer.settle(&options, |_| ()).unwrap();
    }
    keep(&mut writer, &records[36..38]);
    keep(&mut writer, &records[38..]);
    records
}

fn all_files(dir: &Path) -> Vec<String> {
    let store = Store::open(&place(dir)).unwrap();
    let folders = ["certificates/", "handshakes/", "manifest/", "raw/"];
    let listed = folders.iter().flat_map(|folder| store.list(folder).unwrap());
    listed.map(|entry| entry.path).collect()
}

fn repaired(dir: &Path) -> (Repaired, Vec<Told>) {
    let mut told = Vec::new();
    let repaired = repair(&place(dir), |one| told.push(one.clone())).unwrap();
    (repaired, told)
}

#[test]
fn a_sound_archive_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let records = made(dir.path());
    let before = all_files(dir.path());
    assert_eq!(repaired(dir.path()), (Repaired::default(), vec![]));
    assert_eq!(all_files(dir.path()), before);
    assert!(served(dir.path()) == records);
    assert!(before.len() > 15, "{before:?}");
}

#[test]
fn a_lost_file_is_named_and_made_again_where_it_can_be() {
    let base = tempfile::tempdir().unwrap();
    let records = made(base.path());
    let mut all = all_files(base.path());
    // That the last live segment was there, nothing else in the archive says: its log does.
    all.retain(|path| path != "raw/000000000010-000000000010.zst");
    for path in all {
        let dir = tempfile::tempdir().unwrap();
        copy(base.path(), dir.path());
        fs::remove_file(dir.path().join(&path)).unwrap();
        let (_, named) = faults(dir.path());
        // Without its manifest, an archive is one that has settled nothing: its live batches are
        // missing.
        let manifest = path.starts_with("manifest/");
        let is_named = named.iter().any(|fault| fault.starts_with(&path));
        assert!(is_named || (manifest && !named.is_empty()), "{path}: {named:?}");
        let (repaired, told) = repaired(dir.path());
        let (_, named) = faults(dir.path());
        if path.ends_with(".zst") {
            assert!(repaired.lost > 0, "{path}");
            assert!(told.iter().any(|one| one.lost && one.path == path), "{path}: {told:?}");
        } else if path.starts_with("certificates/") {
            assert!(told.iter().all(|one| !one.lost || one.what.contains("certificate ")));
            let lost = told.iter().filter(|one| one.lost).count();
            assert_eq!(lost == 0, named.is_empty(), "{path}: {named:?}");
        } else {
            assert_eq!((repaired.lost, named), (0, vec![]), "{path}: {told:?}");
            assert!(served(dir.path()) == records, "{path}");
        }
    }
}

#[test]
fn a_flipped_bit_is_named_and_mended_where_it_can_be() {
    let base = tempfile::tempdir().unwrap();
    let records = made(base.path());
    for path in all_files(base.path()) {
        let whole = fs::read(base.path().join(&path)).unwrap();
        for share in [0, 1, 2, 3] {
            let at = (whole.len() - 1) * share / 3;
            let dir = tempfile::tempdir().unwrap();
            copy(base.path(), dir.path());
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            fs::write(dir.path().join(&path), flipped).unwrap();
            let case = format!("byte {at} of {path}");
            let (_, named) = faults(dir.path());
            assert!(named.iter().any(|fault| fault.starts_with(&path)), "{case}: {named:?}");
            let (repaired, told) = repaired(dir.path());
            let (_, named) = faults(dir.path());
            // Records and certificates are there once: what is lost is said.
            assert_eq!(repaired.lost == 0, named.is_empty(), "{case}: {named:?} {told:?}");
            if named.is_empty() {
                assert!(served(dir.path()) == records, "{case}");
            } else {
                let once = path.ends_with(".zst") || path.starts_with("certificates/");
                assert!(once, "{case}: {named:?}");
            }
            let mut writer = Writer::open(&place(dir.path())).unwrap();
            keep(&mut writer, &crate::settle::tests::records(41)[40..]);
        }
    }
}
