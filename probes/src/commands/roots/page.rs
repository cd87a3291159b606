//! What a machine trusts as a page: stores, groups of roots from the worst on, and what to do.

mod advice;
mod story;

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use kua_probes::machine::Trust;
use kua_probes::machine::container::Kind;
use kua_probes::machine::report::{Group, Location, Report, Root, Summary};

use super::words;

const BOLD: Style = Style::new().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Longest line of a paragraph, in characters.
const WIDTH: usize = 96;

pub(super) fn write(
    out: &mut impl Write,
    report: &Report,
    all: bool,
    title: &str,
) -> io::Result<()> {
    let programs = report.programs.iter().map(|known| match &known.date {
        Some(date) => format!("{} ({date})", known.program),
        None => known.program.clone(),
    });
    let programs: Vec<_> = programs.collect();
    writeln!(out, "{BOLD}{title}{BOLD:#}, as of {}", day(&report.at))?;
    paragraph(out, "  ", &format!("compared with the root programs of {}", programs.join(", ")))?;
    heading(out, "Stores")?;
    for store in &report.stores {
        summary(out, store)?;
    }
    for unread in &report.unread {
        writeln!(out, "  {}", printable(&unread.path))?;
        paragraph(out, "    ", &format!("not read: {}", printable(&unread.because)))?;
    }
    if report.stores.is_empty() && report.unread.is_empty() {
        writeln!(out, "  none was found")?;
    }
    settings(out, report, all)?;
    let mut groups: Vec<_> = report.roots.iter().map(|root| root.group).collect();
    groups.dedup();
    for group in groups {
        section(out, report, group, all)?;
    }
    story::write(out, report)?;
    advice::write(out, report)
}

fn summary(out: &mut impl Write, store: &Summary) -> io::Result<()> {
    let kind = match store.kind {
        Kind::Der | Kind::Pem if store.certificates == 1 => "one certificate",
        kind => kind.words(),
    };
    writeln!(out, "  {} ({}; {kind})", printable(&store.path), printable(&store.what))?;
    let mut said = vec![match (store.trusted, store.in_programs) {
        (0, _) => "nothing that is trusted".to_owned(),
        (1, 1) => "1 root, in a root program".into(),
        (1, _) => "1 root, in no root program".into(),
        (trusted, known) if trusted == known => format!("{trusted} roots, all in a root program"),
        (trusted, 0) => format!("{trusted} roots, none in a root program"),
        (trusted, known) => {
            format!("{trusted} roots, {known} in a root program and {} in none", trusted - known)
        }
    }];
    for (count, words) in [
        (store.distrusted, "distrusted"),
        (store.held, "held and not trusted"),
        (store.passed_over, "other entries"),
    ] {
        if count > 0 {
            said.push(format!("{count} {words}"));
        }
    }
    writeln!(out, "    {}", said.join("; "))
}

fn settings(out: &mut impl Write, report: &Report, all: bool) -> io::Result<()> {
    if report.settings.is_empty() {
        return Ok(());
    }
    heading(out, "Settings")?;
    for setting in report.settings.iter().filter(|setting| all || !setting.usual) {
        writeln!(out, "  {}: {}", printable(&setting.place), printable(&setting.says))?;
        paragraph(out, "    ", &printable(&setting.means))?;
    }
    let usual = report.settings.iter().filter(|setting| setting.usual);
    let usual: Vec<_> = usual.map(|setting| printable(&setting.place)).collect();
    if !usual.is_empty() && !all {
        let text = format!("{}: only name a store of the system", usual.join(", "));
        paragraph(out, "  ", &text)?;
    }
    Ok(())
}

fn section(out: &mut impl Write, report: &Report, group: Group, all: bool) -> io::Result<()> {
    let roots: Vec<_> = report.roots.iter().filter(|root| root.group == group).collect();
    let style = if group <= Group::SharedKey { BAD } else { BOLD };
    let (title, meaning) = words::of_group(group);
    writeln!(out, "\n{style}{title}{style:#} ({})", roots.len())?;
    if !meaning.is_empty() {
        paragraph(out, "  ", meaning)?;
    }
    if !words::is_listed(group) && !all {
        let held =
            roots.iter().filter(|root| root.owner.as_ref().is_some_and(|o| o.state.is_some()));
        let held = match held.count() {
            0 => String::new(),
            count => format!("; {count} belong to authorities that a state runs or has a share in"),
        };
        return writeln!(out, "  -v lists them{held}");
    }
    let (brief, whole): (Vec<_>, Vec<_>) =
        roots.into_iter().partition(|root| !all && words::is_brief(root));
    for root in whole {
        one(out, root)?;
    }
    if !brief.is_empty() {
        writeln!(out)?;
    }
    for root in brief {
        let facts = words::of_root(root);
        let facts =
            if facts.is_empty() { String::new() } else { format!("; {}", facts.join("; ")) };
        item(out, &printable(&format!("{}{facts}", name(root))))?;
    }
    Ok(())
}

fn one(out: &mut impl Write, root: &Root) -> io::Result<()> {
    writeln!(out, "\n  {BOLD}{}{BOLD:#}", name(root))?;
    for line in words::of_root(root) {
        paragraph(out, "    ", &printable(&line))?;
    }
    if let Some([from, until]) = &root.valid {
        let over = if root.expired { ", which is over" } else { "" };
        writeln!(out, "    valid     {} to {}{over}", day(from), day(until))?;
    }
    writeln!(out, "    sha256    {}", root.sha256)?;
    for place in &root.places {
        writeln!(out, "    in        {}", location(place))?;
    }
    Ok(())
}

fn name(root: &Root) -> String {
    if root.subject.is_empty() { root.sha256.to_string() } else { printable(&root.subject) }
}

/// The same where two roots of one name must be told apart.
fn name_and_hash(root: &Root) -> String {
    format!("{} ({})", name(root), &root.sha256.to_string()[..12])
}

fn location(place: &Location) -> String {
    let mut text = printable(&place.store);
    if !place.label.is_empty() {
        text.push_str(&format!(": {}", printable(&place.label)));
    }
    text.push_str(&format!(" ({}", printable(&place.what)));
    match &place.since {
        Some(since) => text.push_str(&format!("; dated {}", day(since))),
        None => text.push_str("; no date is kept"),
    }
    match place.trust {
        Trust::Trusted => {}
        Trust::Unsaid => text.push_str("; held, not trusted"),
        Trust::Distrusted => text.push_str("; distrusted"),
    }
    text.push(')');
    text
}

fn heading(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{BOLD}{text}{BOLD:#}")
}

/// A text in lines of at most [`WIDTH`] characters, where words allow it.
fn paragraph(out: &mut impl Write, indent: &str, text: &str) -> io::Result<()> {
    hanging(out, indent, indent, text)
}

/// The same for one of a list.
fn item(out: &mut impl Write, text: &str) -> io::Result<()> {
    hanging(out, "  ", "      ", text)
}

fn hanging(out: &mut impl Write, first: &str, others: &str, text: &str) -> io::Result<()> {
    let mut indent = first;
    let mut line = String::new();
    for word in text.split_whitespace() {
        let length = indent.len() + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && length > WIDTH {
            writeln!(out, "{indent}{line}")?;
            line.clear();
            indent = others;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "{indent}{line}")
}

/// The day of an RFC 3339 moment.
fn day(moment: &str) -> &str {
    moment.split('T').next().unwrap_or_default()
}

/// Foreign text must not drive a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
