//! What a machine trusts as a page: stores, groups of roots from the worst on, and what to do.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use kua_probes::machine::audit::{Group, Location, Report, Root, Summary};
use kua_probes::machine::signed::Signed;
use kua_probes::machine::{Trust, container::Kind};

use super::words;

const BOLD: Style = Style::new().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// Longest line of a paragraph, in characters.
const WIDTH: usize = 96;

/// How many names of one story are shown.
const NAMES: usize = 6;

pub(super) fn write(out: &mut impl Write, report: &Report, all: bool) -> io::Result<()> {
    let day = report.at.split('T').next().unwrap_or_default();
    let programs: Vec<_> = report
        .programs
        .iter()
        .map(|known| match &known.date {
            Some(date) => format!("{} ({date})", known.program),
            None => known.program.clone(),
        })
        .collect();
    writeln!(out, "{BOLD}What this machine trusts{BOLD:#}, as of {day}")?;
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
    if !report.settings.is_empty() {
        heading(out, "Settings")?;
    }
    for setting in &report.settings {
        writeln!(out, "  {}: {}", printable(&setting.place), printable(&setting.says))?;
        paragraph(out, "    ", &setting.means)?;
    }
    for group in groups(report) {
        section(out, report, group)?;
    }
    counted(out, report, all)?;
    story(out, report)?;
    what_to_do(out, report)
}

fn groups(report: &Report) -> Vec<Group> {
    let mut groups: Vec<_> = report.roots.iter().map(|root| root.group).collect();
    groups.dedup();
    groups
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
        (trusted, known) if trusted == known => format!("{trusted} roots, all in a root program"),
        (1, _) => "1 root, in no root program".into(),
        (trusted, 0) => format!("{trusted} roots, none in a root program"),
        (trusted, known) => {
            format!("{trusted} roots, {known} in a root program and {} in none", trusted - known)
        }
    }];
    let held = store.certificates.saturating_sub(store.trusted);
    for (count, words) in [
        (store.distrusted, "distrusted"),
        (held.saturating_sub(store.distrusted), "held and not trusted"),
        (store.passed_over, "other entries"),
    ] {
        if count > 0 {
            said.push(format!("{count} {words}"));
        }
    }
    writeln!(out, "    {}", said.join("; "))
}

fn section(out: &mut impl Write, report: &Report, group: Group) -> io::Result<()> {
    let Some((title, meaning)) = words::of_group(group) else { return Ok(()) };
    let roots: Vec<_> = report.roots.iter().filter(|root| root.group == group).collect();
    let style = if group <= Group::SharedKey { BAD } else { BOLD };
    writeln!(out, "\n{style}{title}{style:#} ({})", roots.len())?;
    paragraph(out, "  ", meaning)?;
    for root in roots {
        one(out, root)?;
    }
    Ok(())
}

fn one(out: &mut impl Write, root: &Root) -> io::Result<()> {
    writeln!(out, "\n  {BOLD}{}{BOLD:#}", name(root))?;
    for line in words::of_root(root) {
        paragraph(out, "    ", &printable(&line))?;
    }
    if let Some([from, until]) = &root.valid {
        let day = |moment: &str| moment.split('T').next().unwrap_or_default().to_owned();
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
    if root.subject.is_empty() { "no name".into() } else { printable(&root.subject) }
}

fn location(place: &Location) -> String {
    let mut text = printable(&place.store);
    if !place.label.is_empty() {
        text.push_str(&format!(": {}", printable(&place.label)));
    }
    text.push_str(&format!(" ({}", printable(&place.what)));
    match &place.since {
        Some(since) => {
            text.push_str(&format!("; dated {}", since.split('T').next().unwrap_or_default()))
        }
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

/// The roots that need no words: how many, and with `-v` which.
fn counted(out: &mut impl Write, report: &Report, all: bool) -> io::Result<()> {
    for (group, title) in [
        (Group::Held, "Certificates that are held and not trusted"),
        (Group::Public, "Roots that a root program vouches for"),
    ] {
        let roots: Vec<_> = report.roots.iter().filter(|root| root.group == group).collect();
        if roots.is_empty() {
            continue;
        }
        writeln!(out, "\n{BOLD}{title}{BOLD:#} ({})", roots.len())?;
        let state = |root: &&&Root| root.owner.as_ref().is_some_and(|owner| owner.state.is_some());
        let states = roots.iter().filter(state).count();
        if states > 0 {
            let text = format!(
                "{states} of them belong to authorities that a state runs or has a share in; root \
                 programs watch these as all others."
            );
            paragraph(out, "  ", &text)?;
        }
        if !all {
            writeln!(out, "  -v lists them")?;
        }
        for root in roots.iter().filter(|_| all) {
            writeln!(out, "\n  {}", name(root))?;
            for line in words::of_root(root) {
                paragraph(out, "    ", &printable(&line))?;
            }
            writeln!(out, "    sha256    {}", root.sha256)?;
            for place in &root.places {
                writeln!(out, "    in        {}", location(place))?;
            }
        }
    }
    Ok(())
}

/// What roots of this machine signed in the records.
fn story(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Some(records) = report.records else { return Ok(()) };
    heading(out, "What they signed")?;
    let text = format!(
        "{} of {} chains in {} measurements lead to a root of this machine that no root program \
         vouches for; by its key.",
        records.signed_here, records.chains, records.measurements
    );
    paragraph(out, "  ", &text)?;
    for root in &report.roots {
        if let Some(signed) = &root.signed {
            writeln!(out, "\n  {BOLD}{}{BOLD:#}", name(root))?;
            paragraph(out, "    ", &told(root, signed))?;
        }
    }
    Ok(())
}

fn told(root: &Root, signed: &Signed) -> String {
    let since = root.places.iter().filter_map(|place| place.since.as_deref()).min();
    let mut text = match since.and_then(|since| since.split('T').next()) {
        Some(since) => format!("On this machine in a file or entry dated {since}"),
        None => "On this machine since a day that no store kept".to_owned(),
    };
    let stores: Vec<_> = root.places.iter().map(|place| printable(&place.store)).collect();
    text.push_str(&format!(", in {}", stores.join(" and ")));
    let names: Vec<_> = signed.names.iter().take(NAMES).map(|name| printable(name)).collect();
    let more = match signed.names.len().saturating_sub(NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let chains =
        if signed.chains == 1 { "chain".to_owned() } else { format!("{} chains", signed.chains) };
    let names =
        if names.is_empty() { "no name".into() } else { format!("{}{more}", names.join(", ")) };
    text.push_str(&format!(", it signed the {chains} presented for {names}"));
    match (&signed.first, &signed.last) {
        (Some(first), Some(last)) if first == last => text.push_str(&format!(" at {first}")),
        (Some(first), Some(last)) => text.push_str(&format!(" from {first} to {last}")),
        _ => {}
    }
    if !signed.networks.is_empty() {
        let networks: Vec<_> = signed.networks.iter().map(|network| printable(network)).collect();
        text.push_str(&format!(", in {}", networks.join(", ")));
    }
    text.push('.');
    text
}

fn what_to_do(out: &mut impl Write, report: &Report) -> io::Result<()> {
    heading(out, "What to do, and how to undo it")?;
    let wanted: Vec<_> =
        report.roots.iter().filter(|root| words::wants_action(root.group)).collect();
    if wanted.is_empty() {
        let text = if report.roots.is_empty() {
            "No root was found. Programs with roots of their own built in (Firefox, Chrome, Node.js) \
             trust those all the same."
        } else {
            "Nothing. Every root that is trusted here is one that a root program vouches for."
        };
        return paragraph(out, "  ", text);
    }
    let titles =
        words::titles(wanted.iter().copied().filter(|root| root.group <= Group::SharedKey));
    if !titles.is_empty() {
        let text = format!(
            "Take out the roots of {}. Until then, do not enter passwords from this machine. If \
             somebody makes you keep them, use another machine for what nobody should read.",
            titles.join(" and of ")
        );
        paragraph(out, "  ", &text)?;
    }
    paragraph(
        out,
        "  ",
        "Take out a root only if you know what it is for, or know that nobody needs it: an \
         employer's programs, an antivirus or a container may stop to work without theirs. Each \
         way keeps a copy, so that you can put it back. Start programs again afterwards.",
    )?;
    for root in wanted {
        let places: Vec<_> =
            root.places.iter().filter(|place| place.trust == Trust::Trusted).collect();
        writeln!(out, "\n  {BOLD}{}{BOLD:#}", name(root))?;
        let mut any = false;
        for place in places {
            let Some(steps) = &place.steps else { continue };
            any = true;
            writeln!(out, "    out of {}", printable(&place.store))?;
            for step in &steps.take_out {
                writeln!(out, "      {step}")?;
            }
            writeln!(out, "    and back")?;
            for step in &steps.put_back {
                writeln!(out, "      {step}")?;
            }
        }
        if !any {
            paragraph(
                out,
                "    ",
                "Only in stores that the system makes from other places, or under a name that does \
                 not belong in a command. On Debian, put ! before its line in \
                 /etc/ca-certificates.conf and run update-ca-certificates; on Fedora and Arch, put a \
                 copy into the folder blocklist of the trust source and run update-ca-trust. Undo \
                 the same to have it back.",
            )?;
        }
    }
    Ok(())
}

fn heading(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{BOLD}{text}{BOLD:#}")
}

/// A text in lines of at most [`WIDTH`] characters, where words allow it.
fn paragraph(out: &mut impl Write, indent: &str, text: &str) -> io::Result<()> {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty()
            && indent.len() + line.chars().count() + 1 + word.chars().count() > WIDTH
        {
            writeln!(out, "{indent}{line}")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "{indent}{line}")
}

/// Foreign text must not drive a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
