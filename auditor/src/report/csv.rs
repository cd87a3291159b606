//! Tables for spreadsheets: one of everything, and one each of campaigns, intermediates, targets
//! and networks.

use kua::campaign::Rate;

use super::model::CampaignReport;
use super::words::title;
use super::{Format, FormatError, Report, Table};

pub(super) static FORMAT: Format = Format {
    name: "csv",
    purpose: "tables for spreadsheets",
    document,
    tables: &[
        Table { name: "campaigns", write: campaigns },
        Table { name: "intermediates", write: intermediates },
        Table { name: "networks", write: networks },
        Table { name: "targets", write: targets },
    ],
};

/// One row for every count of the report, with the kind of the row in its second column.
fn document(report: &Report) -> Result<String, FormatError> {
    let mut sheet = Sheet::new(&[
        "campaign",
        "row",
        "key",
        "name",
        "first_seen",
        "last_seen",
        "handshakes",
        "intercepted",
        "rate",
        "rate_low",
        "rate_high",
    ]);
    let totals = &report.totals;
    let (first, last) = (text(totals.first_day.as_ref()), text(totals.last_day.as_ref()));
    let (low, rate, high) = rate_cells(report.intercepted());
    sheet.row(&[
        "",
        "total",
        "",
        "",
        &first,
        &last,
        &totals.handshakes.to_string(),
        &totals.in_campaigns.to_string(),
        &rate,
        &low,
        &high,
    ]);
    for found in &report.campaigns {
        let campaign = &found.campaign;
        let id = campaign.id.as_str();
        let (first, last) = (text(campaign.first_seen.as_ref()), text(campaign.last_seen.as_ref()));
        let rate = Rate::of(found.intercepted, totals.handshakes);
        let (low, rate, high) = rate_cells(rate);
        let (all, part) = (totals.handshakes.to_string(), found.intercepted.to_string());
        sheet.row(&[
            id,
            "campaign",
            id,
            &title(found),
            &first,
            &last,
            &all,
            &part,
            &rate,
            &low,
            &high,
        ]);
        for anchor in &campaign.anchors {
            let key = text(anchor.spki_sha256.as_ref());
            let key = if key.is_empty() { text(anchor.authority_key_id.as_ref()) } else { key };
            sheet.row(&[id, "anchor", &key, &anchor.subject, "", "", "", "", "", "", ""]);
        }
        for row in &campaign.intermediates {
            let (first, last) = (text(row.first_seen.as_ref()), text(row.last_seen.as_ref()));
            let count = row.handshakes.to_string();
            let sha256 = row.sha256.to_string();
            sheet.row(&[
                id,
                "intermediate",
                &sha256,
                &row.serial,
                &first,
                &last,
                &count,
                &count,
                "",
                "",
                "",
            ]);
        }
        for row in &campaign.browsers {
            let (first, last) = (text(row.first_seen.as_ref()), text(row.last_seen.as_ref()));
            let count = row.handshakes.to_string();
            let key = format!("{} {}", row.browser, word(&row.installed));
            let name = row.rule.as_ref().map(|rule| format!(" by {rule}")).unwrap_or_default();
            let name = format!("{}{name}", row.shows.as_str());
            sheet.row(&[id, "browser", &key, &name, &first, &last, &count, &count, "", "", ""]);
        }
        for row in &campaign.targets {
            let (low, rate, high) = rate_cells(row.rate);
            sheet.row(&[
                id,
                "target",
                &row.name,
                "",
                "",
                "",
                &row.handshakes.to_string(),
                &row.intercepted.to_string(),
                &rate,
                &low,
                &high,
            ]);
        }
        for row in &campaign.networks {
            let (low, rate, high) = rate_cells(row.rate);
            sheet.row(&[
                id,
                "network",
                &format!("AS{}", row.asn),
                &row.name,
                "",
                "",
                &row.handshakes.to_string(),
                &row.intercepted.to_string(),
                &rate,
                &low,
                &high,
            ]);
        }
    }
    for (class, count) in &report.not_campaigns {
        let count = count.to_string();
        sheet.row(&["", "not-campaign", class, "", "", "", &count, "0", "", "", ""]);
    }
    Ok(sheet.0)
}

fn campaigns(report: &Report) -> String {
    let mut sheet = Sheet::new(&[
        "campaign",
        "title",
        "actor",
        "level",
        "interceptor",
        "first_seen",
        "last_seen",
        "handshakes",
        "intercepted",
        "rate",
        "rate_low",
        "rate_high",
        "anchors",
        "intermediates",
        "invalid_windows",
        "targets",
        "networks",
    ]);
    for found in &report.campaigns {
        let campaign = &found.campaign;
        let all = report.totals.handshakes;
        let (low, rate, high) = rate_cells(Rate::of(found.intercepted, all));
        sheet.row(&[
            &campaign.id,
            &title(found),
            &word(&campaign.actor),
            &campaign.level.to_string(),
            &text(campaign.interceptor.as_ref()),
            &text(campaign.first_seen.as_ref()),
            &text(campaign.last_seen.as_ref()),
            &all.to_string(),
            &found.intercepted.to_string(),
            &rate,
            &low,
            &high,
            &campaign.anchors.len().to_string(),
            &campaign.intermediates.len().to_string(),
            &campaign.invalid_windows.len().to_string(),
            &campaign.targets.len().to_string(),
            &campaign.networks.len().to_string(),
        ]);
    }
    sheet.0
}

fn intermediates(report: &Report) -> String {
    let mut sheet = Sheet::new(&[
        "campaign",
        "sha256",
        "sha1",
        "serial",
        "not_before",
        "not_after",
        "anchor_spki_sha256",
        "authority_key_id",
        "first_seen",
        "last_seen",
        "handshakes",
        "used_outside_validity",
    ]);
    for (found, row) in rows(report, |found| &found.campaign.intermediates) {
        sheet.row(&[
            &found.campaign.id,
            &row.sha256.to_string(),
            &row.sha1,
            &row.serial,
            &row.not_before,
            &row.not_after,
            &text(row.anchor_spki_sha256.as_ref()),
            &text(row.authority_key_id.as_ref()),
            &text(row.first_seen.as_ref()),
            &text(row.last_seen.as_ref()),
            &row.handshakes.to_string(),
            &row.used_outside_validity.to_string(),
        ]);
    }
    sheet.0
}

fn networks(report: &Report) -> String {
    let mut sheet = Sheet::new(&[
        "campaign",
        "asn",
        "name",
        "operator",
        "state_owned",
        "handshakes",
        "intercepted",
        "rate",
        "rate_low",
        "rate_high",
    ]);
    for (found, row) in rows(report, |found| &found.campaign.networks) {
        let (low, rate, high) = rate_cells(row.rate);
        sheet.row(&[
            &found.campaign.id,
            &row.asn.to_string(),
            &row.name,
            &text(row.operator.as_ref()),
            &text(row.state_owned.as_ref()),
            &row.handshakes.to_string(),
            &row.intercepted.to_string(),
            &rate,
            &low,
            &high,
        ]);
    }
    sheet.0
}

fn targets(report: &Report) -> String {
    let mut sheet = Sheet::new(&[
        "campaign",
        "name",
        "handshakes",
        "intercepted",
        "rate",
        "rate_low",
        "rate_high",
    ]);
    for (found, row) in rows(report, |found| &found.campaign.targets) {
        let (low, rate, high) = rate_cells(row.rate);
        sheet.row(&[
            &found.campaign.id,
            &row.name,
            &row.handshakes.to_string(),
            &row.intercepted.to_string(),
            &rate,
            &low,
            &high,
        ]);
    }
    sheet.0
}

fn rows<'a, R: 'a>(
    report: &'a Report,
    of: impl Fn(&'a CampaignReport) -> &'a Vec<R> + 'a,
) -> impl Iterator<Item = (&'a CampaignReport, &'a R)> {
    report.campaigns.iter().flat_map(move |found| of(found).iter().map(move |row| (found, row)))
}

fn text<T: ToString>(value: Option<&T>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// Low end, share and high end.
fn rate_cells(rate: Option<Rate>) -> (String, String, String) {
    let Some(rate) = rate else { return Default::default() };
    let cell = |share: f64| format!("{share:.4}");
    (cell(rate.low), cell(rate.value), cell(rate.high))
}

/// The word that JSON has for a value.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// Rows of RFC 4180.
struct Sheet(String);

impl Sheet {
    fn new(header: &[&str]) -> Self {
        let mut sheet = Self(String::new());
        sheet.row(header);
        sheet
    }

    fn row(&mut self, cells: &[&str]) {
        for (position, cell) in cells.iter().enumerate() {
            if position > 0 {
                self.0.push(',');
            }
            self.0.push_str(&quoted(cell));
        }
        self.0.push_str("\r\n");
    }
}

/// A cell as RFC 4180 writes it. A spreadsheet would run one that begins like a formula, so that
/// gets an apostrophe in front.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_are_no_formulas() {
        for (cell, written) in [
            ("plain", "plain"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("a \"b\"", "\"a \"\"b\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-1", "'-1"),
            ("+1,2", "\"'+1,2\""),
            ("\t=1", "'\t=1"),
        ] {
            assert_eq!(quoted(cell), written, "{cell:?}");
        }
    }
}
