//! The same account, short, to paste into an issue or a letter.

use std::fmt::Write;

use super::browsers;
use super::model::{CampaignReport, Report};
use super::summary::Summary;
use super::words::{
    class, counted, evidence, network, number, owner, scope, share, short, span, title, visible,
};
use super::{Format, FormatError};

pub(super) static FORMAT: Format =
    Format { name: "md", purpose: "a short account to paste into an issue", document, tables: &[] };

/// Campaigns with a section of their own.
const CAMPAIGNS: usize = 10;

/// Most rows of a table.
const ROWS: usize = 20;

fn document(report: &Report) -> Result<String, FormatError> {
    let summary = Summary::of(report);
    let mut text = format!("# Who intercepts TLS: {}\n\n", scope(report));
    let mut paragraph = |words: &str| {
        text.push_str(words);
        text.push_str("\n\n");
    };
    paragraph(&format!("**{}**", summary.headline));
    paragraph(&summary.measured);
    paragraph(&summary.found);
    for words in &summary.campaigns {
        paragraph(&format!("- {}", plain(words)));
    }
    if let Some(more) = &summary.more {
        paragraph(&format!("- {more}"));
    }
    paragraph(&summary.otherwise);
    paragraph(&format!("*What this does not say.* {}", summary.silence));
    for found in report.ranked().into_iter().take(CAMPAIGNS) {
        campaign(&mut text, found);
    }
    others(&mut text, report);
    let reference = &report.reference;
    let programs = reference.programs.iter().map(|program| {
        let date = program.date.as_deref().unwrap_or("no date");
        let anchors = counted(program.anchors as u64, "anchor");
        let since = program.known_since.as_ref();
        let since = since.map(|day| format!(", known since {day}")).unwrap_or_default();
        format!("{} ({date}{since}, {anchors})", plain(&program.name))
    });
    let _ = writeln!(
        text,
        "Judged with Kua {}, reference data `{}`: {}; {} and {}.",
        reference.kua_version,
        short(&reference.digest),
        programs.collect::<Vec<_>>().join(", "),
        counted(reference.dossiers.len() as u64, "dossier"),
        counted(reference.controls, "control measurement"),
    );
    Ok(text)
}

fn campaign(text: &mut String, found: &CampaignReport) {
    let campaign = &found.campaign;
    let mut line = |words: String| {
        text.push_str(&words);
        text.push('\n');
    };
    line(format!("## {}\n", plain(&title(found))));
    line("| key | name in the certificate | known |\n|---|---|---|".into());
    for anchor in campaign.anchors.iter().take(ROWS) {
        let key = anchor.spki_sha256.map(|key| key.to_string());
        let key = key.or_else(|| anchor.authority_key_id.as_ref().map(|id| format!("id {id}")));
        let known = anchor.dossier.as_deref().unwrap_or("in no list");
        let key = code(&key.unwrap_or_else(|| "unknown".into()));
        line(format!("| {key} | {} | {} |", code(&anchor.subject), plain(known)));
    }
    line(more(campaign.anchors.len()));
    if !campaign.intermediates.is_empty() {
        line("| intermediate | valid | used | handshakes | outside validity |\n|---|---|---|--:|--:|".into());
        for row in campaign.intermediates.iter().take(ROWS) {
            line(format!(
                "| `{}` | {} | {} | {} | {} |",
                short(&row.sha256.to_string()),
                span(Some(&row.not_before), Some(&row.not_after)),
                span(row.first_seen.as_deref(), row.last_seen.as_deref()),
                number(row.handshakes),
                number(row.used_outside_validity),
            ));
        }
        line(more(campaign.intermediates.len()));
    }
    for window in &campaign.invalid_windows {
        let span = span(Some(&window.from), Some(&window.to));
        line(format!("- outside validity: {span}, {}", counted(window.handshakes, "handshake")));
    }
    if !campaign.invalid_windows.is_empty() {
        line(String::new());
    }
    if let Some(rows) = browsers::table(campaign) {
        line("What a user would have seen, with the interceptor's root:\n".into());
        line("| client | not installed | by the user | by policy |\n|---|---|---|---|".into());
        for row in rows {
            line(format!("| {} | {} |", plain(&row.name), row.cells.join(" | ")));
        }
        line(String::new());
    }
    line("| name | intercepted |\n|---|---|".into());
    for row in campaign.targets.iter().take(ROWS) {
        line(format!("| {} | {} |", code(&row.name), share(row.intercepted, row.handshakes)));
    }
    line(more(campaign.targets.len()));
    line("| network | run by | intercepted |\n|---|---|---|".into());
    for row in campaign.networks.iter().take(ROWS) {
        let (name, owner) = (plain(&network(row.asn, &row.name)), plain(&owner(row)));
        line(format!("| {name} | {owner} | {} |", share(row.intercepted, row.handshakes)));
    }
    line(more(campaign.networks.len()));
    if let Some(example) = found.examples.first() {
        line(format!(
            "Evidence, first of {}: {} at {}, {} {}.\n",
            number(found.examples.len() as u64),
            code(&example.target),
            example.started.as_deref().unwrap_or("no date"),
            plain(&example.vantage.cc),
            network(example.vantage.asn, ""),
        ));
        for finding in &example.findings {
            let facts = finding.evidence.iter().filter(|(_, value)| !value.is_null());
            let facts = facts.map(|(key, value)| {
                format!("{} {}", key.replace('_', " "), code(&evidence(value)))
            });
            let facts = facts.collect::<Vec<_>>().join(", ");
            line(format!(
                "- `{}` ({}): {}. {facts}",
                finding.detector, finding.level, finding.claim
            ));
        }
        for sha256 in &example.chain {
            line(format!("- presented: `{sha256}`"));
        }
        line(String::new());
    }
}

fn others(text: &mut String, report: &Report) {
    let counts: Vec<_> = report.not_campaigns.iter().filter(|(_, count)| **count > 0).collect();
    if counts.is_empty() {
        return;
    }
    text.push_str("## What was wrong and is no campaign\n\n| class | handshakes |\n|---|---|\n");
    for (name, count) in counts {
        let _ =
            writeln!(text, "| {} | {} |", class(name).0, share(*count, report.totals.handshakes));
    }
    text.push('\n');
}

fn more(rows: usize) -> String {
    match rows.saturating_sub(ROWS) {
        0 => String::new(),
        more => format!("\n{more} more are in the JSON report.\n"),
    }
}

/// Foreign text as code: nothing in it is markup, a mention or a link.
fn code(text: &str) -> String {
    match visible(text).replace('`', "'").replace('|', "\\|") {
        empty if empty.is_empty() => "not recorded".into(),
        text => format!("`{text}`"),
    }
}

/// Foreign text as text: what Markdown or a forge would read as markup is escaped.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for character in visible(text).chars() {
        match character {
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '&' => plain.push_str("&amp;"),
            // A mention or a number would notify or link.
            '@' | '#' => {
                plain.push('\\');
                plain.push(character);
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => {
                plain.push('\\');
                plain.push(character);
            }
            other => plain.push(other),
        }
    }
    plain
}
