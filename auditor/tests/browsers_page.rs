//! `docs/browsers.md` says what the built-in data says: `UPDATE_DOCS=1 cargo test --package
//! kua-auditor` writes it again.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write;
use std::path::Path;

use kua::reference::{About, Block, Browsers, Client, Installed, Reference, Rule, Shows};
use time::Date;

const HEAD: &str = "\
# What a browser would have shown

For a chain, a name and a time, `kua inspect`, every judgement that is not `normal` and every campaign of a
report say what each client would have shown: with the interceptor's root not installed, installed by the
user, and installed by policy. This page is made from `certs/browsers.toml` by a test:
`UPDATE_DOCS=1 cargo test --package kua-auditor`.

Silence means that a page opens as if nothing were wrong. It is what endangers people, so no warning is
claimed that was not shown. The question is always:
suppose that the key on top of this chain were an anchor of that client at that time; would path, dates, name,
algorithms, block lists or Certificate Transparency have stopped it? Where the root was not sent, its key in
the reference is supposed, or its name; then without constraints. The newest version of a client at that time
is meant. Whether a warning can be clicked away depends on HSTS, which a record does not hold.

The first of these that applies decides:

1. the client refuses the key: announced blocks below, then the block lists of the reference. OneCRL states the
   day of a block; the days of other lists are the first on which an entry is known to have been there, and an
   entry without one counts from the newest day of its list on: before them the answer is unknown;
2. a rule that warns;
3. what nobody here knows: a root program's state at that time, an issuer that is not in evidence (clients can
   fetch a missing certificate), an interceptor's key and a block list that is not here;
4. a rule that says unknown;
5. anything wrong with the chain that no rule speaks of: SHA-1, an RSA key below 2048 bits, a common name
   without alternative names, a root outside its own dates or constraints, what a strict client refuses;
6. silence.

A rule whose first day is not known is taken to hold at any time, unless a day is given on which it was found
to hold: before that day nothing is said.
";

#[test]
fn the_page_about_browsers_says_what_the_data_says() {
    let browsers = Reference::built_in().unwrap().browsers;
    let page = page(&browsers);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/browsers.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "docs/browsers.md is not what certs/browsers.toml says: UPDATE_DOCS=1");
}

fn page(browsers: &Browsers) -> String {
    let mut text = HEAD.to_owned();
    text.push_str(
        "\n## Clients\n\n| client | meant is | follows the roots of | obeys |\n|---|---|---|---|\n",
    );
    for client in &browsers.clients {
        let followed = client.stores.iter().map(|followed| {
            let span = span(followed.from, followed.until);
            format!("{}{span}", followed.program)
        });
        let scope = if client.scope.is_empty() { "any" } else { &client.scope };
        writeln!(
            text,
            "| {} | {scope} | {} | {} |",
            client.name,
            joined(followed),
            joined(client.obeys.iter().cloned())
        )
        .unwrap();
    }
    text.push_str("\n## Rules\n");
    for rule in &browsers.rules {
        text.push_str(&told(rule, &browsers.clients));
    }
    text.push_str("\n## Keys of known interceptors\n");
    for key in &browsers.keys {
        writeln!(text, "\n### `{}`\n\n`{}`\n", key.key_hash, key.name).unwrap();
        if let Some(why) = &key.never_public {
            writeln!(text, "- no root program ever held it: {}", linked(why)).unwrap();
        }
        for block in &key.blocks {
            let whose = joined(block.clients.iter().map(|id| name(id, &browsers.clients)));
            writeln!(text, "- {whose}: {}; {}", days(block), linked(&block.source)).unwrap();
        }
    }
    text
}

fn told(rule: &Rule, clients: &[Client]) -> String {
    let mut text = format!("\n### {}\n\n", rule.id);
    let shows = match (rule.about, rule.shows) {
        (About::Note | About::Pinned, _) => "for readers",
        (_, Shows::Silence) => "silence",
        (_, Shows::Warning) => "warning",
        (_, Shows::Unknown) => "unknown",
    };
    let states = rule.installed.iter().map(|state| match state {
        Installed::No => "not installed",
        Installed::ByUser => "by the user",
        Installed::ByPolicy => "by policy",
    });
    let since = match (rule.from, rule.until, rule.known_by) {
        (None, None, None) => "since when is not known".to_owned(),
        (None, None, Some(day)) => format!("since when is not known; found to hold by {day}"),
        (from, until, _) => span(from, until).trim_start_matches([',', ' ']).to_owned(),
    };
    let issued = rule.issued_from.map(|day| format!("; for leaves issued from {day} on"));
    writeln!(text, "**{shows}**: {}.\n", rule.why).unwrap();
    writeln!(text, "- {}", joined(rule.clients.iter().map(|id| name(id, clients)))).unwrap();
    writeln!(text, "- root {}", joined(states.map(str::to_owned))).unwrap();
    writeln!(text, "- {since}{}", issued.unwrap_or_default()).unwrap();
    writeln!(text, "- {}", linked(&rule.source)).unwrap();
    text
}

fn days(block: &Block) -> String {
    match (block.since, block.known_by) {
        (Some(day), _) => format!("from {day} on"),
        (None, Some(day)) => format!("since when is not known; found by {day}"),
        (None, None) => "since when is not known".into(),
    }
}

fn span(from: Option<Date>, until: Option<Date>) -> String {
    match (from, until) {
        (None, None) => String::new(),
        (Some(from), None) => format!(", from {from} on"),
        (None, Some(until)) => format!(", until {until}"),
        (Some(from), Some(until)) => format!(", {from} to {until}"),
    }
}

fn name(id: &str, clients: &[Client]) -> String {
    clients.iter().find(|client| client.id == id).map_or(id, |client| &client.name).to_owned()
}

fn joined(items: impl Iterator<Item = String>) -> String {
    let items: Vec<_> = items.collect();
    if items.is_empty() { "none".into() } else { items.join(", ") }
}

/// Addresses as links.
fn linked(source: &str) -> String {
    let words = source.split(' ').map(|word| {
        let address = word.trim_end_matches([';', ',']);
        match address.starts_with("https://") {
            true => word.replacen(address, &format!("<{address}>"), 1),
            false => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}
