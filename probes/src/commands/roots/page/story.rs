//! What roots of this machine signed in the records: root, since when, where, for whom, when.

use std::io::{self, Write};

use kua_probes::machine::Trust;
use kua_probes::machine::report::{Report, Root};
use kua_probes::machine::signed::Signed;

use super::{BOLD, day, heading, name_and_hash, paragraph, printable};

/// How many names of one story are shown.
const NAMES: usize = 6;

pub(super) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Some(records) = report.records else { return Ok(()) };
    heading(out, "What they signed")?;
    let text = format!(
        "{} of {} chains in {} measurements lead, by signature, to a root that lies here and that \
         no root program vouches for.",
        records.signed_here, records.chains, records.measurements
    );
    paragraph(out, "  ", &text)?;
    for root in &report.roots {
        if let Some(signed) = &root.signed {
            writeln!(out, "\n  {BOLD}{}{BOLD:#}", name_and_hash(root))?;
            paragraph(out, "    ", &told(root, signed))?;
        }
    }
    Ok(())
}

fn told(root: &Root, signed: &Signed) -> String {
    let trusted = root.places.iter().filter(|place| place.trust == Trust::Trusted);
    let stores: Vec<_> = trusted.map(|place| printable(&place.store)).collect();
    let mut text = match stores.as_slice() {
        [] => "Trusted in no store here".to_owned(),
        stores => format!("Trusted in {}", stores.join(" and ")),
    };
    match root.places.iter().filter_map(|place| place.since.as_deref()).min() {
        Some(since) => {
            text.push_str(&format!(" (oldest date of an entry or file: {})", day(since)));
        }
        None => text.push_str(" (no store keeps a date)"),
    }
    let chains = match signed.chains {
        1 => "chain".to_owned(),
        chains => format!("{chains} chains"),
    };
    text.push_str(&format!(", it signed the {chains} presented for {}", names(signed)));
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

fn names(signed: &Signed) -> String {
    let names: Vec<_> = signed.names.iter().take(NAMES).map(|name| printable(name)).collect();
    match (names.is_empty(), signed.names.len().saturating_sub(NAMES)) {
        (true, _) => "no name".into(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{} and {more} more", names.join(", ")),
    }
}
