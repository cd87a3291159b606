//! The command line, word for word.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sample;

use std::path::Path;
use std::process::{Command, Output};

use sample::{Plan, Sample};

fn auditor(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kua-auditor"));
    command.current_dir(dir).args(arguments).env("COLUMNS", "100").env_remove("NO_COLOR");
    command.output().unwrap()
}

/// Exit code, standard error and standard output.
fn said(output: &Output) -> String {
    format!(
        "exit: {}\n----- stderr\n{}----- stdout\n{}",
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout),
    )
}

/// Reference data in `certs`, records in `first.jsonl` and `second.jsonl`.
fn laid_out(plan: &Plan<'_>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let sample = Sample::of(plan);
    for file in &sample.files {
        let path = dir.path().join("certs").join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.bytes).unwrap();
    }
    let lines: Vec<_> = sample.records.iter().map(kua::wire::to_line).collect();
    let (first, second) = lines.split_at(lines.len() / 2);
    std::fs::write(dir.path().join("first.jsonl"), first.join("\n")).unwrap();
    std::fs::write(dir.path().join("second.jsonl"), second.join("\n")).unwrap();
    dir
}

const JUDGED: [&str; 5] = ["report", "--reference", "certs", "--format", "json"];

#[test]
fn help() {
    let dir = tempfile::tempdir().unwrap();
    insta::assert_snapshot!("help", said(&auditor(dir.path(), &["--help"])));
    insta::assert_snapshot!("help-report", said(&auditor(dir.path(), &["report", "--help"])));
    insta::assert_snapshot!("help-explain", said(&auditor(dir.path(), &["explain", "--help"])));
    let version = said(&auditor(dir.path(), &["--version"]));
    assert!(version.contains("kua-auditor 0."), "{version}");
}

#[test]
fn errors() {
    let dir = laid_out(&Plan { months: 1, ..Plan::default() });
    for (name, arguments) in [
        ("nothing-given", &["report"][..]),
        ("both-given", &["report", "--archive", "a", "first.jsonl"]),
        ("absent-file", &["report", "absent.jsonl"]),
        ("absent-archive", &["report", "--archive", "absent"]),
        ("bad-country", &["report", "--cc", "KAZ", "first.jsonl"]),
        ("bad-date", &["report", "--since", "yesterday", "first.jsonl"]),
        ("bad-format", &["report", "--format", "pdf", "first.jsonl"]),
        ("several-to-stdout", &["report", "--format", "json,md", "first.jsonl"]),
        ("absent-reference", &["report", "--reference", "absent", "first.jsonl"]),
        ("unwritable", &["report", "--out", "absent/report.html", "first.jsonl"]),
        ("empty-control", &["report", "--control", "certs/products.toml", "first.jsonl"]),
    ] {
        insta::assert_snapshot!(format!("error-{name}"), said(&auditor(dir.path(), arguments)));
    }
}

#[test]
fn detectors_are_explained() {
    let dir = tempfile::tempdir().unwrap();
    for (name, arguments) in [
        ("one", &["explain", "known-interceptor"][..]),
        ("unknown", &["explain", "known-intercepter"]),
        ("two", &["explain", "weak-key", "unknown-anchor"]),
    ] {
        insta::assert_snapshot!(format!("explain-{name}"), said(&auditor(dir.path(), arguments)));
    }
}

/// `UPDATE_DOCS=1 cargo test --package kua-auditor` writes the page again.
#[test]
fn the_page_about_detectors_says_what_the_command_says() {
    let dir = tempfile::tempdir().unwrap();
    let printed = |arguments: &[&str]| {
        let output = auditor(dir.path(), arguments);
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let mut page = format!("{PAGE}```text\n{}```\n", printed(&["explain"]));
    for detector in kua::detect::DETECTORS {
        let account = printed(&["explain", detector.id]);
        page.push_str(&format!("\n## {}\n\n```text\n{account}```\n", detector.id));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/detectors.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/detectors.md is not what the command prints: UPDATE_DOCS=1");
}

const PAGE: &str = "\
# Detectors

What each finding of a judgement claims, how sure it can be, and what else could cause it. A detector's
name never changes its meaning. `kua-auditor explain` prints this page, and a test makes it:
`UPDATE_DOCS=1 cargo test --package kua-auditor`.

";

#[test]
fn lines_that_are_no_measurement_are_named_and_counted() {
    let dir = laid_out(&Plan { months: 1, ..Plan::default() });
    std::fs::write(dir.path().join("bad.jsonl"), "nonsense\n{}\n\n").unwrap();
    let arguments = [&JUDGED[..], &["bad.jsonl", "first.jsonl"]].concat();
    let output = auditor(dir.path(), &arguments);
    insta::assert_snapshot!("rejected", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["totals"]["rejected"], 2);
    let strict = auditor(dir.path(), &[&arguments[..], &["--strict"]].concat());
    assert_eq!(strict.status.code(), Some(1));
    assert_eq!(strict.stdout, output.stdout);
}

#[test]
fn two_runs_are_alike_and_the_order_of_files_changes_no_campaign() {
    let dir = laid_out(&Plan::default());
    let run = |files: &[&str]| auditor(dir.path(), &[&JUDGED[..], files].concat()).stdout;
    let first = run(&["first.jsonl", "second.jsonl"]);
    assert_eq!(first, run(&["first.jsonl", "second.jsonl"]));
    let report: serde_json::Value = serde_json::from_slice(&first).unwrap();
    let swapped = run(&["second.jsonl", "first.jsonl"]);
    let swapped: serde_json::Value = serde_json::from_slice(&swapped).unwrap();
    assert_eq!(report["campaigns"], swapped["campaigns"]);
    assert_eq!(report["campaigns"].as_array().unwrap().len(), 2);
}

#[test]
fn an_archive_is_told_like_its_files() {
    use kua_archive::Writer;

    let dir = laid_out(&Plan { months: 4, ..Plan::default() });
    let mut writer = Writer::open(&dir.path().join("archive").into()).unwrap();
    for file in ["first.jsonl", "second.jsonl"] {
        let text = std::fs::read_to_string(dir.path().join(file)).unwrap();
        for line in text.lines() {
            let measurement = kua::wire::from_line(line.as_bytes()).unwrap();
            writer.keep(line.as_bytes(), &measurement, None).unwrap();
        }
    }
    writer.commit().unwrap();
    drop(writer);
    let from_archive = auditor(dir.path(), &[&JUDGED[..], &["--archive", "archive"]].concat());
    let from_files = auditor(dir.path(), &[&JUDGED[..], &["first.jsonl", "second.jsonl"]].concat());
    let json =
        |output: &Output| -> serde_json::Value { serde_json::from_slice(&output.stdout).unwrap() };
    let (archived, filed) = (json(&from_archive), json(&from_files));
    assert_eq!(archived["totals"], filed["totals"]);
    assert_eq!(archived["campaigns"][0]["networks"], filed["campaigns"][0]["networks"]);
}

#[test]
fn scope_is_told_and_kept() {
    let dir = laid_out(&Plan::default());
    let narrow = ["--cc", "qz", "--since", "2021-10-01", "--until", "2021-10-31", "first.jsonl"];
    let output = auditor(dir.path(), &[&JUDGED[..], &narrow].concat());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = serde_json::json!({"cc": "QZ", "since": "2021-10-01", "until": "2021-10-31"});
    assert_eq!(report["scope"], expected);
    assert!(report["totals"]["out_of_scope"].as_u64().unwrap() > 0);
    let first_seen = report["campaigns"][0]["first_seen"].as_str().unwrap();
    assert!(("2021-10-01".."2021-11").contains(&first_seen), "{first_seen}");
}

#[test]
fn formats_and_their_files() {
    let dir = laid_out(&Plan { months: 1, ..Plan::default() });
    let run = |more: &[&str]| {
        let arguments = [&["report", "--reference", "certs", "first.jsonl"][..], more].concat();
        let output = auditor(dir.path(), &arguments);
        assert!(output.status.success(), "{}", said(&output));
        output.stdout
    };
    let begins = |path: &str, text: &str| {
        let written = std::fs::read_to_string(dir.path().join(path)).unwrap();
        assert!(written.starts_with(text), "{path}");
    };
    assert!(run(&[]).starts_with(b"<!doctype html>"));
    assert!(run(&["--format", "csv"]).starts_with(b"campaign,row,"));
    run(&["--out", "by-ending.md"]);
    begins("by-ending.md", "# Who intercepts TLS");
    run(&["--format", "json", "--out", "as-told.html"]);
    begins("as-told.html", "{");
    run(&["--format", "html,json,csv,md", "--out", "all"]);
    begins("all.html", "<!doctype html>");
    begins("all.json", "{");
    begins("all.csv", "campaign,row,");
    begins("all.md", "# Who");
    for table in ["campaigns", "intermediates", "networks", "targets"] {
        begins(&format!("all.{table}.csv"), "campaign,");
    }
}
