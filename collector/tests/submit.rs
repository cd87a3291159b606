//! From a volunteer's disk to the archive, through shutdowns: a record is kept once, signed, acknowledged,
//! and proved to be in the log.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kua::measurement::{Handshake, Measurement, Software, Vantage};
use kua::submission::is_signed_by;
use kua::wire;
use kua_archive::{Archive, Place, Record};
use kua_probes::submit::{Collector, Outcome, Patience, Signer, Spool, send};
use time::OffsetDateTime;

/// A volunteer's disk and a collector's.
struct World {
    folder: tempfile::TempDir,
    /// Where the collector listens.
    collector: SocketAddr,
    /// Where the volunteer finds it, on a line that is cut as often as this says.
    line: SocketAddr,
    cuts: Arc<AtomicUsize>,
}

impl World {
    fn new() -> Self {
        let collector = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let cuts = Arc::new(AtomicUsize::new(0));
        let line = line(collector, cuts.clone());
        Self { folder: tempfile::tempdir().unwrap(), collector, line, cuts }
    }

    fn vantage(&self) -> Vantage {
        Vantage { country: "KZ".into(), asn: 9198, network: "Kazakhtelecom".into() }
    }

    /// Measured, and kept for sending.
    fn measure(&self, names: &[&str]) -> Vec<String> {
        let now = OffsetDateTime::now_utc();
        let signer = Signer::open(self.folder.path(), &self.vantage(), now).unwrap();
        let spool = self.spool();
        let records = names.iter().map(|name| {
            let shaken = Handshake { server_name: Some((*name).into()), ..Handshake::default() };
            let measurement = Measurement {
                started: Some(now),
                vantage: self.vantage(),
                handshakes: vec![shaken],
                software: Software {
                    name: "kua".into(),
                    version: "0.1.0".into(),
                    test: "kua".into(),
                    test_version: "0.1.0".into(),
                },
                ..Measurement::default()
            };
            let line = wire::to_line(&measurement);
            assert!(spool.keep(&signer.sign(line.clone())).unwrap());
            line
        });
        records.collect()
    }

    fn url(&self) -> String {
        format!("http://{}", self.line)
    }

    fn spool(&self) -> Spool {
        Spool::open(&self.folder.path().join("spool"), &self.url()).unwrap()
    }

    fn send(&self, seconds: u64) -> Outcome {
        let limit = Duration::from_secs(seconds);
        let patience = Patience { limit, clock: OffsetDateTime::now_utc };
        let collector = Collector::at(&self.url()).unwrap();
        send(&self.spool(), &collector, None, patience, &mut |_| {}).unwrap()
    }

    fn serve(&self) -> Served {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kua-collector"));
        command.arg("serve").arg("--archive").arg(self.archive());
        command.args(["--listen", &self.collector.to_string(), "--log-name", "collector.example"]);
        command.arg("--log-key").arg(self.folder.path().join("keys/log.key"));
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("listening") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it ended");
        }
        // What it says later must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        Served(child)
    }

    fn archive(&self) -> std::path::PathBuf {
        self.folder.path().join("archive")
    }
}

/// `kua-collector serve`, until the test ends.
struct Served(Child);

impl Served {
    fn end(mut self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.0.wait().unwrap().success());
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A line between the two: as often as `cuts` says, it is cut when the collector begins to answer.
fn line(collector: SocketAddr, cuts: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, cuts) = (client.unwrap(), cuts.clone());
            std::thread::spawn(move || carry(&client, collector, &cuts));
        }
    });
    address
}

fn carry(client: &TcpStream, collector: SocketAddr, cuts: &AtomicUsize) {
    let Ok(server) = TcpStream::connect(collector) else { return };
    let (mut up_from, mut up_to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut up_from, &mut up_to);
        let _ = up_to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (server, client);
    let mut first = [0; 1];
    if from.read_exact(&mut first).is_ok() {
        let cut = |left: usize| left.checked_sub(1);
        if cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, cut).is_err() {
            let _ = to.write_all(&first);
            let _ = std::io::copy(&mut from, &mut to);
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

fn kept(archive: &Path) -> Vec<Record> {
    let snapshot = Archive::open(&Place::from(archive)).unwrap().snapshot().unwrap();
    let segments = snapshot.segments().iter();
    segments.flat_map(|segment| snapshot.records(segment).unwrap()).map(Result::unwrap).collect()
}

#[test]
fn a_record_comes_through_shutdowns_once() {
    let world = World::new();
    let mut records = world.measure(&["a.example", "b.example", "c.example"]);
    // The country is offline.
    let outcome = world.send(0);
    assert_eq!((outcome.sent, outcome.waiting), (0, 3), "{outcome:?}");

    // It is back; the collector keeps the first record, and the line is cut before it can say so.
    let served = world.serve();
    world.cuts.store(1, Ordering::SeqCst);
    let outcome = world.send(0);
    assert_eq!((outcome.sent, outcome.waiting), (0, 3), "{outcome:?}");
    assert_eq!(kept(&world.archive()).len(), 1);

    // The collector's power fails, and comes back while the volunteer's program waits.
    served.kill();
    let served = std::thread::scope(|scope| {
        let sending = scope.spawn(|| world.send(120));
        std::thread::sleep(Duration::from_millis(500));
        let served = world.serve();
        let outcome = sending.join().unwrap();
        assert_eq!((outcome.sent, outcome.waiting), (3, 0), "{outcome:?}");
        assert_eq!((outcome.proved, outcome.unproved), (3, 0), "{outcome:?}");
        served
    });

    // Another day: the log grew from what it was.
    records.extend(world.measure(&["d.example"]));
    let outcome = world.send(10);
    assert_eq!((outcome.sent, outcome.proved, outcome.unproved), (1, 1, 0), "{outcome:?}");
    served.end();

    let kept = kept(&world.archive());
    let mut texts: Vec<_> =
        kept.iter().map(|record| str::from_utf8(&record.raw).unwrap()).collect();
    // What had to be tried again came later.
    texts.sort_unstable();
    records.sort_unstable();
    assert_eq!(texts, records, "each once, as it was measured");
    for record in &kept {
        let receipt = record.receipt.as_ref().unwrap();
        let (key, signature) = (receipt.key.as_ref().unwrap(), receipt.sig.as_ref().unwrap());
        assert!(is_signed_by(key, signature, record.hash.as_bytes()));
    }
    let place = Place::from(world.archive().as_path());
    assert_eq!(kua_archive::log::check(&place, None).unwrap(), Some(4));
}

/// An archive that was put back from an old copy is not served: its log was signed further.
#[test]
fn an_old_copy_of_an_archive_is_not_served() {
    let world = World::new();
    let served = world.serve();
    world.measure(&["a.example"]);
    assert_eq!(world.send(10).proved, 1);
    served.end();
    let copy = world.folder.path().join("copy");
    let copied = Command::new("cp").arg("-r").arg(world.archive()).arg(&copy).status().unwrap();
    assert!(copied.success());
    let served = world.serve();
    world.measure(&["b.example"]);
    assert_eq!(world.send(10).proved, 1);
    served.end();
    std::fs::remove_dir_all(world.archive()).unwrap();
    std::fs::rename(&copy, world.archive()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kua-collector"));
    command.arg("serve").arg("--archive").arg(world.archive());
    command.args(["--listen", "127.0.0.1:0"]);
    command.arg("--log-key").arg(world.folder.path().join("keys/log.key"));
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("the log has signed 2 entries, and the archive holds 1 records"),
        "{said}"
    );
}
