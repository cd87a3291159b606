//! What each client would have shown, as a table with the rules below it.

use std::io::{self, Write};

use comfy_table::{Table, presets};
use kua::browser::{Outcome, notes};
use kua::reference::{Client, Installed, Reference, Shows};
use kua::verdict::Judgement;
use kua_console::words;

pub(super) fn write(
    out: &mut impl Write,
    judgement: &Judgement,
    reference: &Reference,
) -> io::Result<()> {
    let outcomes = &judgement.browsers;
    let clients = &reference.browsers.clients;
    if let Some(first) = outcomes.first()
        && outcomes.iter().all(|it| it.shows == Shows::Unknown && it.why == first.why)
    {
        return writeln!(out, "  nobody here can say: {}", first.why);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["", "root not installed", "by the user", "by policy"]);
    for client in clients {
        let cell = |installed: Installed| {
            let found =
                outcomes.iter().find(|it| it.client == client.id && it.installed == installed);
            found.map_or("-", |found| words::shown(found.shows, client.kind)).to_owned()
        };
        let mut row = vec![client.name.clone()];
        row.extend(Installed::ALL.map(cell));
        table.add_row(row);
    }
    for line in table.lines() {
        writeln!(out, "  {}", line.trim_end().strip_prefix(' ').unwrap_or_default())?;
    }
    let mut told: Vec<&Outcome> = Vec::new();
    for outcome in outcomes {
        if told.iter().any(|it| same(it, outcome)) {
            continue;
        }
        told.push(outcome);
        let whose = clients
            .iter()
            .filter(|client| outcomes.iter().any(|it| it.client == client.id && same(it, outcome)));
        let whose: Vec<_> = whose.map(named).collect();
        writeln!(out, "  {}: {}", outcome.shows.as_str(), outcome.why)?;
        writeln!(out, "    {}{}", whose.join(", "), rule(outcome))?;
    }
    let silent = |it: &&Outcome| it.installed != Installed::No && it.shows == Shows::Silence;
    if !outcomes.iter().any(|it| silent(&it)) {
        return Ok(());
    }
    for note in judgement.started.map(|at| notes(reference, at)).unwrap_or_default() {
        writeln!(out, "  besides: {}", note.why)?;
        let since = note.from.map(|day| format!(", since {day}")).unwrap_or_default();
        writeln!(out, "    rule {}{since}", note.id)?;
    }
    Ok(())
}

fn same(one: &Outcome, other: &Outcome) -> bool {
    (one.shows, &one.rule, &one.why) == (other.shows, &other.rule, &other.why)
}

fn named(client: &Client) -> &str {
    &client.name
}

fn rule(outcome: &Outcome) -> String {
    let Some(rule) = &outcome.rule else { return String::new() };
    let since = outcome.since.map(|day| format!(", since {day}"));
    let past = match outcome.overridable {
        Some(true) => ", a browser lets the user past it unless the site forbids that",
        Some(false) => ", nobody gets past it",
        None => "",
    };
    format!("; rule {rule}{}{past}", since.unwrap_or_default())
}
