//! The whole report in a few plain sentences, for people who read nothing else.

use kua::detect::Level;

use super::model::{CampaignReport, Report};
use super::words::{certainty, counted, number, share_of, span, title};

/// Most campaigns with a sentence of their own.
const TOLD: usize = 10;

/// The account that every format for people begins with.
pub(super) struct Summary {
    /// One sentence.
    pub(super) headline: String,
    /// What was measured.
    pub(super) measured: String,
    /// What was found, in all.
    pub(super) found: String,
    /// Who, one sentence a campaign.
    pub(super) campaigns: Vec<String>,
    /// Campaigns that have no sentence of their own.
    pub(super) more: Option<String>,
    /// What is wrong and accuses nobody.
    pub(super) otherwise: String,
    /// What none of this says.
    pub(super) silence: &'static str,
}

impl Summary {
    pub(super) fn of(report: &Report) -> Self {
        Self {
            headline: headline(report),
            measured: measured(report),
            found: found(report),
            campaigns: report.ranked().into_iter().take(TOLD).map(campaign).collect(),
            more: (report.campaigns.len() > TOLD).then(|| {
                let more = report.campaigns.len() - TOLD;
                format!("{} more, less sure or smaller than these.", number(more as u64))
            }),
            otherwise: otherwise(report),
            silence: if report.campaigns.is_empty() {
                "This does not mean that nobody intercepts. It means that these measurements, \
                 compared with this reference data, do not show it: other names, networks or days \
                 may differ, and a chain that was not recorded shows nothing."
            } else {
                "The numbers describe the handshakes that volunteers made, not the traffic of a \
                 country. A name or network that is not listed was not seen to be intercepted, \
                 which is not the same as not intercepted. A network is listed because a probe in \
                 it was shown a forged chain; that does not say that its operator forged it."
            },
        }
    }
}

fn headline(report: &Report) -> String {
    if report.totals.handshakes == 0 {
        return "No TLS handshake was measured, so nothing can be said about interception.".into();
    }
    let at = |level: Level| {
        report.campaigns.iter().filter(|found| found.campaign.level == level).count() as u64
    };
    let levels: Vec<_> = [
        (Level::Confirmed, "confirmed"),
        (Level::Probable, "probable"),
        (Level::Possible, "possible"),
    ]
    .into_iter()
    .filter(|(level, _)| at(*level) > 0)
    .collect();
    let Some((highest, _)) = levels.first() else {
        return "No campaign of interception was found in these measurements.".into();
    };
    let begin = match highest {
        Level::Confirmed => "Interception was found",
        Level::Probable => "Interception is probable",
        Level::Possible => "Interception is possible, but not shown",
    };
    let campaigns = match (report.campaigns.len(), levels.as_slice()) {
        (1, [(_, word)]) => format!("one campaign, {word}"),
        (many, _) => {
            let levels = levels.iter().map(|(level, word)| format!("{} {word}", at(*level)));
            format!("{many} campaigns, {}", listed(&levels.collect::<Vec<_>>()))
        }
    };
    format!("{begin}: {campaigns}.")
}

fn measured(report: &Report) -> String {
    let totals = &report.totals;
    let place = match &report.scope.cc {
        Some(country) => format!(" from vantage points in {country}"),
        None => String::new(),
    };
    let time = match (&totals.first_day, &totals.last_day) {
        (Some(first), Some(last)) if first != last => format!(" between {first} and {last}"),
        (Some(day), _) => format!(" on {day}"),
        _ => String::new(),
    };
    let mut text = format!(
        "{}{place}{time} reached {}; certificates were recorded in {}.",
        counted(totals.measurements, "measurement"),
        counted(totals.handshakes, "TLS handshake"),
        number(totals.with_chain),
    );
    if totals.out_of_scope > 0 {
        text += &format!(
            " {} outside the scope of this report and not counted.",
            agree(totals.out_of_scope, "record was", "records were")
        );
    }
    if totals.rejected > 0 {
        text += &format!(
            " {} not be read as a measurement.",
            agree(totals.rejected, "line could", "lines could")
        );
    }
    if totals.broken_off > 0 {
        text += &format!(
            " {} not be read to the end.",
            agree(totals.broken_off, "file could", "files could")
        );
    }
    text
}

/// A number with what agrees with it.
fn agree(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

fn found(report: &Report) -> String {
    let totals = &report.totals;
    if totals.handshakes == 0 {
        return "Without a handshake nobody can say who answered.".into();
    }
    format!(
        "Somebody answered in the site's place, as part of a campaign, in {}.",
        share_of(totals.in_campaigns, totals.handshakes, "handshakes"),
    )
}

fn campaign(found: &CampaignReport) -> String {
    let campaign = &found.campaign;
    format!(
        "{}: {}, {}, {}, {}. {}",
        title(found),
        counted(found.intercepted, "handshake"),
        counted(campaign.targets.len() as u64, "name"),
        counted(campaign.networks.len() as u64, "network"),
        span(campaign.first_seen.as_deref(), campaign.last_seen.as_deref()),
        certainty(found),
    )
}

fn otherwise(report: &Report) -> String {
    let wrong: u64 = report.not_campaigns.values().sum();
    if report.totals.handshakes == 0 {
        return "Nothing else was found either.".into();
    }
    if wrong == 0 {
        return "Every other handshake showed a chain that a public root program vouches for."
            .into();
    }
    format!(
        "Something else was wrong, or could not be judged, in {}. These are counted by class below \
         and accuse nobody.",
        share_of(wrong, report.totals.handshakes, "handshakes"),
    )
}

fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
