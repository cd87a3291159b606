//! The collector killed at random points, on a full disk, and over damaged files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use kua_archive::{Archive, Place};
use kua_tests::torture::submit::status;
use kua_tests::torture::{Ledger, Plan, Records, audit, hashes, run};
use kua_tests::{files_below, free_port, program, skipped, told};

/// By hand it is a thousand: `make torture`.
const KILLS: u32 = 200;

#[test]
fn what_was_acknowledged_is_there_once_after_every_kill() {
    let folder = tempfile::tempdir().unwrap();
    let account = run(Plan { kills: KILLS, seed: 1 }, folder.path()).unwrap();
    told(&account.to_string());
    assert!(account.acknowledged > 1_000, "{account}");
    assert!(account.kills.iter().all(|(_, kills)| *kills >= 5), "{account}");
}

fn collector(verb: &str, archive: &Path, files: &[&Path]) -> Output {
    let mut command = Command::new(program("kua-collector"));
    command.arg(verb).arg("--archive").arg(archive).args(files).output().unwrap()
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&both).into_owned()
}

fn write(folder: &Path, records: &[String]) -> PathBuf {
    let file = folder.join("records.jsonl");
    std::fs::write(&file, records.join("\n")).unwrap();
    file
}

/// A small disk of its own, taken away at the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Option<Self> {
        std::fs::create_dir(folder).unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=8m", "kua-test"]).arg(folder);
        let mounted = command.output().is_ok_and(|output| output.status.success());
        mounted.then(|| Self(folder.into()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_loses_nothing_and_is_recovered_from() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("small")) else {
        return skipped("no right to mount a small disk");
    };
    let archive = disk.0.join("archive");
    let filler = disk.0.join("filler");
    let (mut records, mut ledger) = (Records::new(), Ledger::default());
    let port = free_port();
    let mut serve = Command::new(program("kua-collector"));
    serve.env("XDG_DATA_HOME", folder.path());
    serve.arg("serve").arg("--archive").arg(&archive);
    let mut serve = serve.arg("--listen").arg(format!("127.0.0.1:{port}")).spawn().unwrap();
    assert!(kua_tests::wait_for(port));
    let mut send = |ledger: &mut Ledger| {
        let record = records.next(1);
        ledger.sent(&record);
        let status = status(port, &record[0]);
        if status == Some(200) {
            ledger.acknowledge(&record);
        }
        status
    };
    for _ in 0..50 {
        assert_eq!(send(&mut ledger), Some(200));
    }
    fill(&filler);
    let full = (0..50).filter_map(|_| send(&mut ledger)).collect::<BTreeSet<_>>();
    assert!(full.contains(&507), "a full disk answers 507, not {full:?}");
    std::fs::remove_file(&filler).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while send(&mut ledger) != Some(200) {
        assert!(Instant::now() < until, "it takes records again once there is room");
        std::thread::sleep(Duration::from_millis(100));
    }
    Command::new("kill").arg("-TERM").arg(serve.id().to_string()).status().unwrap();
    assert!(serve.wait().unwrap().success());
    audit(&program("kua-collector"), &archive, &ledger).unwrap();

    // Import is told, and goes on where it was once there is room.
    fill(&filler);
    let more = records.next(3_000);
    ledger.sent(&more);
    let file = write(folder.path(), &more);
    let refused = collector("import", &archive, &[&file]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    std::fs::remove_file(&filler).unwrap();
    let taken = collector("import", &archive, &[&file]);
    assert!(taken.status.success(), "{}", said(&taken));
    ledger.acknowledge(&more);
    audit(&program("kua-collector"), &archive, &ledger).unwrap();
}

/// Takes all the room there is.
fn fill(file: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(file).unwrap();
    for size in [1 << 20, 4096, 1] {
        let block = vec![b'x'; size];
        while file.write_all(&block).is_ok() {}
    }
}

/// Kinds of files, by what their paths begin and end with, and whether `repair` makes them again.
const KINDS: &[(&str, &str, bool)] = &[
    ("raw/", ".zst", false),
    ("raw/", ".json", true),
    ("certificates/", ".parquet", false),
    ("handshakes/", ".parquet", true),
    ("manifest/", ".json", true),
];

#[test]
fn flipped_bits_are_named_isolated_and_mended_where_that_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let (mut records, mut ledger) = (Records::new(), Ledger::default());
    let archive = folder.path().join("archive");
    for (count, compacted) in [(300, true), (40, false)] {
        let lines = records.next(count);
        let file = write(folder.path(), &lines);
        assert!(collector("import", &archive, &[&file]).status.success());
        ledger.sent(&lines);
        ledger.acknowledge(&lines);
        if compacted {
            let output = collector("compact", &archive, &[]);
            assert!(output.status.success(), "{}", said(&output));
        }
    }
    let whole = audit(&program("kua-collector"), &archive, &ledger).unwrap();
    assert_eq!(whole, 340);
    let counting = counting(&archive);
    let mut chance = fastrand::Rng::with_seed(7);
    for (beginning, ending, mended) in KINDS {
        let paths = files_below(&archive, &[ending]);
        let relative =
            |path: &Path| path.strip_prefix(&archive).unwrap().to_str().unwrap().to_owned();
        let paths: Vec<_> = paths
            .iter()
            .map(|path| relative(path))
            .filter(|path| path.starts_with(beginning))
            .filter(|path| counting.iter().any(|name| path.contains(name)))
            .collect();
        assert!(!paths.is_empty(), "{beginning}*{ending}");
        for _ in 0..4 {
            let path = &paths[chance.usize(..paths.len())];
            let copy = folder.path().join("copy");
            copy_all(&archive, &copy);
            let bit = flip(&copy.join(path), &mut chance);
            let case = format!("{path}, bit {bit}");
            let check = collector("check", &copy, &[]);
            assert_eq!(check.status.code(), Some(1), "{case}: {}", said(&check));
            assert!(said(&check).contains(path.as_str()), "{case}: {}", said(&check));
            let served = hashes_served(&copy);
            assert!(served <= whole, "{case}");
            if *beginning != "raw/" && *beginning != "certificates/" && *beginning != "manifest/" {
                assert_eq!(served, whole, "{case}: tables are not needed to read records");
            }
            if *mended {
                let repair = collector("repair", &copy, &[]);
                assert!(repair.status.success(), "{case}: {}", said(&repair));
                audit(&program("kua-collector"), &copy, &ledger)
                    .unwrap_or_else(|error| panic!("{case}: after repair: {error}"));
            }
            std::fs::remove_dir_all(&copy).unwrap();
        }
    }
}

/// What the names of files contain that count: others wait to be removed.
fn counting(archive: &Path) -> Vec<String> {
    let snapshot = Archive::open(&Place::from(archive)).unwrap().snapshot().unwrap();
    let segments = snapshot.segments().iter().map(|segment| segment.name.to_string());
    segments.chain([format!("{:012}.json", snapshot.manifest().version)]).collect()
}

fn hashes_served(archive: &Path) -> u64 {
    hashes(archive, |_| {}).map_or(0, |found| found.len() as u64)
}

fn flip(file: &Path, chance: &mut fastrand::Rng) -> usize {
    let mut bytes = std::fs::read(file).unwrap();
    let bit = chance.usize(..bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    std::fs::write(file, bytes).unwrap();
    bit
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
