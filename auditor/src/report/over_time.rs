//! Handshakes by day, week, month or year and by network: what the first chart shows.

use std::collections::BTreeMap;

use kua::campaign::DayCount;
use serde::Serialize;
use time::{Date, Duration, Month};

/// Most networks that are shown by themselves; the rest is one row without a number.
pub(super) const SHOWN_NETWORKS: usize = 8;

/// Handshakes by time and network.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OverTime {
    /// How long a period is.
    pub step: Step,
    /// The networks with most interceptions, most first.
    pub networks: Vec<NetworkName>,
    /// Every period from the first measurement to the last, also those without any.
    pub periods: Vec<Period>,
}

/// How long a period is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// A day.
    #[default]
    Day,
    /// Seven days from a Monday.
    Week,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

/// A network that is shown by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NetworkName {
    /// AS number; 0 when unknown.
    pub asn: u32,
    /// As the records name it; may be empty.
    pub name: String,
}

/// One period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Period {
    /// Its first day.
    pub from: String,
    /// Handshakes measured.
    pub handshakes: u64,
    /// Those that belong to a campaign.
    pub intercepted: u64,
    /// Those in each of the shown networks, in their order.
    pub by_network: Vec<u64>,
    /// Those in all other networks.
    pub elsewhere: u64,
}

/// Most periods of a step before the next longer step is taken.
const MOST: i64 = 64;

impl OverTime {
    /// Counts `days` in periods that suit their span.
    pub fn of(days: &[(Date, u32, DayCount)], name_of: impl Fn(u32) -> String) -> Self {
        let first = days.iter().map(|(day, ..)| *day).min();
        let (Some(first), Some(last)) = (first, days.iter().map(|(day, ..)| *day).max()) else {
            return Self::default();
        };
        let step = Step::for_span((last - first).whole_days() + 1);
        let shown = most_intercepted(days);
        let mut periods = Vec::new();
        let mut position = BTreeMap::new();
        let mut from = step.start_of(first);
        loop {
            position.insert(from, periods.len());
            periods.push(Period {
                from: from.to_string(),
                handshakes: 0,
                intercepted: 0,
                by_network: vec![0; shown.len()],
                elsewhere: 0,
            });
            match step.after(from) {
                Some(next) if next <= last => from = next,
                _ => break,
            }
        }
        for (day, asn, count) in days {
            let Some(position) = position.get(&step.start_of(*day)) else { continue };
            let period: &mut Period = &mut periods[*position];
            period.handshakes += count.handshakes;
            period.intercepted += count.intercepted;
            match shown.iter().position(|shown| shown == asn) {
                Some(network) => period.by_network[network] += count.intercepted,
                None => period.elsewhere += count.intercepted,
            }
        }
        let networks =
            shown.into_iter().map(|asn| NetworkName { asn, name: name_of(asn) }).collect();
        Self { step, networks, periods }
    }

    /// Whether any interception has a date.
    pub fn has_interceptions(&self) -> bool {
        self.periods.iter().any(|period| period.intercepted > 0)
    }
}

fn most_intercepted(days: &[(Date, u32, DayCount)]) -> Vec<u32> {
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for (_, asn, count) in days.iter().filter(|(.., count)| count.intercepted > 0) {
        *counts.entry(*asn).or_default() += count.intercepted;
    }
    let mut networks: Vec<_> = counts.into_iter().collect();
    networks.sort_by_key(|(asn, count)| (std::cmp::Reverse(*count), *asn));
    // A single rest is shown by itself: "other" would only hide its number.
    let shown = if networks.len() == SHOWN_NETWORKS + 1 { networks.len() } else { SHOWN_NETWORKS };
    networks.into_iter().take(shown).map(|(asn, _)| asn).collect()
}

impl Step {
    fn for_span(days: i64) -> Self {
        match days {
            days if days <= MOST => Self::Day,
            days if days <= 7 * MOST => Self::Week,
            days if days <= 62 * MOST => Self::Month,
            _ => Self::Year,
        }
    }

    fn start_of(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let since_monday = i64::from(day.weekday().number_days_from_monday());
                day.checked_sub(Duration::days(since_monday)).unwrap_or(day)
            }
            Self::Month => day.replace_day(1).unwrap_or(day),
            Self::Year => Date::from_ordinal_date(day.year(), 1).unwrap_or(day),
        }
    }

    /// The first day of the next period; `None` at the end of the calendar.
    pub(super) fn after(self, from: Date) -> Option<Date> {
        match self {
            Self::Day => from.next_day(),
            Self::Week => from.checked_add(Duration::days(7)),
            Self::Month => {
                let year = from.year() + i32::from(from.month() == Month::December);
                Date::from_calendar_date(year, from.month().next(), 1).ok()
            }
            Self::Year => Date::from_ordinal_date(from.year() + 1, 1).ok(),
        }
    }

    /// The adverb that goes with it.
    pub fn each(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn day(day: Date, asn: u32, intercepted: u64) -> (Date, u32, DayCount) {
        (day, asn, DayCount { handshakes: intercepted + 1, intercepted })
    }

    #[test]
    fn the_step_follows_the_span() {
        for (until, step, periods) in [
            (date!(2021 - 08 - 08), Step::Day, 1),
            (date!(2021 - 10 - 10), Step::Day, 64),
            (date!(2021 - 10 - 11), Step::Week, 11),
            (date!(2024 - 09 - 01), Step::Month, 38),
            (date!(2099 - 01 - 01), Step::Year, 79),
        ] {
            let days = [day(date!(2021 - 08 - 08), 1, 1), day(until, 1, 1)];
            let over_time = OverTime::of(&days, |_| String::new());
            assert_eq!((over_time.step, over_time.periods.len()), (step, periods), "{until}");
            let total: u64 = over_time.periods.iter().map(|period| period.intercepted).sum();
            assert_eq!(total, 2);
        }
        assert!(OverTime::of(&[], |_| String::new()).periods.is_empty());
    }

    #[test]
    fn few_networks_by_themselves_and_the_rest_together() {
        for (networks, shown, elsewhere) in
            [(1, 1, 0), (8, 8, 0), (9, 9, 0), (10, 8, 2), (40, 8, 32)]
        {
            let days: Vec<_> =
                (1..=networks).map(|asn| day(date!(2021 - 08 - 08), asn, 1)).collect();
            let over_time = OverTime::of(&days, |_| String::new());
            assert_eq!(over_time.networks.len(), shown);
            assert_eq!(over_time.periods[0].elsewhere, elsewhere);
        }
    }
}
