//! Writes minted records and reports over them into a directory, to look at: `cargo run --example sample DIR`.

#![allow(clippy::unwrap_used, reason = "minted records are as the tests want them")]

#[path = "../tests/sample/judged.rs"]
mod judged;
#[path = "../tests/sample/mod.rs"]
mod sample;

use kua_auditor::report::{Counted, FORMATS, Report};
use kua_collector::scope::Scope;
use sample::{Plan, Sample};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::path::PathBuf::from(std::env::args_os().nth(1).ok_or("which directory?")?);
    let targets = [
        "news.example",
        "video.example",
        "mail.example",
        "forum.example",
        "www.gazette.example",
        "radio.example",
        "xn--e1aybc.example",
        "archive.example",
        "wiki.example",
        "photos.example",
        "a-rather-long-name-of-a-newspaper.example",
        "blog.example",
        "books.example",
        "chat.example",
    ];
    let rich = Plan { networks: 19, targets: &targets, months: 36, ..Plan::default() };
    let none = Plan { interception: false, ..Plan::default() };
    for (name, plan) in
        [("rich", rich), ("short", Plan { months: 4, ..Plan::default() }), ("none", none)]
    {
        let sample = Sample::of(&plan);
        let records: Vec<_> = sample.records.iter().map(kua::wire::to_line).collect();
        std::fs::write(dir.join(format!("{name}.jsonl")), records.join("\n"))?;
        let reference = sample.reference();
        let scope = Scope { cc: Some("QZ".into()), ..Scope::default() };
        let counted = Counted { rejected: 2, ..Counted::default() };
        let report = Report::of(&sample.tally(&reference), &reference, &scope, counted);
        for format in FORMATS {
            let path = dir.join(format!("{name}.{}", format.name));
            std::fs::write(path, (format.document)(&report)?)?;
        }
    }
    Ok(())
}
