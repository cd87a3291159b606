//! What was acknowledged lasts; what cannot be kept is not acknowledged.

use std::io::Write;
use std::process::Command;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::intake::testing::*;
use crate::intake::{Limits, Options};
use kua_archive::{Archive, ArchiveError, Place, Writer};

fn options(limits: Limits) -> Options {
    Options { limits, ..Options::default() }
}

fn kept(archive: &std::path::Path) -> Vec<String> {
    let mut uids = Vec::new();
    let archive = Archive::open(&Place::from(archive)).unwrap();
    let scanned = archive.scan(|_, measurement| {
        uids.extend(measurement.annotations.into_values());
        Ok::<_, ArchiveError>(())
    });
    scanned.unwrap();
    uids.sort();
    uids
}

#[test]
fn what_was_acknowledged_is_in_the_archive() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    let server =
        Server::start(Options::default(), Writer::open(&Place::from(archive.as_path())).unwrap());
    std::thread::scope(|scope| {
        for number in 10..30 {
            let server = &server;
            scope.spawn(move || assert_eq!(server.submit(&record(number)).status, 200));
        }
    });
    // Readers see it while the writer is at work.
    let expected: Vec<_> = (10..30).map(|number| number.to_string()).collect();
    assert_eq!(kept(&archive), expected);
    server.end().unwrap();
    assert_eq!(kept(&archive), expected);
}

#[test]
fn what_lasts_is_settled_when_there_is_time() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::from(dir.path().join("archive").as_path());
    let mut writer = Writer::open(&place).unwrap();
    let settler = writer.settler().unwrap();
    let settle = Box::new(move || drop(settler.run(&Default::default(), |_| {}).unwrap()));
    let limits = Limits { idle: Duration::from_millis(50), ..Limits::default() };
    let server = Server::with(options(limits), writer, None, Some(settle));
    for number in 0..3 {
        assert_eq!(server.submit(&record(number)).status, 200);
    }
    let settled = || {
        let snapshot = Archive::open(&place).unwrap().snapshot().unwrap();
        snapshot.segments().iter().any(|segment| segment.settled)
    };
    wait_for("it is settled", settled);
    assert_eq!(server.submit(&record(3)).status, 200, "records are taken all the same");
    server.end().unwrap();
    assert_eq!(kept(&dir.path().join("archive")), ["0", "1", "2", "3"]);
}

#[test]
fn a_full_disk_is_said_and_got_over() {
    let shaky = Shaky::new(FULL);
    let (how, kept) = (shaky.how.clone(), shaky.kept.clone());
    let server = Server::start(Options::default(), shaky);
    let record = record(1);
    let answer = server.submit(&record);
    assert_eq!(answer.status, 507);
    assert!(answer.head.contains("retry-after: 120"), "{}", answer.head);
    assert_eq!(server.get("/ready").status, 503);
    assert_eq!(server.get("/health").status, 200);
    how.store(BROKEN, Relaxed);
    assert_eq!(server.submit(&record).status, 503);
    how.store(WELL, Relaxed);
    assert_eq!(server.submit(&record).status, 200);
    assert_eq!(server.get("/ready").status, 200);
    assert_eq!(kept.lock().unwrap().len(), 1);
}

/// A file system of 16 MB, filled, refused, and given room again.
#[test]
fn a_disk_that_is_really_full() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = |arguments: &[&str]| {
        Command::new("mount")
            .args(arguments)
            .arg(&disk)
            .output()
            .is_ok_and(|done| done.status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=16m", "tmpfs"]) {
        let _ = writeln!(std::io::stderr(), "skipped: may not mount");
        return;
    }
    let unmount = Unmount(disk.clone());
    let ballast = disk.join("ballast");
    let archive = disk.join("archive");
    let server =
        Server::start(Options::default(), Writer::open(&Place::from(archive.as_path())).unwrap());
    let mut acknowledged = Vec::new();
    assert_eq!(server.submit(&record(1)).status, 200);
    acknowledged.push("1".to_owned());
    let mut file = std::fs::File::create(&ballast).unwrap();
    while file.write_all(&[7; 4096]).is_ok() {}
    let refused = (2..40).find(|number| {
        let status = server.submit(&record(*number)).status;
        if status == 200 {
            acknowledged.push(number.to_string());
        } else {
            assert_eq!(status, 507);
        }
        status != 200
    });
    let refused = refused.expect("a full disk refuses");
    let again = record(refused);
    drop(file);
    std::fs::remove_file(&ballast).unwrap();
    assert_eq!(server.submit(&again).status, 200);
    acknowledged.push(refused.to_string());
    server.end().unwrap();
    acknowledged.sort();
    assert_eq!(kept(&archive), acknowledged);
    drop(unmount);
}

struct Unmount(std::path::PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn too_much_is_told_to_come_again() {
    let shaky = Shaky::new(STUCK);
    let (how, kept, committing) = (shaky.how.clone(), shaky.kept.clone(), shaky.begun.clone());
    let limits = Limits { waiting: 2, batch_records: 1, ..Limits::default() };
    let server = Server::start(options(limits), shaky);
    std::thread::scope(|scope| {
        let server = &server;
        let submit = |number| scope.spawn(move || server.submit(&record(number)).status);
        let metric = |line: &str| server.get("/metrics").body.lines().any(|told| told == line);
        let first = submit(0);
        wait_for("one is being committed", || committing.load(Relaxed));
        let waiting = [first, submit(1), submit(2)];
        wait_for("two wait", || metric("kua_waiting_records 2"));
        let answer = server.submit(&record(9));
        assert_eq!(answer.status, 429);
        assert!(answer.head.contains("retry-after: 5"), "{}", answer.head);
        how.store(WELL, Relaxed);
        for one in waiting {
            assert_eq!(one.join().unwrap(), 200);
        }
        assert_eq!(server.submit(&record(9)).status, 200);
    });
    assert_eq!(kept.lock().unwrap().len(), 4);
}

#[test]
fn requests_finish_before_the_end() {
    let shaky = Shaky::new(STUCK);
    let (how, kept) = (shaky.how.clone(), shaky.kept.clone());
    let mut server = Server::start(Options::default(), shaky);
    let mut idle = server.connect();
    std::thread::scope(|scope| {
        let mut stream = server.connect();
        let body = alone(&record(1));
        write!(
            stream,
            "POST {SUBMIT} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .unwrap();
        stream.write_all(&body[..100]).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        server.ask_to_end();
        // Who is idle is sent away; who has begun may finish.
        assert_eq!(Answer::read(&mut idle).status, 0);
        stream.write_all(&body[100..]).unwrap();
        let answered = scope.spawn(move || Answer::read(&mut stream).status);
        std::thread::sleep(Duration::from_millis(100));
        how.store(WELL, Relaxed);
        assert_eq!(answered.join().unwrap(), 200);
    });
    assert!(std::net::TcpStream::connect(server.address).is_err(), "nobody new is met");
    server.end().unwrap();
    assert_eq!(kept.lock().unwrap().len(), 1);
}

#[test]
fn who_does_not_finish_does_not_delay_the_end_for_ever() {
    let limits = Limits { drain: Duration::from_millis(200), ..Limits::default() };
    let server = Server::start(options(limits), Shaky::new(WELL));
    let mut stream = server.connect();
    write!(stream, "POST {SUBMIT} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    server.end().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
}
