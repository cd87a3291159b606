//! What to do about the roots of a page, and how to undo it.

use std::io::{self, Write};

use kua_probes::machine::Trust;
use kua_probes::machine::report::{Group, Report, Root};

use super::{BOLD, heading, name_and_hash, paragraph, printable};
use crate::commands::roots::words;

pub(super) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    heading(out, "What to do, and how to undo it")?;
    let (wanted, bundled): (Vec<_>, Vec<_>) = report
        .roots
        .iter()
        .filter(|root| root.group < Group::Distrusted)
        .partition(|root| root.is_added());
    if wanted.is_empty() && bundled.is_empty() {
        let text = if report.roots.is_empty() {
            "No root was found. Programs with roots of their own built in (Firefox, Chrome, \
             Node.js) trust those all the same."
        } else {
            "Nothing. A root program vouches for every root that is trusted here."
        };
        return paragraph(out, "  ", text);
    }
    let bad = |root: &&&Root| root.group <= Group::SharedKey;
    let titles = words::titles(wanted.iter().chain(&bundled).filter(bad).copied());
    if !titles.is_empty() {
        let text = format!(
            "Take out what belongs to {}. Until then, do not enter passwords on this machine. If \
             somebody makes you keep it, use another machine for what nobody should read.",
            titles.join("; to ")
        );
        paragraph(out, "  ", &text)?;
    }
    if !wanted.is_empty() {
        let text = "Ask who put a root here before you take it out: an employer's programs, an \
             antivirus or a container may stop working without theirs. Keep the copies, so that you \
             can put it back. Start programs again afterwards.";
        paragraph(out, "  ", text)?;
    }
    for root in wanted {
        ways(out, root)?;
    }
    if !bundled.is_empty() {
        writeln!(out)?;
        let text = format!(
            "Only in stores that the system makes from others: {} of the certificates above. Update \
             the system, which takes out what its root program removed. To take out one by \
             hand: on Debian, put ! before its line in /etc/ca-certificates.conf and run \
             update-ca-certificates; on Fedora and Arch, put a copy into the folder blocklist of the \
             trust source and run update-ca-trust. Undo the same to have it back.",
            bundled.len()
        );
        paragraph(out, "  ", &text)?;
    }
    Ok(())
}

/// The ways to take a root out; a store that the system makes follows by itself.
fn ways(out: &mut impl Write, root: &Root) -> io::Result<()> {
    writeln!(out, "\n  {BOLD}{}{BOLD:#}", name_and_hash(root))?;
    let places = root.places.iter();
    for place in places.filter(|place| place.trust == Trust::Trusted && !place.generated) {
        writeln!(out, "    out of {}", printable(&place.store))?;
        let Some(steps) = &place.steps else {
            let text = "by hand: its name there does not belong in a command";
            paragraph(out, "      ", text)?;
            continue;
        };
        for step in &steps.take_out {
            writeln!(out, "      {}", printable(step))?;
        }
        writeln!(out, "    and back")?;
        for step in &steps.put_back {
            writeln!(out, "      {}", printable(step))?;
        }
    }
    Ok(())
}
