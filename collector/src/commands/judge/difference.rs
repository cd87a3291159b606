//! `kua-collector judge --diff`

use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

use kua_archive::Archive;
use kua_archive::judged::Version;
use kua_collector::judging::{Asserted, Causes, Change, Difference, Setting};
use kua_collector::trouble::of_archive;
use kua_console::Trouble;

use super::{Format, Judge, up_to_date};

/// Most changes that are told in words.
const TOLD: usize = 50;

pub(super) fn run(
    command: &Judge,
    archive: &Archive,
    setting: &Setting<'_>,
) -> Result<ExitCode, Trouble> {
    let versions = Version::all(archive.store()).map_err(of_archive)?;
    let old = named(&command.diff[0], &versions)?;
    let new = match command.diff.get(1) {
        Some(name) => named(name, &versions)?,
        None => up_to_date(archive, setting)?.version().clone(),
    };
    let snapshot = archive.snapshot().map_err(of_archive)?;
    let difference = Difference::of(&snapshot, old, new)?;
    let text = match command.format {
        Some(Format::Json) => {
            serde_json::to_string(&difference).map_err(std::io::Error::from)? + "\n"
        }
        _ => told(&difference),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The version whose name begins so.
fn named(beginning: &str, versions: &[Version]) -> Result<Version, Trouble> {
    let mut fitting = versions.iter().filter(|version| version.id.starts_with(beginning));
    match (fitting.next(), fitting.next()) {
        (Some(version), None) => Ok(version.clone()),
        (first, _) => {
            let which =
                if first.is_some() { "several versions begin" } else { "no version begins" };
            let known: Vec<_> = versions.iter().map(|version| version.id.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let trouble = Trouble::new(format!("cannot compare: {which} with {beginning:?}"));
            Err(trouble.hint(format!("versions with stored judgements: {known}")))
        }
    }
}

fn told(difference: &Difference) -> String {
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = lines(&mut text, difference);
    text
}

fn lines(text: &mut String, difference: &Difference) -> std::fmt::Result {
    let Difference { old, new, compared, same, only_old, only_new, .. } = difference;
    writeln!(text, "old {}, Kua {}", old.id, old.kua)?;
    writeln!(text, "new {}, Kua {}", new.id, new.kua)?;
    writeln!(text, "{}", causes(&difference.causes))?;
    writeln!(text, "{compared} judgements compared, {same} say the same")?;
    if only_old + only_new > 0 {
        writeln!(text, "{only_old} only in the old version, {only_new} only in the new")?;
    }
    for change in difference.changes.iter().take(TOLD) {
        writeln!(text, "\n{}", title(change))?;
        for found in &change.appeared {
            writeln!(text, "  + {found}")?;
        }
        for found in &change.vanished {
            writeln!(text, "  - {found}")?;
        }
        let place = &change.example;
        let which = place.handshake.map(|handshake| format!(", handshake {handshake}"));
        writeln!(
            text,
            "  first: record {}{}: {} in {} AS{}",
            place.record,
            which.unwrap_or_default(),
            if place.target.is_empty() { "no name" } else { &place.target },
            place.cc,
            place.asn
        )?;
    }
    let untold = difference.changes.len().saturating_sub(TOLD);
    if untold > 0 {
        writeln!(text, "\n{untold} more kinds of changes; --format json has them all")?;
    }
    Ok(())
}

fn title(change: &Change) -> String {
    let count = change.judgements;
    if change.from == change.to {
        let what = match change.appeared.is_empty() && change.vanished.is_empty() {
            true => "counted otherwise: key, chain or what clients would have shown",
            false => "other findings",
        };
        return format!("{count} still {}: {what}", asserted(&change.to));
    }
    format!("{count} from {} to {}", asserted(&change.from), asserted(&change.to))
}

fn asserted(said: &Asserted) -> String {
    let more = [&said.actor, &said.level, &said.interceptor].into_iter().flatten();
    let more: Vec<_> = more.map(String::as_str).collect();
    match more.is_empty() {
        true => said.verdict.clone(),
        false => format!("{} ({})", said.verdict, more.join(", ")),
    }
}

fn causes(causes: &Causes) -> String {
    let mut words = Vec::new();
    if causes.rules {
        words.push("the rules".to_owned());
    }
    if causes.control {
        words.push("the control".to_owned());
    }
    for (what, files) in
        [("added", &causes.added), ("removed", &causes.removed), ("changed", &causes.changed)]
    {
        if !files.is_empty() {
            words.push(format!("reference files {what}: {}", files.join(" ")));
        }
    }
    match words.is_empty() {
        true => "made with the same rules and reference data".into(),
        false => format!("different: {}", words.join("; ")),
    }
}
