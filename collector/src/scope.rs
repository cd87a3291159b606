//! Which of an archive's measurements a command is about.

use kua::measurement::Measurement;
use kua_console::{Moment, parse_moment};
use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::{format_description, time};

const DAY: &[BorrowedFormatItem<'static>] = format_description!("[year]-[month]-[day]");

/// Options that choose measurements by country and time.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Scope {
    /// Only measurements made in this country, as ISO 3166 writes it (KZ)
    #[arg(long, value_name = "CC", value_parser = country, help_heading = "Scope")]
    pub cc: Option<String>,
    /// Only measurements begun on this day or later; a day, or a moment in RFC 3339, UTC
    #[arg(long, value_name = "D", value_parser = since, help_heading = "Scope")]
    pub since: Option<Moment>,
    /// Only measurements begun on this day or earlier
    #[arg(long, value_name = "D", value_parser = until, help_heading = "Scope")]
    pub until: Option<Moment>,
}

impl Scope {
    /// Whether `measurement` is in the scope. One without a time is in no stretch of time.
    pub fn holds(&self, measurement: &Measurement) -> bool {
        let here = self.cc.as_ref().is_none_or(|cc| *cc == measurement.vantage.country);
        let started = measurement.started;
        let late = self.since.is_none_or(|since| started.is_some_and(|at| at >= since));
        let early = self.until.is_none_or(|until| started.is_some_and(|at| at <= until));
        here && late && early
    }
}

fn country(text: &str) -> Result<String, String> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err("a country is two letters, as in KZ".into())
    }
}

fn since(text: &str) -> Result<Moment, String> {
    Date::parse(text, DAY).map_or_else(|_| moment(text), |day| Ok(day.midnight().assume_utc()))
}

fn until(text: &str) -> Result<Moment, String> {
    let last = |day: Date| day.with_time(time!(23:59:59.999_999_999)).assume_utc();
    Date::parse(text, DAY).map_or_else(|_| moment(text), |day| Ok(last(day)))
}

fn moment(text: &str) -> Result<Moment, String> {
    parse_moment(text).map_err(|_| "write it as 2023-10-16 or as 2023-10-16T13:06:00Z".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_unknown_times_are_outside() {
        let at = |text| Measurement { started: Some(moment(text).unwrap()), ..Default::default() };
        let day = Scope {
            since: Some(since("2023-10-16").unwrap()),
            until: Some(until("2023-10-16").unwrap()),
            ..Default::default()
        };
        for (text, held) in [
            ("2023-10-15T23:59:59Z", false),
            ("2023-10-16T00:00:00Z", true),
            ("2023-10-16T23:59:59.9Z", true),
            ("2023-10-17T00:00:00Z", false),
            ("2023-10-17T01:00:00+03:00", true),
        ] {
            assert_eq!(day.holds(&at(text)), held, "{text}");
        }
        let timeless = Measurement::default();
        assert!(!day.holds(&timeless));
        assert!(Scope::default().holds(&timeless));
        let here = Scope { cc: Some(country("kz").unwrap()), ..Default::default() };
        assert!(!here.holds(&timeless));
    }
}
