//! Numbers and judgements in the words that all formats share. Names nobody without a key.

use kua::campaign::{NetworkRow, Rate};
use kua::detect::Level;
use kua::reference::Actor;
use serde_json::Value;

use super::model::{CampaignReport, Report};

/// `12 of 40 (30 %, 18 to 45 %)`.
pub(super) fn share(part: u64, whole: u64) -> String {
    share_of(part, whole, "")
}

/// `12 of 40 handshakes (30 %, 18 to 45 %)`.
pub(super) fn share_of(part: u64, whole: u64, what: &str) -> String {
    let gap = if what.is_empty() { "" } else { " " };
    let counts = format!("{} of {}{gap}{what}", number(part), number(whole));
    let Some(rate) = Rate::of(part, whole) else { return counts };
    // An end that was rounded to none or all is neither, unless the share is.
    let low = if part > 0 { rate.low.max(f64::MIN_POSITIVE) } else { 0.0 };
    let high = if part < whole { rate.high.min(1.0 - f64::EPSILON) } else { 1.0 };
    let low = percent(low);
    let low = low.trim_end_matches(" %");
    // The rate itself is already rounded; to round it once more could turn 3.448 into 3.5.
    let share = percent(part as f64 / whole as f64);
    format!("{counts} ({share}, {low} to {})", percent(high))
}

/// Whole percent, or tenths near the ends; never rounded to none or all.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        0.0 => "0 %".into(),
        100.0 => "100 %".into(),
        low if low < 0.01 => "<0.01 %".into(),
        low if low < 0.095 => format!("{low:.2} %"),
        high if high > 99.9 => ">99.9 %".into(),
        middle if (9.95..=98.0).contains(&middle) => format!("{middle:.0} %"),
        edge => format!("{edge:.1} %").replace(".0 %", " %"),
    }
}

/// `12,345`.
pub(super) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 handshake`, `2 handshakes`.
pub(super) fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", number(count))
}

/// What a campaign is called: a dossier's title, or that nobody knows.
pub(super) fn title(found: &CampaignReport) -> String {
    match &found.about {
        Some(about) => visible(&about.title),
        // No more of the id than tells two of them apart.
        None => {
            let id: String = found.campaign.id.chars().take(16).collect();
            let kind = match found.campaign.level {
                Level::Possible => "A possible interceptor",
                Level::Probable | Level::Confirmed => "An interceptor",
            };
            format!("{kind} that nobody has named ({id})")
        }
    }
}

/// Why it is as sure as it is.
pub(super) fn grounds(found: &CampaignReport) -> &'static str {
    match (found.about.is_some(), found.campaign.level) {
        (true, Level::Confirmed) => {
            "A published key of this interceptor signed the chains that were presented."
        }
        (true, Level::Probable) => {
            "A certificate of this interceptor was presented, but its key was not seen to be used."
        }
        (true, Level::Possible) => {
            "A chain of this interceptor was presented by somebody who did not prove to hold its key."
        }
        (false, Level::Confirmed) => {
            "Independent lines of evidence agree that chains were replaced. Whose key replaced them is not known."
        }
        (false, Level::Probable) => {
            "Controls, or many other networks, were shown publicly trusted chains for the same names. Whose key replaced them is not known."
        }
        (false, Level::Possible) => {
            "It fits interception, and other explanations fit as well. Whose key it is is not known."
        }
    }
}

/// How sure, with the reason.
pub(super) fn certainty(found: &CampaignReport) -> String {
    let level = match found.campaign.level {
        Level::Confirmed => "Confirmed",
        Level::Probable => "Probable",
        Level::Possible => "Possible",
    };
    format!("{level}. {}", grounds(found))
}

/// What kind of interceptor.
pub(super) fn actor(actor: Actor) -> &'static str {
    match actor {
        Actor::State => "a state",
        Actor::PublicCa => "a publicly trusted authority whose key was misused",
        Actor::Network => "somebody on the path; the owner is unknown",
        Actor::Local => "software on the machine or its owner's network",
        Actor::Portal => "a captive portal",
        Actor::Unknown => "unknown",
    }
}

/// A class of what is wrong and no campaign: its heading, and what it means.
pub(super) fn class(class: &str) -> (&str, &'static str) {
    match class {
        "anomaly" => (
            "Wrong, and unexplained",
            "Something does not fit and nothing here says why. It may be a broken site, a broken network or an interception; it accuses nobody.",
        ),
        "blocked" => (
            "Connection cut",
            "The handshake was cut here while a control reached the site. That is what blocking looks like; once, a broken line looks the same.",
        ),
        "clock-skew" => (
            "The probe's clock",
            "The chains of several sites were out of date in one run, and one correction of the probe's clock makes all of them valid. It accuses nobody.",
        ),
        "consensus-outlier" => (
            "Trusted, and seen by one network alone",
            "A public authority vouches for the key, but only one network was shown it, while others were shown another key on the same days. A certificate that its owner did not ask for looks so; so can a server of the site inside that network. Ask the owner of the name.",
        ),
        "dns-redirected" => (
            "Sent elsewhere by DNS",
            "The name was looked up to an address that is not the site's, where a certificate for other names answers: a page that says that the site is blocked, a router, a login page. That is no interception of TLS.",
        ),
        "inconclusive" => (
            "Could not be judged",
            "No chain was recorded, or nothing vouches for or against it. That is no news, and not good news.",
        ),
        "instrument-defect" => (
            "The measuring program's own fault",
            "One version of the program refused the chain in every network, and no other version did. It accuses nobody.",
        ),
        "local" => (
            "Opened on the machine or its own network",
            "The issuer calls itself by the name of an antivirus, a parental control or an employer's proxy. If the owner of the machine or network installed it, that is what it does. A name can be copied, so this clears nobody.",
        ),
        "misconfigured" => (
            "The site's own mistake",
            "The site presents this chain to everybody, or only the dates of its public certificate are wrong.",
        ),
        "portal" => (
            "Captive portal",
            "A network that wants a login first answers in the place of every site, as in hotels and trains.",
        ),
        "private-pki" => (
            "The owner's own authority",
            "The owner of the name runs an authority of their own and ships it in their own programs, as Signal does. No root program is meant to know it, and it accuses nobody.",
        ),
        "site-chose-state-ca" => (
            "The site chose a state's authority",
            "The chain is signed by a state's authority, and the owner of the site is likely to have chosen it. That is no interception.",
        ),
        other => (other, "Counted apart, because it is no campaign of interception."),
    }
}

/// `AS9198 Kazakhtelecom`.
pub(super) fn network(asn: u32, name: &str) -> String {
    match (asn, name) {
        (0, "") => "unknown network".into(),
        (0, name) => visible(name),
        (asn, "") => format!("AS{asn}"),
        (asn, name) => format!("AS{asn} {}", visible(name)),
    }
}

/// Who runs a network; empty where the table of state-owned networks does not say.
pub(super) fn owner(network: &NetworkRow) -> String {
    match (&network.operator, network.state_owned) {
        (Some(operator), Some(true)) => format!("{}, state-owned", visible(operator)),
        (Some(operator), _) => visible(operator),
        (None, _) => String::new(),
    }
}

/// Day of an RFC 3339 moment.
pub(super) fn day(moment: &str) -> &str {
    moment.split_once('T').map_or(moment, |(day, _)| day)
}

/// `2021-08-08 to 2024-09-01`, or one day; nothing where nothing is known.
pub(super) fn span(first: Option<&str>, last: Option<&str>) -> String {
    match (first.map(day), last.map(day)) {
        (Some(first), Some(last)) if first == last => first.to_owned(),
        (Some(first), Some(last)) => format!("{first} to {last}"),
        (Some(only), None) | (None, Some(only)) => only.to_owned(),
        (None, None) => "no date".into(),
    }
}

/// First digits of a long hash.
pub(super) fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// A value of a finding's evidence in one line.
pub(super) fn evidence(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => visible(text),
        Value::Array(values) => values.iter().map(evidence).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| {
                format!("{} {}", visible(&key.replace('_', " ")), evidence(value))
            });
            fields.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

/// Foreign text without characters that break lines or turn the direction of writing: they are
/// shown by their number.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{061c}'
            | '\u{feff}' => shown.push_str(&format!("<U+{:04X}>", u32::from(character))),
            control if control.is_control() => {
                shown.push_str(&format!("<U+{:04X}>", u32::from(control)));
            }
            other => shown.push(other),
        }
    }
    shown
}

/// What a report is about, in a few words: `KZ, 2021-08-08 to 2024-09-01`.
pub(super) fn scope(report: &Report) -> String {
    let country = report.scope.cc.as_deref().unwrap_or("all countries");
    let (first, last) = (report.totals.first_day.as_deref(), report.totals.last_day.as_deref());
    format!("{country}, {}", span(first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_never_rounded_to_none_or_all() {
        for (part, whole, words) in [
            (0, 0, "0 of 0"),
            (12, 40, "12 of 40 (30 %, 18 to 45 %)"),
            (0, 20, "0 of 20 (0 %, 0 to 16 %)"),
            (1, 29, "1 of 29 (3.4 %, 0.6 to 17 %)"),
            (20, 20, "20 of 20 (100 %, 84 to 100 %)"),
            (1, 10_000, "1 of 10,000 (0.01 %, <0.01 to 0.06 %)"),
            (9_999, 10_000, "9,999 of 10,000 (>99.9 %, >99.9 to >99.9 %)"),
            (995, 1000, "995 of 1,000 (99.5 %, 98.8 to 99.8 %)"),
        ] {
            assert_eq!(share(part, whole), words);
        }
    }

    #[test]
    fn numbers_have_separators() {
        for (count, words) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (123_456, "123,456"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(number(count), words);
        }
    }

    #[test]
    fn foreign_text_cannot_turn_a_line() {
        assert_eq!(visible("a\u{202e}b\nc"), "a<U+202E>b<U+000A>c");
        assert_eq!(visible("Қазақтелеком"), "Қазақтелеком");
    }
}
