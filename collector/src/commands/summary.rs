//! What an import came to, in numbers.

use std::io::{self, Write};

use kua_archive::Totals;

use super::refusals::Refusals;

#[derive(Clone, Copy, Default, clap::ValueEnum)]
pub(super) enum SummaryFormat {
    /// A table
    #[default]
    Text,
    /// One JSON object
    Json,
}

#[derive(Default)]
pub(super) struct Summary {
    pub(super) read: u64,
    pub(super) already_there: u64,
    /// Records that an import which was stopped had read before the place where this one began.
    pub(super) taken_before: u64,
    /// Files, and members of tars, that could not be read or not to their end.
    pub(super) broken: u64,
}

impl Summary {
    pub(super) fn print(
        &self,
        format: SummaryFormat,
        totals: Totals,
        refusals: &Refusals,
        stopped: bool,
    ) -> io::Result<()> {
        let text = match format {
            SummaryFormat::Text => self.text(totals, refusals),
            SummaryFormat::Json => format!("{}\n", self.json(totals, refusals, stopped)),
        };
        anstream::stdout().write_all(text.as_bytes())
    }

    fn text(&self, totals: Totals, refusals: &Refusals) -> String {
        let mut rows = Vec::new();
        if self.taken_before > 0 {
            rows.push(("read before".to_owned(), self.taken_before));
        }
        rows.push(("read".to_owned(), self.read));
        rows.push(("kept".into(), totals.records));
        rows.push(("already there".into(), self.already_there));
        rows.push(("rejected".into(), refusals.total()));
        rows.extend(refusals.kinds().map(|(kind, count)| (format!("  {kind}"), count)));
        rows.push(("new certificates".into(), totals.certificates));
        rows.iter().map(|(name, count)| format!("{name:<20}{count:>10}\n")).collect()
    }

    fn json(&self, totals: Totals, refusals: &Refusals, stopped: bool) -> serde_json::Value {
        let reasons: serde_json::Map<_, _> =
            refusals.kinds().map(|(kind, count)| (kind.to_owned(), count.into())).collect();
        serde_json::json!({
            "read_before": self.taken_before,
            "read": self.read,
            "kept": totals.records,
            "already_there": self.already_there,
            "rejected": refusals.total(),
            "rejected_by_reason": reasons,
            "new_certificates": totals.certificates,
            "broken_off": self.broken,
            "stopped": stopped,
        })
    }
}
