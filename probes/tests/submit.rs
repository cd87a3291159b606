//! `kua probe --submit` word for word, against a collector on this machine.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../src/submit/fake.rs"]
#[allow(dead_code, reason = "shared with the unit tests")]
mod fake;
#[path = "../src/loopback.rs"]
#[allow(dead_code, reason = "shared with the unit tests")]
mod loopback;
mod said;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use fake::{Does, Fake};
use kua_mint::{Authority, pem};
use loopback::Site;
use said::said;
use tempfile::TempDir;

/// A volunteer's machine, a site, and a collector.
struct World {
    folder: TempDir,
    site: std::net::SocketAddr,
    collector: Fake,
}

impl World {
    fn new(does: &[Does]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Authority::root("Public Root");
        let stores = folder.path().join("reference/stores");
        std::fs::create_dir_all(&stores).unwrap();
        let text = format!("# program: Test\n# date: 2025-10-01\n{}", pem(&root.certificate));
        std::fs::write(stores.join("test.pem"), text).unwrap();
        let leaf = root.leaf("genuine.example");
        let site = Site::new(&[&leaf.certificate], &leaf.key).serve();
        Self { folder, site, collector: Fake::new(does) }
    }

    fn kua(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kua"));
        command.arg("probe").args(arguments);
        command.env("KUA_NOW", "2025-10-09T08:53:20Z").env_remove("NO_COLOR");
        command.env("XDG_STATE_HOME", self.folder.path().join("state"));
        command.env("XDG_DATA_HOME", self.folder.path().join("data"));
        command.stdin(Stdio::null());
        command
    }

    /// Measures the site, to be sent.
    fn probe(&self, arguments: &[&str]) -> Output {
        let reference = self.folder.path().join("reference");
        let route = format!("genuine.example:443:{}", self.site);
        let mut command = self.kua(&["--reference", reference.to_str().unwrap()]);
        command.args(["--connect-to", &route, "--submit", &self.collector.url()]);
        command.args(["--submit-wait", "0", "--cc", "KZ", "--asn", "9198", "genuine.example"]);
        command.args(arguments).output().unwrap()
    }

    fn flush(&self) -> Output {
        let url = self.collector.url();
        self.kua(&["--submit", &url, "--submit-only", "--submit-wait", "0"]).output().unwrap()
    }

    fn files(&self, folder: &str) -> Vec<PathBuf> {
        let spool = self.folder.path().join("state/kua/spool");
        let Ok(mut collectors) = std::fs::read_dir(spool) else { return Vec::new() };
        let Some(collector) = collectors.next() else { return Vec::new() };
        let files = std::fs::read_dir(collector.unwrap().path().join(folder)).unwrap();
        files.map(|file| file.unwrap().path()).collect()
    }
}

macro_rules! assert_says {
    ($name:expr, $output:expr) => {
        insta::with_settings!({
            filters => vec![
                (r"127\.0\.0\.1:\d{5}", "127.0.0.1:PORT0"),
                (r"127\.0\.0\.1-[0-9a-f]{8}", "127.0.0.1-HASH"),
                (r"[0-9a-f]{64}", "SHA256"),
                (r"\d{12}-[0-9a-f]{16}\.json", "RECORD.json"),
                (r#"/[^\s":]*/kua/spool"#, "STATE/kua/spool"),
            ],
            omit_expression => true,
        }, {
            insta::assert_snapshot!($name, said(&$output));
        });
    };
}

#[test]
fn a_record_is_sent_once_the_volunteer_agreed() {
    let world = World::new(&[]);
    assert_says!("unasked", world.probe(&[]));
    assert_eq!((world.collector.posts(), world.files("waiting").len()), (0, 0));
    assert!(!world.folder.path().join("data").exists(), "no key is made before");
    assert_says!("sent", world.probe(&["--yes"]));
    assert_eq!((world.collector.kept(), world.files("waiting").len()), (1, 0));
    assert!(world.folder.path().join("data/kua/submission.key").exists());
}

/// What is sent is what `--out` shows.
#[test]
fn nothing_else_is_sent() {
    let world = World::new(&[Does::Refuses(503, None)]);
    let out = world.folder.path().join("out.jsonl");
    world.probe(&["--yes", "--out", out.to_str().unwrap()]);
    let line = std::fs::read_to_string(out).unwrap();
    let waiting = read(&world.files("waiting")[0]);
    assert_eq!(waiting["record"], line.trim_end());
    let fields: Vec<_> = waiting.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["key", "record", "signature"]);
}

#[test]
fn what_waits_is_sent_by_the_next_run() {
    let world = World::new(&[Does::IsCut, Does::Refuses(503, None)]);
    assert_says!("unanswered", world.probe(&["--yes"]));
    assert_says!("still_waiting", world.flush());
    assert_eq!((world.collector.kept(), world.files("waiting").len()), (1, 1));
    assert_says!("flushed", world.flush());
    assert_eq!((world.collector.kept(), world.files("waiting").len()), (1, 0));
    assert_says!("nothing_waits", world.flush());
}

#[test]
fn a_record_that_is_refused_is_told_and_kept() {
    let world = World::new(&[Does::Refuses(413, None)]);
    assert_says!("refused", world.probe(&["--yes", "--format", "json"]));
    assert_eq!((world.files("refused").len(), world.files("waiting").len()), (1, 0));
}

#[test]
fn a_collector_that_lies() {
    let world = World::new(&[]);
    world.probe(&["--yes"]);
    world.collector.change(|inner| {
        inner.growing = Default::default();
        inner.entries.clear();
        inner.keep([9; 32]);
    });
    assert_says!("lying", world.probe(&["--yes"]));
}

#[test]
fn bad_command_lines() {
    let world = World::new(&[]);
    for (name, arguments) in [
        ("not_over_tls", &["--submit", "http://collector.example", "a.example"][..]),
        ("no_url", &["--submit", "collector.example", "a.example"][..]),
        ("no_key", &["--submit", "https://collector.example", "--collector-key", "x"][..]),
        ("only_what", &["--submit-only"][..]),
    ] {
        assert_says!(name, world.kua(arguments).output().unwrap());
    }
    let mut nowhere = world.kua(&["--submit", "https://collector.example", "--submit-only"]);
    nowhere.env_remove("XDG_STATE_HOME").env_remove("HOME");
    assert_says!("no_home", nowhere.output().unwrap());
}

fn read(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
