//! Records of OONI's own repositories: all that is a measurement is kept, and comes back.

#![allow(clippy::print_stderr, reason = "cargo test shows what a test writes there")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::Write;
use std::path::{Path, PathBuf};

use kua_archive::{Archive, ArchiveError, Totals, Writer};
use kua_collector::import::{IMPORTS, Incoming, read_files};
use kua_collector::trouble::of_archive;
use kua_console::Trouble;

/// Not part of the repository; see its SOURCES.md.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/ooni");

/// Looked at one by one: OONI's lists of blockpage fingerprints, which are no measurements.
const REJECTED: [&str; 2] = ["fingerprints_dns.json", "fingerprints_http.json"];

#[test]
fn every_measurement_is_kept_byte_for_byte() {
    let mut files = Vec::new();
    for dir in ["backend-fastpath", "probe-cli", "spec-examples"] {
        collect(&Path::new(CORPUS).join(dir), &mut files);
    }
    if files.is_empty() {
        // Cargo hides what a passing test prints, but not what it writes there.
        let _ = writeln!(std::io::stderr(), "skipped: no corpus");
        return;
    }
    files.sort();
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(&dir.path().into()).unwrap();
    let (mut raw, mut rejected) = (Vec::new(), Vec::new());
    let keep = |incoming: Incoming<'_>| -> Result<(), Trouble> {
        match &incoming.read {
            Ok(measurement) => {
                writer.keep(incoming.raw, measurement, None).map_err(of_archive)?;
                raw.push(incoming.raw.to_vec());
            }
            Err(_) => rejected.push(incoming.file.file_name().unwrap().to_owned()),
        }
        Ok(())
    };
    assert!(read_files(&files, IMPORTS[0], keep).unwrap().is_empty());
    writer.commit().unwrap();
    // They are arrays: every item is refused.
    rejected.dedup();
    assert_eq!(rejected, REJECTED);
    // report2.json and report2blocked.json are the same file.
    assert_eq!((files.len(), raw.len()), (86, 84));
    assert_eq!(writer.totals(), Totals { records: 83, certificates: 72 });

    raw.sort();
    raw.dedup();
    let (mut served, mut handshakes, mut certificates) = (Vec::new(), 0, 0);
    let archive = Archive::open(&dir.path().into()).unwrap();
    archive
        .scan_raw(|_, record| {
            served.push(record.raw.clone());
            Ok::<_, ArchiveError>(())
        })
        .unwrap();
    served.sort();
    assert!(served == raw, "what was received is what is served");
    let scanned = archive
        .scan(|_, measurement| {
            let chains = measurement.handshakes.iter().filter_map(|shaken| shaken.chain.as_ref());
            certificates += chains.map(|chain| chain.certificates().len()).sum::<usize>();
            handshakes += measurement.handshakes.len();
            Ok::<_, ArchiveError>(())
        })
        .unwrap();
    assert_eq!((scanned.served, scanned.damaged), (83, 0));
    assert_eq!((handshakes, certificates), (126, 173));
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}
