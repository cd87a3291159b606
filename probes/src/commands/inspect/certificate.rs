//! What matters of one certificate, line by line.

use std::io::{self, Write};

use data_encoding::HEXLOWER;
use kua::campaign::decimal;
use kua::chain::fields::{Fields, Key};
use kua::chain::{Certificate, KeyHash};
use kua::ct::{LogList, Outcome, check};
use kua::moment::rfc3339;
use kua_console::Moment;

/// How many names are shown of one that has many.
const NAMES: usize = 6;

pub(super) fn write(
    out: &mut impl Write,
    certificate: &Certificate,
    at: Option<Moment>,
    all: bool,
) -> io::Result<()> {
    let Some(fields) = certificate.fields() else {
        writeln!(out, "    unreadable   {} bytes that no parser accepts", certificate.der().len())?;
        writeln!(out, "    sha256       {}", certificate.fingerprint())?;
        return Ok(());
    };
    writeln!(out, "    subject      {}", fields.subject)?;
    writeln!(out, "    issuer       {}", fields.issuer)?;
    if !fields.alternative_names.is_empty() {
        writeln!(out, "    names        {}", names(fields, all))?;
    }
    writeln!(out, "    valid        {}", validity(fields, at))?;
    writeln!(out, "    key          {}", key(&fields.key))?;
    writeln!(out, "    signature    {}", algorithm(&fields.signature_algorithm))?;
    writeln!(out, "    sha256       {}", certificate.fingerprint())?;
    writeln!(out, "    spki sha256  {}", fields.key_hash)?;
    if all {
        writeln!(out, "    sha1         {}", certificate.sha1())?;
        writeln!(out, "    serial       {}", decimal(&fields.serial))?;
        writeln!(out, "    version      {}", fields.version)?;
        for (name, id) in [("subject key", &fields.ski), ("issuer key", &fields.aki)] {
            if let Some(id) = id {
                writeln!(out, "    {name:<12} {}", HEXLOWER.encode(id))?;
            }
        }
        writeln!(out, "    extensions   {}", fields.extensions.join(" "))?;
    }
    Ok(())
}

/// Which logs promised to show the leaf that `signer` signed.
pub(super) fn write_scts(
    out: &mut impl Write,
    leaf: &Certificate,
    signer: Option<KeyHash>,
    logs: &[LogList],
) -> io::Result<()> {
    let Some(fields) = leaf.fields() else { return Ok(()) };
    let scts = check(fields, signer, logs);
    let valid = scts.iter().filter(|sct| sct.outcome == Outcome::Valid).count();
    if scts.is_empty() {
        return writeln!(out, "    SCTs         none");
    }
    let told: Vec<String> = scts
        .iter()
        .map(|sct| {
            let log = sct.log.map(|log| printable(&log.description));
            match (log, sct.outcome) {
                (Some(log), Outcome::Valid) => log,
                (Some(log), outcome) => format!("{log} ({})", in_words(outcome)),
                (None, outcome) => in_words(outcome).into(),
            }
        })
        .collect();
    writeln!(out, "    SCTs         {valid} of {} valid: {}", scts.len(), told.join(", "))
}

fn in_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::BadSignature => "made for another certificate",
        Outcome::IssuerUnknown => "cannot be checked: nobody knows who signed the leaf",
        Outcome::UnknownLog => "a log that no list here knows",
        Outcome::Unparsable => "unreadable",
        Outcome::Valid => "valid",
    }
}

fn names(fields: &Fields, all: bool) -> String {
    let shown = if all { usize::MAX } else { NAMES };
    let names: Vec<_> =
        fields.alternative_names.iter().take(shown).map(|name| printable(name)).collect();
    match fields.alternative_names.len().saturating_sub(shown) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// Foreign text must not drive a terminal.
fn printable(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn validity(fields: &Fields, at: Option<Moment>) -> String {
    let days = (fields.not_after - fields.not_before).whole_days();
    let span = format!("{} to {}", rfc3339(fields.not_before), rfc3339(fields.not_after));
    let when = match at {
        Some(at) if at > fields.not_after => {
            format!(", ended {} before it was seen", ago(at - fields.not_after))
        }
        Some(at) if at < fields.not_before => {
            format!(", begins {} after it was seen", ago(fields.not_before - at))
        }
        _ => String::new(),
    };
    format!("{span} ({days} days{when})")
}

fn ago(span: time::Duration) -> String {
    match span.whole_days() {
        0 => format!("{} h", span.whole_hours()),
        1 => "1 day".into(),
        days => format!("{days} days"),
    }
}

fn key(key: &Key) -> String {
    match key {
        Key::Rsa { bits } => format!("RSA, {bits} bits"),
        Key::Ed25519 => "Ed25519".into(),
        Key::Ec { curve } => match curve.as_str() {
            "1.2.840.10045.3.1.7" => "ECDSA, P-256".into(),
            "1.3.132.0.34" => "ECDSA, P-384".into(),
            "1.3.132.0.35" => "ECDSA, P-521".into(),
            other => format!("elliptic curve {other}"),
        },
        Key::Other { algorithm } => format!("algorithm {algorithm}"),
    }
}

fn algorithm(oid: &str) -> &str {
    match oid {
        "1.2.840.113549.1.1.4" => "RSA with MD5",
        "1.2.840.113549.1.1.5" => "RSA with SHA-1",
        "1.2.840.113549.1.1.10" => "RSA-PSS",
        "1.2.840.113549.1.1.11" => "RSA with SHA-256",
        "1.2.840.113549.1.1.12" => "RSA with SHA-384",
        "1.2.840.113549.1.1.13" => "RSA with SHA-512",
        "1.2.840.10045.4.3.2" => "ECDSA with SHA-256",
        "1.2.840.10045.4.3.3" => "ECDSA with SHA-384",
        "1.2.840.10045.4.3.4" => "ECDSA with SHA-512",
        "1.3.101.112" => "Ed25519",
        other => other,
    }
}
