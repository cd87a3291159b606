//! One judgement as a page: the tree, the certificates, the root programs, what it shows and why.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use kua::detect::{Finding, State};
use kua::measurement::Handshake;
use kua::reference::Reference;
use kua::trust::{Answer, StateOf};
use kua::verdict::{Judgement, Verdict};
use kua_console::words;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::{browsers, certificate, tree};

const BOLD: Style = Style::new().bold();

/// Programs change every few weeks; an older state than this is worth a word.
const STALE: Duration = Duration::days(90);

pub(super) fn write(
    out: &mut impl Write,
    shaken: Option<&Handshake>,
    judgement: &Judgement,
    reference: &Reference,
    all: bool,
) -> io::Result<()> {
    head(out, shaken, judgement)?;
    if let (Some(chain), Some(path)) = (&judgement.chain, &judgement.path) {
        heading(out, "Who signed whom, by key")?;
        tree::write(out, chain, path, reference)?;
        heading(out, "Certificates, as they were sent")?;
        for (position, sent) in chain.certificates().iter().enumerate() {
            writeln!(out, "  {}", position + 1)?;
            certificate::write(out, sent, judgement.started, all)?;
            if position == 0 && sent.fields().is_some_and(|fields| !fields.is_ca) {
                let signer = path.signers(chain).first().copied();
                certificate::write_scts(out, sent, signer, &reference.logs)?;
            }
        }
        heading(out, "Would its clients have accepted it?")?;
        programs(out, judgement, shaken)?;
        if !judgement.browsers.is_empty() {
            heading(out, "What would a browser have shown?")?;
            browsers::write(out, judgement, reference)?;
        }
    }
    heading(out, "What it shows")?;
    verdict(out, judgement, reference)?;
    if !judgement.findings.is_empty() {
        heading(out, "Findings")?;
        for found in &judgement.findings {
            finding(out, found)?;
        }
    }
    Ok(())
}

fn head(out: &mut impl Write, shaken: Option<&Handshake>, judgement: &Judgement) -> io::Result<()> {
    let target = judgement.target.as_deref().unwrap_or("no name");
    write!(out, "{BOLD}{target}{BOLD:#}")?;
    if let Some(endpoint) = judgement.endpoint {
        write!(out, " at {endpoint}")?;
    }
    if let Some(started) = judgement.started {
        write!(out, ", seen {}", kua::moment::rfc3339(started))?;
    }
    if judgement.probe_asn != 0 {
        write!(out, " from {} AS{}", judgement.probe_cc, judgement.probe_asn)?;
    }
    if let Some(line) = judgement.line {
        write!(out, " (line {line})")?;
    }
    writeln!(out)?;
    let Some(shaken) = shaken else { return Ok(()) };
    let group = shaken.extra.group.as_deref().unwrap_or_default();
    let spoken = [shaken.version.as_str(), &shaken.cipher, group, &shaken.alpn];
    let spoken: Vec<_> = spoken.into_iter().filter(|part| !part.is_empty()).collect();
    if !spoken.is_empty() {
        writeln!(out, "  {}", spoken.join(", "))?;
    }
    if let Some(failure) = &shaken.failure {
        writeln!(out, "  failure: {failure}")?;
    }
    if shaken.extra.holds_key == Some(false) {
        writeln!(out, "  the peer did not prove that it holds the leaf's key")?;
    }
    if !shaken.whole {
        writeln!(
            out,
            "  the record kept one certificate of the chain, which need not be the leaf"
        )?;
    }
    Ok(())
}

fn programs(
    out: &mut impl Write,
    judgement: &Judgement,
    shaken: Option<&Handshake>,
) -> io::Result<()> {
    if judgement.programs.is_empty() {
        let unrecorded = shaken.is_some_and(|shaken| shaken.leaf().is_none());
        let why = if unrecorded { "the leaf was not recorded" } else { "no name was given" };
        return writeln!(out, "  cannot say: {why}");
    }
    for answer in &judgement.programs {
        let said = if answer.accepts { "yes, by" } else { "no:" };
        let state = state(answer, judgement.started);
        writeln!(out, "  {} ({state}): {said} {}", answer.program, answer.why)?;
    }
    Ok(())
}

/// Which state of the program was asked, and where it only stands in for an unknown one.
fn state(answer: &Answer, at: Option<OffsetDateTime>) -> String {
    let Some(day) = answer.state else { return "no date".to_owned() };
    match answer.history {
        StateOf::Later => format!("{day}; its state before is not known"),
        StateOf::Earlier if at.is_some_and(|at| at.date() - day > STALE) => {
            format!("{day}; its state since is not known")
        }
        _ => day.to_string(),
    }
}

fn verdict(out: &mut impl Write, judgement: &Judgement, reference: &Reference) -> io::Result<()> {
    let style = match judgement.verdict {
        Verdict::Intercepted => AnsiColor::Red.on_default().bold(),
        Verdict::Blocked | Verdict::Anomaly => AnsiColor::Yellow.on_default().bold(),
        Verdict::Normal => AnsiColor::Green.on_default().bold(),
        Verdict::Misconfigured | Verdict::Inconclusive => BOLD,
    };
    write!(out, "  {style}{}{style:#}", judgement.verdict)?;
    if let Some(level) = judgement.level {
        write!(out, " ({level})")?;
    }
    writeln!(out, ": {}", words::headline(judgement, reference))?;
    if !judgement.basis.is_empty() {
        let basis = serde_json::to_value(&judgement.basis).unwrap_or_default();
        let basis: Vec<_> =
            basis.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        writeln!(out, "  on the grounds of: {}", basis.join(", "))?;
    }
    if let Some(key) = &judgement.signing_key {
        writeln!(out, "  signing key: {} ({})", key.key_hash, key.subject)?;
    }
    Ok(())
}

fn finding(out: &mut impl Write, found: &Finding) -> io::Result<()> {
    writeln!(out, "  {BOLD}{}{BOLD:#} ({}): {}", found.detector, found.level, found.claim)?;
    for (name, value) in &found.evidence {
        if !value.is_null() {
            writeln!(out, "    {}: {}", name.replace('_', " "), plain(value))?;
        }
    }
    if found.innocent.is_empty() {
        return Ok(());
    }
    writeln!(out, "    innocent causes:")?;
    for cause in &found.innocent {
        match &cause.state {
            State::RuledOut(how) => writeln!(out, "      ruled out: {}: {how}", cause.cause)?,
            State::Open(_) => writeln!(out, "      open: {}", cause.cause)?,
        }
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name} {}", plain(value)));
            fields.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

fn heading(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{BOLD}{text}{BOLD:#}")
}
