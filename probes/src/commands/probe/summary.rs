//! What a run comes to: a table, the counts, and what they mean in plain words.

use std::collections::BTreeMap;

use comfy_table::{Table, presets};
use kua::reference::{Actor, Reference};
use kua::verdict::{Judgement, Verdict};
use kua_console::words::{headline, meaning};

use super::screen::counted;

/// How many sites are named together.
const NAMES: usize = 8;

/// Width of paragraphs, in characters.
const WIDTH: usize = 80;

/// The whole text, with a line break at its end.
pub(super) fn text(
    mut judgements: Vec<Judgement>,
    measured: usize,
    missing: usize,
    reference: &Reference,
) -> String {
    judgements.sort_by(|left, right| order(left).cmp(&order(right)));
    let mut text = String::new();
    if !judgements.is_empty() {
        text.push_str(&table(&judgements));
        text.push('\n');
    }
    let mut counts = BTreeMap::new();
    for judgement in &judgements {
        *counts.entry(judgement.verdict).or_default() += 1;
    }
    let sites = if measured == 1 { "site" } else { "sites" };
    text.push_str(&format!("{measured} {sites} measured; judgements: {}\n", counted(&counts)));
    if missing > 0 {
        text.push_str(&not_measured(missing));
        text.push('\n');
    }
    for line in in_words(&judgements, reference) {
        text.push('\n');
        text.push_str(&wrapped(&line));
    }
    for paragraph in meaning(&judgements, reference) {
        text.push('\n');
        text.push_str(&wrapped(&paragraph));
    }
    text
}

/// How many sites are left after an interruption.
pub(super) fn not_measured(missing: usize) -> String {
    let sites = if missing == 1 { "site was" } else { "sites were" };
    format!("{missing} {sites} not measured: the run was interrupted")
}

/// Worst first, then by name and address.
fn order(judgement: &Judgement) -> impl Ord {
    (judgement.verdict, judgement.target.clone(), judgement.endpoint)
}

fn table(judgements: &[Judgement]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["TARGET", "ADDRESS", "VERDICT", "BY WHOM", "HOW SURE"]);
    for judgement in judgements {
        let text = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        table.add_row([
            text(judgement.target.clone()),
            text(judgement.endpoint.map(|endpoint| endpoint.to_string())),
            judgement.verdict.to_string(),
            by_whom(judgement),
            text(judgement.level.map(|level| level.to_string())),
        ]);
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim());
        text.push('\n');
    }
    text
}

/// The sites that are not normal, those of one explanation together, worst first.
fn in_words(judgements: &[Judgement], reference: &Reference) -> Vec<String> {
    let mut explained: Vec<(String, Vec<&str>)> = Vec::new();
    for judgement in judgements.iter().filter(|found| found.verdict != Verdict::Normal) {
        let words = headline(judgement, reference);
        let name = judgement.target.as_deref().unwrap_or("?");
        match explained.iter_mut().find(|(known, _)| *known == words) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => explained.push((words, vec![name])),
        }
    }
    let line = |(words, names): &(String, Vec<&str>)| match names.len().saturating_sub(NAMES) {
        0 => format!("{}: {words}", names.join(", ")),
        more => format!("{} and {more} more: {words}", names[..NAMES].join(", ")),
    };
    explained.iter().map(line).collect()
}

/// Only who is shown to intercept: a name on a certificate is nobody.
fn by_whom(judgement: &Judgement) -> String {
    let Some(actor) = judgement.actor else { return "-".into() };
    let actor = match actor {
        Actor::Local => "this machine or its network",
        Actor::Network => "the network",
        Actor::Portal => "a captive portal",
        Actor::PublicCa => "a public authority's key",
        Actor::State => "a state",
        Actor::Unknown => "unknown",
    };
    match &judgement.interceptor {
        Some(dossier) => format!("{actor} ({dossier})"),
        None => actor.into(),
    }
}

/// Lines of at most [`WIDTH`] characters, where words allow it.
fn wrapped(paragraph: &str) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in paragraph.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_wrapped_between_words() {
        let text = wrapped(&"twelve chars ".repeat(20));
        assert!(text.lines().all(|line| line.len() <= WIDTH && !line.ends_with(' ')), "{text}");
        assert_eq!(wrapped(&"x".repeat(WIDTH + 5)), format!("{}\n", "x".repeat(WIDTH + 5)));
    }
}
