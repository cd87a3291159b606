//! Records are sent to a collector on this machine that fails in every way it can.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kua::measurement::Vantage;
use kua::tlog::{Growing, SigningKey, sha256};
use tempfile::TempDir;
use time::OffsetDateTime;

use super::fake::{Does, Fake};
use super::round::{Outcome, Patience};
use super::*;

/// A volunteer's disk.
struct Disk {
    folder: TempDir,
    url: String,
}

impl Disk {
    fn new(fake: &Fake) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), url: fake.url() }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("state/kua/spool")
    }

    /// Opened anew each time, as by another run.
    fn spool(&self) -> Spool {
        Spool::open(&self.root(), &self.url).unwrap()
    }

    fn keep(&self, records: &[&str]) {
        let now = OffsetDateTime::UNIX_EPOCH;
        let signer = Signer::open(self.folder.path(), &Vantage::default(), now).unwrap();
        for record in records {
            let submission = signer.sign(format!("{{\"test_name\":\"{record}\"}}"));
            assert!(self.spool().keep(&submission).unwrap());
        }
    }

    fn send(&self, limit: Duration) -> Outcome {
        self.send_with(limit, None)
    }

    fn send_with(&self, limit: Duration, key: Option<&SigningKey>) -> Outcome {
        let collector = Collector::at(&self.url).unwrap();
        let patience = Patience { limit, clock };
        let key = key.map(SigningKey::public);
        send(&self.spool(), &collector, key, patience, &mut |_| {}).unwrap()
    }

    fn files(&self, folder: &str) -> usize {
        let below = self.spool().dir().join(folder);
        std::fs::read_dir(below).unwrap().count()
    }
}

thread_local! {
    /// Seconds that the clock of one test is ahead.
    static AHEAD: Cell<i64> = const { Cell::new(0) };
}

fn clock() -> OffsetDateTime {
    OffsetDateTime::now_utc() + time::Duration::seconds(AHEAD.get())
}

const ONCE: Duration = Duration::ZERO;

#[test]
fn records_are_sent_once_and_proved() {
    let fake = Fake::new(&[]);
    let disk = Disk::new(&fake);
    disk.keep(&["a", "b", "c"]);
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, outcome.waiting, outcome.proved, outcome.unproved), (3, 0, 3, 0));
    assert_eq!((fake.kept(), disk.files("receipts")), (3, 0));
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, fake.posts()), (0, 3), "nothing is left to be said");
    disk.keep(&["d"]);
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, outcome.proved, fake.kept()), (1, 1, 4));
    assert!(outcome.log.is_none(), "{:?}", outcome.log);
}

/// The collector keeps a record, and the line is cut before it can say so.
#[test]
fn a_record_whose_answer_is_lost_is_kept_once() {
    let fake = Fake::new(&[Does::IsCut]);
    let disk = Disk::new(&fake);
    disk.keep(&["a"]);
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, outcome.waiting, fake.kept()), (0, 1, 1));
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, outcome.waiting, fake.kept(), fake.posts()), (1, 0, 1, 2));
    assert_eq!(outcome.proved, 1);
}

#[test]
fn what_stays_and_what_is_set_aside() {
    for (case, does, sent, waiting, refused, next) in [
        ("a portal", Does::IsPortal, 0, 2, 0, false),
        ("too busy", Does::Refuses(429, Some(600)), 0, 2, 0, true),
        ("full", Does::Refuses(507, None), 0, 2, 0, false),
        ("a bad record", Does::Refuses(400, None), 2, 0, 0, false),
        ("a record too long", Does::Refuses(413, None), 1, 0, 1, false),
        ("a failure at one record", Does::Refuses(500, None), 1, 1, 0, false),
        ("no such address", Does::Refuses(404, None), 0, 2, 0, false),
        ("a receipt of another record", Does::Confuses, 0, 2, 0, false),
    ] {
        let fake = Fake::new(&[does]);
        let disk = Disk::new(&fake);
        disk.keep(&["a", "b"]);
        let outcome = disk.send(ONCE);
        let found = (outcome.sent, outcome.waiting, outcome.refused.len());
        assert_eq!(found, (sent, waiting, refused), "{case}: {outcome:?}");
        assert_eq!(disk.files("refused"), refused, "{case}");
        assert_eq!(outcome.why.is_some(), waiting > 0, "{case}");
        // A new run tries at once, unless the collector asked for a wait.
        let again = disk.send(ONCE);
        assert_eq!(again.waiting, if next { 2 } else { 0 }, "{case}: {again:?}");
    }
}

/// A compressed record that is refused is sent again as it is; if that is refused too, it is set aside.
#[test]
fn a_collector_that_takes_nothing_compressed() {
    let fake = Fake::new(&[]);
    fake.change(|inner| inner.takes_zstd = false);
    let disk = Disk::new(&fake);
    disk.keep(&["a", "b"]);
    assert_eq!(disk.send(ONCE).sent, 2);
    assert_eq!(fake.posts(), 3, "it is asked once");
    fake.change(|inner| inner.does = vec![Does::Refuses(400, None)]);
    disk.keep(&["c"]);
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, outcome.refused.len(), outcome.waiting), (0, 1, 0));
    let why = &outcome.refused[0].why;
    assert!(why.contains("400"), "{why}");
}

#[test]
fn waits_are_waited_out_within_a_limit_and_end_with_the_clock() {
    let fake = Fake::new(&[Does::Refuses(503, Some(1)), Does::Refuses(503, Some(100_000))]);
    let disk = Disk::new(&fake);
    disk.keep(&["a"]);
    let outcome = disk.send(Duration::from_secs(60));
    assert_eq!((outcome.sent, outcome.waiting, fake.posts()), (0, 1, 2));
    assert!(outcome.next.is_some_and(|next| next > Duration::from_secs(80_000)), "{outcome:?}");
    assert_eq!(disk.send(ONCE).waiting, 1);
    assert_eq!(fake.posts(), 2, "it asked to be left alone");
    AHEAD.set(2 * 24 * 3600);
    assert_eq!(disk.send(ONCE).waiting, 0);
}

/// One record that the collector cannot digest does not hold up the others for ever.
#[test]
fn a_record_that_always_fails_does_not_hold_up_the_others() {
    let fake = Fake::new(&[Does::Refuses(500, None); 3]);
    let disk = Disk::new(&fake);
    disk.keep(&["a", "b", "c", "d", "e"]);
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, outcome.waiting, fake.posts()), (0, 5, 3));
    fake.change(|inner| inner.does = vec![Does::Refuses(500, None); 3]);
    disk.send(ONCE);
    fake.change(|inner| inner.does.clear());
    assert_eq!(disk.send(ONCE).sent, 5);
}

#[test]
fn a_collector_of_ooni_gives_no_receipt() {
    let fake = Fake::new(&[Does::IsOoni]);
    let disk = Disk::new(&fake);
    disk.keep(&["a"]);
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, outcome.proved, outcome.unproved), (1, 0, 0));
    // Once it gave one, an answer without is not believed.
    disk.keep(&["b"]);
    assert_eq!(disk.send(ONCE).proved, 1);
    fake.change(|inner| inner.does = vec![Does::IsOoni]);
    disk.keep(&["c"]);
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, outcome.waiting), (0, 1));
    assert!(outcome.why.unwrap().contains("no receipt"));
}

#[test]
fn another_key_is_not_believed() {
    let fake = Fake::new(&[]);
    let disk = Disk::new(&fake);
    disk.keep(&["a"]);
    assert_eq!(disk.send(ONCE).sent, 1);
    let other = SigningKey::from_seed("collector.example/log", &[2; 32]).unwrap();
    let secret = other.secret_text(&[2; 32]);
    fake.change(|inner| inner.key = SigningKey::from_secret(&secret).unwrap());
    disk.keep(&["b"]);
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, outcome.waiting), (0, 1));
    assert!(outcome.why.unwrap().contains("receipt does not count"));
    // Unless the volunteer names it.
    let outcome = disk.send_with(ONCE, Some(&other));
    assert_eq!((outcome.sent, outcome.proved), (1, 1), "{outcome:?}");
}

/// A collector that takes a record out of its log, or never put it in, is found out.
#[test]
fn a_log_that_lies() {
    let fake = Fake::new(&[]);
    let disk = Disk::new(&fake);
    disk.keep(&["a", "b", "c"]);
    assert_eq!(disk.send(ONCE).proved, 3);
    // Another past.
    fake.change(|inner| {
        let leaves = std::mem::take(&mut inner.leaves);
        inner.growing = Growing::default();
        inner.entries.clear();
        inner.kept.clear();
        for leaf in &leaves[1..] {
            inner.keep(leaf.kept);
        }
        inner.keep([7; 32]);
        inner.keep([8; 32]);
    });
    disk.keep(&["d"]);
    let outcome = disk.send(ONCE);
    assert_eq!(outcome.sent, 1);
    assert!(outcome.log.as_ref().is_some_and(LogError::is_proof), "{:?}", outcome.log);
    assert_eq!((outcome.unproved, disk.files("receipts")), (1, 1), "the evidence stays");
    // A shorter log may come from a cache; it proves nothing either way.
    fake.change(|inner| inner.growing = Growing::default());
    let outcome = disk.send(ONCE);
    assert!(matches!(outcome.log, Some(LogError::Shorter { now: 0, before: 3 })), "{outcome:?}");
}

#[test]
fn a_promise_that_is_not_kept() {
    let fake = Fake::new(&[]);
    let disk = Disk::new(&fake);
    disk.keep(&["a"]);
    fake.change(|inner| {
        // The place that will be promised holds something else.
        inner.keep([9; 32]);
        let hash = sha256(b"{\"test_name\":\"a\"}");
        inner.kept.insert(hash, 0);
        inner.leaves[0].kept = hash;
    });
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, outcome.proved, disk.files("receipts")), (1, 0, 1));
    assert!(outcome.log.is_some_and(|error| error.is_proof()));
}

/// The collector takes the sender's address out of a record and keeps the rest: that is said.
#[test]
fn a_record_that_is_kept_otherwise() {
    let fake = Fake::new(&[]);
    let disk = Disk::new(&fake);
    disk.keep(&["a"]);
    fake.change(|inner| {
        inner.keep([9; 32]);
        inner.kept.insert(sha256(b"{\"test_name\":\"a\"}"), 0);
    });
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, outcome.altered, outcome.proved), (1, 1, 1));
}

/// What the collector does not say again of a record that came before, its log does.
#[test]
fn a_receipt_that_leaves_something_to_the_log() {
    let fake = Fake::new(&[]);
    fake.change(|inner| inner.says_receipt = false);
    let disk = Disk::new(&fake);
    disk.keep(&["a", "b"]);
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, outcome.proved, outcome.unproved), (2, 2, 0));
}

#[test]
fn one_sends_at_a_time() {
    let fake = Fake::new(&[]);
    let disk = Disk::new(&fake);
    disk.keep(&["a"]);
    let spool = disk.spool();
    let lock = spool.lock().unwrap();
    let outcome = disk.send(ONCE);
    assert!(outcome.busy && outcome.waiting == 1 && fake.posts() == 0);
    drop(lock);
    assert_eq!(disk.send(ONCE).sent, 1);
}

#[test]
fn records_wait_for_one_collector_only() {
    let (one, other) = (Fake::new(&[]), Fake::new(&[]));
    let disk = Disk::new(&one);
    disk.keep(&["a"]);
    let elsewhere = Disk { url: other.url(), ..disk };
    assert_eq!(elsewhere.send(ONCE).sent, 0);
    assert_eq!(other.posts(), 0);
}

#[test]
fn damaged_files_are_set_aside_and_unfinished_ones_are_nothing() {
    let fake = Fake::new(&[]);
    let disk = Disk::new(&fake);
    disk.keep(&["a", "b", "c"]);
    let waiting = disk.spool().dir().join("waiting");
    let names = disk.spool().waiting().unwrap();
    let flipped =
        std::fs::read_to_string(waiting.join(&names[0])).unwrap().replace("\\\"a", "\\\"x");
    std::fs::write(waiting.join(&names[0]), flipped).unwrap();
    std::fs::write(waiting.join(&names[1]), "").unwrap();
    std::fs::write(waiting.join(".new-1-1"), "{\"record\":").unwrap();
    let outcome = disk.send(ONCE);
    assert_eq!((outcome.sent, outcome.waiting, outcome.refused.len()), (1, 0, 2));
    assert_eq!((fake.kept(), disk.files("refused")), (1, 2));
}

#[test]
fn nobody_else_reads_what_waits_and_it_is_bounded() {
    let fake = Fake::new(&[]);
    let disk = Disk::new(&fake);
    disk.keep(&["a"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&disk.root()), 0o700);
        let spool = disk.spool();
        assert_eq!(mode(spool.dir()), 0o700);
        let waiting = spool.dir().join("waiting");
        assert_eq!(mode(&waiting.join(&spool.waiting().unwrap()[0])), 0o600);
    }
    // A file without content: what counts is how long it says it is.
    let long = std::fs::File::create(disk.spool().dir().join("refused/long")).unwrap();
    long.set_len(MAX_SPOOL).unwrap();
    let signer = Signer::open(disk.folder.path(), &Vantage::default(), clock()).unwrap();
    assert!(!disk.spool().keep(&signer.sign("{}".into())).unwrap());
    assert_eq!(disk.send(ONCE).sent, 1, "what waits already is sent");
}
