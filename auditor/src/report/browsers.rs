//! What the users of clients would have seen of a campaign: a small table, and the rules below it.

use kua::campaign::{BrowserRow, Campaign};
use kua::reference::{Installed, Shows};
use kua_console::words::shown;

/// A client's row: without the interceptor's root, and with it by the user and by policy.
pub(super) struct ClientRow {
    pub(super) name: String,
    pub(super) cells: [String; 3],
}

/// A rule that decided, in words.
pub(super) struct RuleRow {
    pub(super) id: String,
    pub(super) since: String,
    pub(super) why: String,
}

/// `None` where nobody can say anything: stock records of OONI hold no leaf.
pub(super) fn table(campaign: &Campaign) -> Option<Vec<ClientRow>> {
    if campaign.browsers.iter().all(|row| row.shows == Shows::Unknown) {
        return None;
    }
    let mut names: Vec<&str> = campaign.browsers.iter().map(|row| row.name.as_str()).collect();
    names.dedup();
    let row = |name: &str| {
        let cell = |installed: Installed| {
            let own = campaign.browsers.iter();
            let own = own.filter(|row| row.name == name && row.installed == installed);
            words(&own.collect::<Vec<_>>())
        };
        ClientRow { name: name.to_owned(), cells: Installed::ALL.map(cell) }
    };
    Some(names.into_iter().map(row).collect())
}

/// The rules that decided, in the order of the table, each once.
pub(super) fn rules(campaign: &Campaign) -> Vec<RuleRow> {
    let mut rules: Vec<RuleRow> = Vec::new();
    for row in &campaign.browsers {
        let (Some(id), Some(why)) = (&row.rule, &row.why) else { continue };
        if rules.iter().all(|known| known.id != *id || known.since != since(row)) {
            rules.push(RuleRow { id: id.clone(), since: since(row), why: why.clone() });
        }
    }
    rules
}

fn since(row: &BrowserRow) -> String {
    row.since.clone().unwrap_or_else(|| "not known".into())
}

/// One word where it was always the same, else each with its days.
fn words(rows: &[&BrowserRow]) -> String {
    let mut spans: Vec<(Shows, &'static str, Option<&str>, Option<&str>)> = Vec::new();
    for row in rows {
        let (first, last) = (day(row.first_seen.as_ref()), day(row.last_seen.as_ref()));
        match spans.iter_mut().find(|(shows, ..)| *shows == row.shows) {
            Some((_, _, from, to)) => {
                *from = (*from).min(first);
                *to = (*to).max(last);
            }
            None => spans.push((row.shows, shown(row.shows, row.kind), first, last)),
        }
    }
    match spans.as_slice() {
        [] => "nothing to install".into(),
        [(_, word, ..)] => (*word).into(),
        several => {
            let said = several.iter().map(|(_, word, from, to)| match (from, to) {
                (Some(from), Some(to)) if from == to => format!("{word} {from}"),
                (Some(from), Some(to)) => format!("{word} {from} to {to}"),
                _ => (*word).to_owned(),
            });
            said.collect::<Vec<_>>().join("; ")
        }
    }
}

fn day(moment: Option<&String>) -> Option<&str> {
    moment.and_then(|moment| moment.get(..10))
}
