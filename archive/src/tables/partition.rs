//! Where a row lies: by day and country, as paths that engines read as columns.

use std::fmt;
use std::str::FromStr;

use kua::measurement::Measurement;
use time::{Date, Month};

/// What a partition's day is called where it is not known.
const NO_DAY: &str = "unknown";

/// Years that a day can have: a clock that says otherwise is wrong, and a stranger's records must
/// not make as many directories as they like.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2099;

/// A day, UTC, and a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    day: Option<Date>,
    country: [u8; 2],
}

impl Partition {
    /// Where the rows of a measurement lie.
    pub fn of(measurement: &Measurement) -> Self {
        let day = measurement.started.map(|started| started.to_offset(time::UtcOffset::UTC).date());
        let country = country(&measurement.vantage.country).unwrap_or(*b"ZZ");
        Self { day: day.filter(|day| YEARS.contains(&day.year())), country }
    }

    /// The day, where it is known.
    pub fn day(&self) -> Option<Date> {
        self.day
    }

    /// ISO 3166-1 alpha-2; `ZZ` where it is not known.
    pub fn country(&self) -> &str {
        str::from_utf8(&self.country).unwrap_or("ZZ")
    }
}

fn country(text: &str) -> Option<[u8; 2]> {
    let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
    letters.iter().all(u8::is_ascii_uppercase).then_some(letters)
}

impl fmt::Display for Partition {
    /// As a directory: `day=2023-10-16/cc=KZ`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.day {
            Some(day) => {
                let (year, month, of_month) = day.to_calendar_date();
                write!(f, "day={year:04}-{:02}-{of_month:02}", u8::from(month))?;
            }
            None => write!(f, "day={NO_DAY}")?,
        }
        write!(f, "/cc={}", self.country())
    }
}

/// The text is no partition's directory.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no day=.../cc=...")]
pub struct NotAPartition(String);

impl FromStr for Partition {
    type Err = NotAPartition;

    fn from_str(text: &str) -> Result<Self, NotAPartition> {
        let read = || {
            let (day, letters) = text.strip_prefix("day=")?.split_once("/cc=")?;
            let day = if day == NO_DAY { None } else { Some(date(day)?) };
            let partition = Self { day, country: country(letters)? };
            (partition.to_string() == text).then_some(partition)
        };
        read().ok_or_else(|| NotAPartition(text.into()))
    }
}

fn date(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month: u8 = parts.next()?.parse().ok()?;
    let date =
        Date::from_calendar_date(year, Month::try_from(month).ok()?, parts.next()?.parse().ok()?);
    date.ok().filter(|date| YEARS.contains(&date.year()))
}

#[cfg(test)]
mod tests {
    use kua::measurement::Vantage;
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn directories() {
        for (seconds, country, path) in [
            (Some(1_697_414_400), "KZ", "day=2023-10-16/cc=KZ"),
            (Some(1_697_414_399), "KZ", "day=2023-10-15/cc=KZ"),
            (None, "KZ", "day=unknown/cc=KZ"),
            (Some(0), "KZ", "day=unknown/cc=KZ"),
            (Some(1_697_414_400), "kz", "day=2023-10-16/cc=ZZ"),
            (Some(1_697_414_400), "../..", "day=2023-10-16/cc=ZZ"),
            (Some(1_697_414_400), "", "day=2023-10-16/cc=ZZ"),
        ] {
            let measurement = Measurement {
                started: seconds.map(|at| OffsetDateTime::from_unix_timestamp(at).unwrap()),
                vantage: Vantage { country: country.into(), ..Vantage::default() },
                ..Measurement::default()
            };
            let partition = Partition::of(&measurement);
            assert_eq!(partition.to_string(), path);
            assert_eq!(path.parse(), Ok(partition));
        }
        for other in
            ["", "day=2023-10-16", "day=2023-1-16/cc=KZ", "day=2023-10-16/cc=kz", "day=x/cc=KZ"]
        {
            assert!(other.parse::<Partition>().is_err(), "{other}");
        }
    }
}
