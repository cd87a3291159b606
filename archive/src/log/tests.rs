//! A log follows an archive, is stopped at every point, and refuses what does not fit.

use std::path::Path;

use kua::measurement::Measurement;
use kua::tlog::{Checkpoint, InclusionProof};
use tempfile::TempDir;

use super::*;
use crate::{Kept, Receipt, Writer};

/// An archive, its log's key, and how many records were made.
struct World {
    folder: TempDir,
    made: u64,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), made: 0 }
    }

    fn place(&self) -> Place {
        Place::from(self.folder.path().join("archive").as_path())
    }

    fn key(&self) -> LogKey {
        LogKey::open(&self.folder.path().join("keys/log.key"), "collector.example/log").unwrap()
    }

    fn writer(&self) -> Writer {
        Writer::open(&self.place()).unwrap()
    }

    /// Adds records, one batch; gives what the log has to say of them.
    fn add(&mut self, writer: &mut Writer, count: u64) -> (u64, Vec<Entry>) {
        let mut entries = Vec::new();
        for number in self.made..self.made + count {
            let raw = format!("{{\"test_name\":\"kua\",\"number\":{number}}}");
            // Every third record came by import, without a receipt.
            let uid = Some(format!("uid-{number}"));
            let receipt = (number % 3 > 0).then(|| Receipt { uid, ..Receipt::default() });
            let text = receipt.as_ref().map(Receipt::text);
            let hash = RecordHash::of(raw.as_bytes());
            entries.push(entry(hash, text.as_ref().map(String::as_bytes)));
            let kept = writer.keep(raw.as_bytes(), &Measurement::default(), receipt).unwrap();
            assert_eq!(kept, Kept::New);
        }
        self.made += count;
        (writer.commit().unwrap().first, entries)
    }

    fn head(&self) -> Checkpoint {
        let store = Store::open(&self.place()).unwrap();
        files::checkpoint(&store, self.key().signing().public()).unwrap().unwrap()
    }

    fn file(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }
}

#[test]
fn a_log_follows_its_archive() {
    let mut world = World::new();
    let mut writer = world.writer();
    let mut log = Log::open(writer.store(), world.key()).unwrap();
    let mut all = Vec::new();
    for count in [1, 2, 252, 1, 1, 254, 300, 0, 65] {
        let (first, entries) = world.add(&mut writer, count);
        log.append(&[(first, entries.clone())]).unwrap();
        all.extend(entries);
        assert_eq!(log.size(), world.made);
        assert_eq!(check(&world.place(), None).unwrap(), Some(world.made), "{count}");
    }
    // Whoever takes everything from the archive comes to the same.
    let head = world.head();
    let store = writer.store().clone();
    let mut anew = Growing::default();
    all.iter().for_each(|entry| drop(anew.push(entry.leaf_hash())));
    assert_eq!((anew.size(), anew.root()), (head.size, head.root));
    let snapshot = Archive::open(&world.place()).unwrap().snapshot().unwrap();
    for place in [0, 1, 3, 255, 256, 500, world.made - 1, world.made] {
        let tail: Vec<_> =
            tail::entries_from(&snapshot, place).unwrap().map(Result::unwrap).collect();
        assert_eq!(tail, all[place as usize..], "{place}");
    }
    // Proofs, as a file, checked with the public key alone.
    let key = world.key();
    for index in [0, 255, 256, 511, world.made - 1] {
        let proof = proof(&store, index, key.signing().public()).unwrap().unwrap().to_string();
        let proof = InclusionProof::parse(proof.as_bytes()).unwrap();
        let found = proof.verify(&all[index as usize], key.signing().public());
        assert_eq!(found.as_ref(), Ok(&head), "{index}");
    }
    assert!(proof(&store, world.made, key.signing().public()).unwrap().is_none());
    // A partial tile is served as long as somebody may hold its checkpoint, and of a full one only the
    // full file is kept.
    assert!(!world.file("archive/log/tile/0/000.p").join("1").exists());
    assert_eq!(read(&store, "tile/0/000.p/1").unwrap().unwrap().len(), 32);
    assert_eq!(read(&store, "tile/entries/000").unwrap().unwrap().len(), 256 * 66 - 32 * 86);
    for path in ["key", "tile/0/001/../000", "../archive.json", "tile/9/000", ""] {
        assert!(read(&store, path).unwrap().is_none(), "{path}");
    }
}

/// Stopped between any two of: tiles, the key's note, the checkpoint.
#[test]
fn a_log_that_was_stopped_goes_on() {
    for (case, lost) in [
        ("nothing is lost", &[][..]),
        ("before the checkpoint", &["archive/log/checkpoint"][..]),
        ("before the note", &["archive/log/checkpoint", "keys/log.key.signed"][..]),
        (
            "before all of it",
            &["archive/log/checkpoint", "keys/log.key.signed", "archive/log/tile"][..],
        ),
        ("the note is lost", &["keys/log.key.signed"][..]),
    ] {
        let mut world = World::new();
        let mut writer = world.writer();
        let mut log = Log::open(writer.store(), world.key()).unwrap();
        let (first, entries) = world.add(&mut writer, 300);
        log.append(&[(first, entries)]).unwrap();
        let before = std::fs::read(world.file("archive/log/checkpoint")).unwrap();
        let note = std::fs::read(world.file("keys/log.key.signed")).unwrap();
        let (first, entries) = world.add(&mut writer, 300);
        log.append(&[(first, entries)]).unwrap();
        let head = world.head();
        drop((log, writer));
        for path in lost {
            let path = world.file(path);
            match path.is_dir() {
                // What was written of the second commit is unknown; of the first it lasted.
                true => std::fs::remove_file(path.join("0/002.p/88")).unwrap(),
                false if path.ends_with("checkpoint") => std::fs::write(path, &before).unwrap(),
                false if lost.len() > 1 => std::fs::write(path, &note).unwrap(),
                false => std::fs::remove_file(path).unwrap(),
            }
        }
        let mut writer = world.writer();
        let kept = writer.commit().unwrap().first;
        let mut log = Log::open(writer.store(), world.key()).unwrap();
        log.catch_up(kept).unwrap();
        assert_eq!(world.head(), head, "{case}");
        assert_eq!(check(&world.place(), None).unwrap(), Some(600), "{case}");
        let (first, entries) = world.add(&mut writer, 10);
        log.append(&[(first, entries)]).unwrap();
        assert_eq!(check(&world.place(), None).unwrap(), Some(610), "{case}");
    }
}

/// What must never be: two trees of one size, signed.
#[test]
fn what_does_not_fit_is_not_signed() {
    type Change = fn(&World);
    let cases: [(&str, Change); 6] = [
        ("an older archive without its last batches", |world| {
            std::fs::remove_file(world.file("archive/raw/000000000002-000000000002.zst")).unwrap();
            remove(&world.file("archive/index"));
        }),
        ("an older archive that went on otherwise", |world| {
            std::fs::remove_file(world.file("archive/raw/000000000002-000000000002.zst")).unwrap();
            remove(&world.file("archive/index"));
            let older = World { folder: tempfile::tempdir().unwrap(), made: 5_000 };
            let mut other = Writer::open(&older.place()).unwrap();
            let mut older = older;
            older.add(&mut other, 1);
            older.add(&mut other, 20);
            let batch = "archive/raw/000000000002-000000000002.zst";
            std::fs::copy(older.file(batch), world.file(batch)).unwrap();
        }),
        ("another key of the same name", |world| {
            std::fs::remove_file(world.file("keys/log.key")).unwrap();
            std::fs::remove_file(world.file("keys/log.key.signed")).unwrap();
        }),
        ("a changed tile", |world| flip(&world.file("archive/log/tile/0/000.p/30"))),
        ("a changed bundle", |world| flip(&world.file("archive/log/tile/entries/000.p/30"))),
        ("a changed checkpoint", |world| flip(&world.file("archive/log/checkpoint"))),
    ];
    for (case, change) in cases {
        let mut world = World::new();
        let mut writer = world.writer();
        let mut log = Log::open(writer.store(), world.key()).unwrap();
        for count in [10, 20] {
            let (first, entries) = world.add(&mut writer, count);
            log.append(&[(first, entries)]).unwrap();
        }
        drop((log, writer));
        let before = std::fs::read(world.file("archive/log/checkpoint")).unwrap();
        change(&world);
        let changed = std::fs::read(world.file("archive/log/checkpoint")).unwrap();
        let mut writer = world.writer();
        let kept = writer.commit().unwrap().first;
        let opened = Log::open(writer.store(), world.key());
        let outcome = opened.and_then(|mut log| log.catch_up(kept));
        assert!(outcome.is_err(), "{case}");
        let after = std::fs::read(world.file("archive/log/checkpoint")).unwrap();
        assert_eq!(after, changed, "{case}: nothing is signed");
        if case != "another key of the same name" {
            assert!(check(&world.place(), Some(world.key().signing().public())).is_err(), "{case}");
        }
        drop(before);
    }
}

/// The checkpoint in the archive is older than what was signed, and the archive has lost what was.
#[test]
fn a_checkpoint_that_went_back_is_noticed() {
    let mut world = World::new();
    let mut writer = world.writer();
    let mut log = Log::open(writer.store(), world.key()).unwrap();
    let (first, entries) = world.add(&mut writer, 10);
    log.append(&[(first, entries)]).unwrap();
    let before = std::fs::read(world.file("archive/log/checkpoint")).unwrap();
    let (first, entries) = world.add(&mut writer, 20);
    log.append(&[(first, entries)]).unwrap();
    drop((log, writer));
    std::fs::write(world.file("archive/log/checkpoint"), before).unwrap();
    std::fs::remove_file(world.file("archive/raw/000000000002-000000000002.zst")).unwrap();
    remove(&world.file("archive/index"));
    let mut writer = world.writer();
    let kept = writer.commit().unwrap().first;
    assert_eq!(kept, 10);
    let mut log = Log::open(writer.store(), world.key()).unwrap();
    assert!(matches!(log.catch_up(kept), Err(LogError::Lost { signed: 30, kept: 10 })));
    // As many other records do not help.
    world.made = 7_000;
    world.add(&mut writer, 20);
    let mut log = Log::open(writer.store(), world.key()).unwrap();
    assert!(matches!(log.catch_up(30), Err(LogError::Disagrees { size: 30, .. })));
}

#[cfg(unix)]
#[test]
fn the_key_is_its_owners_alone() {
    use std::os::unix::fs::MetadataExt;
    let world = World::new();
    let first = world.key().signing().public().to_string();
    assert_eq!(world.key().signing().public().to_string(), first, "it is made once");
    let mode = std::fs::metadata(world.file("keys/log.key")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::write(world.file("keys/log.key"), "no key").unwrap();
    assert!(LogKey::open(&world.file("keys/log.key"), "a").is_err());
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn remove(path: &Path) {
    match path.is_dir() {
        true => std::fs::remove_dir_all(path).unwrap(),
        false => std::fs::remove_file(path).unwrap(),
    }
}
