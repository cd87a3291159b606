//! The main job, end to end, with the programs that people run: lab, probe, import, judge, report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use kua_tests::{Peer, program};
use serde_json::Value;

/// The lab, a control made on its clean path, and a volunteer's records from its national path.
struct Day {
    _lab: Peer,
    dir: tempfile::TempDir,
}

impl Day {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let lab = Peer::start(
            Command::new(program("kua-lab"))
                .args(["run", "--for", "120", "--out"])
                .arg(dir.path().join("lab")),
        );
        let day = Self { _lab: lab, dir };
        let end = Instant::now() + Duration::from_secs(60);
        while !day.path("lab/ready").exists() {
            assert!(Instant::now() < end, "the lab starts");
            std::thread::sleep(Duration::from_millis(20));
        }
        day.probe("clean", &["--out", &day.text("control.jsonl"), "--cc", "QP"]);
        day
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Standard output of a run over the lab's suite by one of its paths.
    fn probe(&self, path: &str, options: &[&str]) -> String {
        let routes = std::fs::read_to_string(self.path(&format!("lab/{path}.args"))).unwrap();
        said(
            Command::new(program("kua"))
                .args(["probe", "--format", "json", "--suite", &self.text("lab/suite.toml")])
                .args(["--reference-add", &self.text("lab/reference")])
                .args(routes.split_whitespace())
                .args(options),
        )
    }

    fn volunteer(&self) -> Vec<Value> {
        let control = self.text("control.jsonl");
        let out = self.text("records.jsonl");
        let options = ["--control", &control, "--out", &out, "--cc", "QZ", "--asn", "64500"];
        self.probe("national", &options).lines().map(|line| json(line.as_bytes())).collect()
    }

    fn collector(&self, arguments: &[&str]) -> String {
        let archive = self.text("archive");
        let (command, rest) = arguments.split_first().unwrap();
        said(
            Command::new(program("kua-collector"))
                .args([command, "--archive", &archive])
                .args(rest),
        )
    }

    fn report(&self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new(program("kua-auditor"))
            .args(["report", "--control", &self.text("control.jsonl")])
            .args(["--reference-add", &self.text("lab/reference")])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }
}

fn said(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

/// The files of the archive's records, with their bytes.
fn segments(day: &Day) -> BTreeMap<std::ffi::OsString, Vec<u8>> {
    let entries = std::fs::read_dir(day.path("archive/raw")).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect()
}

/// Verdict, actor, level and interceptor by name.
fn told(judgements: &[Value]) -> BTreeMap<&str, [&str; 4]> {
    let fields = ["verdict", "actor", "level", "interceptor"];
    judgements
        .iter()
        .map(|judgement| {
            let told = fields.map(|field| judgement[field].as_str().unwrap_or("-"));
            (judgement["target"].as_str().unwrap(), told)
        })
        .collect()
}

#[test]
fn from_the_wire_to_the_report() {
    let day = Day::new();
    let judgements = day.volunteer();
    let found = told(&judgements);
    let named = ["intercepted", "state", "confirmed", "lab-state"];
    for (host, expected) in [
        ("www.instagram.com", named),
        ("www.youtube.com", named),
        ("www.pinterest.com", ["intercepted", "unknown", "probable", "-"]),
        ("github.com", ["intercepted", "local", "probable", "-"]),
        ("expired.badssl.com", ["misconfigured", "-", "-", "-"]),
        ("self-signed.badssl.com", ["misconfigured", "-", "-", "-"]),
        ("www.bbc.com", ["blocked", "-", "probable", "-"]),
    ] {
        assert_eq!(found[host], expected, "{host}");
    }
    let normal = found.values().filter(|told| told[0] == "normal").count();
    assert_eq!((found.len(), normal), (16, 9));

    // Kept once, judged again, told: the same judgements whichever way they come.
    let records = day.text("records.jsonl");
    day.collector(&["import", &records]);
    let kept = segments(&day);
    day.collector(&["import", &records]);
    assert_eq!(segments(&day), kept, "twice is once");
    let again = day.collector(&[
        "judge",
        "--control",
        &day.text("control.jsonl"),
        "--reference-add",
        &day.text("lab/reference"),
    ]);
    let again: Vec<Value> = again.lines().map(|line| json(line.as_bytes())).collect();
    assert_eq!(told(&again), found);

    let archive = day.text("archive");
    let report = json(&day.report(&["--archive", &archive, "--format", "json"]));
    assert_eq!(report["schema"], "kua.report/1");
    assert_eq!(report["totals"]["verdicts"]["intercepted"], 4);
    assert_eq!(report["not_campaigns"]["local"], 1);
    let campaigns = report["campaigns"].as_array().unwrap();
    assert_eq!(campaigns.len(), 2);
    assert_eq!(campaigns[0]["interceptor"], "lab-state");
    assert_eq!(campaigns[0]["targets"].as_array().unwrap().len(), 2);
    assert_eq!(campaigns[1]["interceptor"], Value::Null);
    assert_eq!(campaigns[1]["anchors"][0]["spki_sha256"], Value::Null);
}

#[test]
fn the_same_records_give_the_same_report_byte_for_byte() {
    let day = Day::new();
    day.volunteer();
    let records = day.text("records.jsonl");
    day.collector(&["import", &records]);
    let archive = day.text("archive");
    for format in ["html", "json", "csv", "md"] {
        let report = || day.report(&["--archive", &archive, "--format", format]);
        let first = report();
        assert!(!first.is_empty());
        assert!(first == report(), "{format}: two reports differ");
        if format == "html" || format == "json" {
            // Examples name a line of a file, which an archive has not.
            continue;
        }
        let over_files = day.report(&[&records, "--format", format]);
        assert!(first == over_files, "{format}: archive and file differ");
    }
}

/// What a probe writes holds nothing of the machine it ran on.
#[test]
fn records_say_nothing_of_the_volunteer() {
    let day = Day::new();
    day.volunteer();
    let records = std::fs::read_to_string(day.path("records.jsonl")).unwrap();
    let own = [std::env::var("HOME"), std::env::var("USER"), std::env::var("HOSTNAME")];
    let hostname = std::fs::read_to_string(Path::new("/etc/hostname")).unwrap_or_default();
    let own = own.into_iter().flatten().chain([hostname.trim().to_owned()]);
    for word in own.filter(|word| word.len() > 4) {
        assert!(!records.contains(&word), "{word} is in a record");
    }
    for line in records.lines() {
        assert_eq!(json(line.as_bytes())["probe_ip"], "127.0.0.1");
    }
}
