//! Which measurements a report is about: country and dates.

use kua::measurement::Measurement;
use kua::moment::rfc3339;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, UtcOffset};

/// Which measurements a report is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Country of the vantage point; all where `None`.
    pub country: Option<Country>,
    /// The first day or moment.
    pub since: Option<Edge>,
    /// The last day or moment; a day is meant whole.
    pub until: Option<Edge>,
}

/// ISO 3166-1 alpha-2, upper case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country(String);

/// A day or a moment, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// A whole day.
    Day(Date),
    /// A moment.
    Moment(OffsetDateTime),
}

impl Scope {
    /// Whether `measurement` is in scope. One without a date is in no span of time.
    pub fn holds(&self, measurement: &Measurement) -> bool {
        if let Some(country) = &self.country
            && !measurement.vantage.country.eq_ignore_ascii_case(&country.0)
        {
            return false;
        }
        let after = |edge: Edge| measurement.started.is_some_and(|at| !edge.is_after(at));
        let before = |edge: Edge| measurement.started.is_some_and(|at| !edge.is_before(at));
        self.since.is_none_or(after) && self.until.is_none_or(before)
    }
}

impl Edge {
    /// All of it comes after `at`.
    fn is_after(self, at: OffsetDateTime) -> bool {
        match self {
            Self::Day(day) => day > at.to_offset(UtcOffset::UTC).date(),
            Self::Moment(moment) => moment > at,
        }
    }

    /// All of it comes before `at`.
    fn is_before(self, at: OffsetDateTime) -> bool {
        match self {
            Self::Day(day) => day < at.to_offset(UtcOffset::UTC).date(),
            Self::Moment(moment) => moment < at,
        }
    }
}

impl std::str::FromStr for Edge {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, BadScope> {
        if let Ok(day) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
            return Ok(Self::Day(day));
        }
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| BadScope::Moment)?;
        Ok(Self::Moment(moment.to_offset(UtcOffset::UTC)))
    }
}

impl std::fmt::Display for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Day(day) => write!(f, "{day}"),
            Self::Moment(moment) => f.write_str(&rfc3339(*moment)),
        }
    }
}

impl std::str::FromStr for Country {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, BadScope> {
        let two_letters = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        two_letters.then(|| Self(text.to_ascii_uppercase())).ok_or(BadScope::Country)
    }
}

impl std::fmt::Display for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a part of a scope is not understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadScope {
    /// Not two letters.
    #[error("a country is two letters (ISO 3166-1), such as KZ")]
    Country,
    /// Neither a day nor a moment.
    #[error("write a day as 2023-10-16 or a moment as 2023-10-16T13:06:00Z")]
    Moment,
}

#[cfg(test)]
mod tests {
    use kua::measurement::Vantage;

    use super::*;

    fn seen(country: &str, started: Option<&str>) -> Measurement {
        Measurement {
            started: started.map(|text| OffsetDateTime::parse(text, &Rfc3339).unwrap()),
            vantage: Vantage { country: country.into(), ..Vantage::default() },
            ..Measurement::default()
        }
    }

    #[test]
    fn until_means_the_whole_day() {
        let scope = |cc: &str, since: &str, until: &str| Scope {
            country: (!cc.is_empty()).then(|| cc.parse().unwrap()),
            since: (!since.is_empty()).then(|| since.parse().unwrap()),
            until: (!until.is_empty()).then(|| until.parse().unwrap()),
        };
        let noon = Some("2023-10-16T12:00:00Z");
        for (case, scope, measurement, holds) in [
            ("everything", scope("", "", ""), seen("KZ", None), true),
            ("country", scope("kz", "", ""), seen("KZ", None), true),
            ("another country", scope("KZ", "", ""), seen("RU", noon), false),
            ("first day", scope("", "2023-10-16", ""), seen("KZ", noon), true),
            ("day before", scope("", "2023-10-17", ""), seen("KZ", noon), false),
            ("last day", scope("", "", "2023-10-16"), seen("KZ", noon), true),
            ("day after", scope("", "", "2023-10-15"), seen("KZ", noon), false),
            ("moment", scope("", "2023-10-16T12:00:00Z", ""), seen("KZ", noon), true),
            ("later moment", scope("", "2023-10-16T12:00:01Z", ""), seen("KZ", noon), false),
            ("offset", scope("", "", "2023-10-16T14:00:00+02:00"), seen("KZ", noon), true),
            ("no date", scope("", "2020-01-01", ""), seen("KZ", None), false),
        ] {
            assert_eq!(scope.holds(&measurement), holds, "{case}");
        }
    }

    #[test]
    fn what_is_no_scope_is_refused() {
        for text in ["", "K", "KAZ", "K1"] {
            assert!(text.parse::<Country>().is_err(), "{text}");
        }
        for text in ["", "yesterday", "2023-13-01", "2023-10-16T12:00"] {
            assert!(text.parse::<Edge>().is_err(), "{text}");
        }
    }
}
