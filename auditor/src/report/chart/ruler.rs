//! Where days and counts lie on a chart, and which of them have a label.

use time::{Date, Duration, Month};

/// Days from left to right.
pub(super) struct Days {
    /// First day and its position.
    pub(super) first: (Date, i32),
    /// Last day and its position.
    pub(super) last: (Date, i32),
}

impl Days {
    /// The position of a day; beyond the edges for a day beyond them.
    pub(super) fn at(&self, day: Date) -> i32 {
        let (first, left) = self.first;
        let (last, right) = self.last;
        let span = (last - first).whole_days().max(1);
        let offset = (day - first).whole_days();
        let across = i64::from(right - left) * offset / span;
        left.saturating_add(i32::try_from(across).unwrap_or(i32::MAX))
    }

    /// The same, but never beyond the edges.
    pub(super) fn within(&self, day: Date) -> i32 {
        self.at(day.clamp(self.first.0, self.last.0))
    }

    /// About six days with labels: first days of months or years, else days.
    pub(super) fn marks(&self) -> Vec<(Date, String)> {
        const MOST: i64 = 7;
        let (first, last) = (self.first.0, self.last.0);
        let days = (last - first).whole_days().max(1);
        if days < 100 {
            let step = [1, 2, 7, 14].into_iter().find(|step| days / step < MOST).unwrap_or(14);
            let from = std::iter::successors(Some(first), |day| {
                day.checked_add(Duration::days(step)).filter(|day| *day <= last)
            });
            return from.map(|day| (day, day.to_string())).collect();
        }
        let months = days / 30;
        let step = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400]
            .into_iter()
            .find(|step| months / step <= MOST)
            .unwrap_or(12_000);
        let first_month = i64::from(first.year()) * 12 + i64::from(u8::from(first.month())) - 1;
        let start = (first_month + step - 1) / step * step;
        let marks = (0..=MOST * 2).map_while(|count| {
            let month = start + count * step;
            let name = Month::try_from((month % 12 + 1) as u8).ok()?;
            let year = i32::try_from(month / 12).ok()?;
            let day = Date::from_calendar_date(year, name, 1).ok()?;
            (day <= last).then_some(day)
        });
        let marks = marks.filter(|day| *day >= first);
        let label = |day: Date| match step {
            step if step >= 12 => format!("{:04}", day.year()),
            _ => format!("{:04}-{:02}", day.year(), u8::from(day.month())),
        };
        marks.map(|day| (day, label(day))).collect()
    }
}

/// Two to five round counts from 0 up to at least `most`.
pub(super) fn counts(most: u64) -> Vec<u64> {
    let most = most.max(1);
    let mut unit: u64 = 1;
    loop {
        for step in [unit, unit.saturating_mul(2), unit.saturating_mul(5)] {
            if most.div_ceil(step) <= 4 {
                return (0..=most.div_ceil(step)).map(|count| count.saturating_mul(step)).collect();
            }
        }
        unit = match unit.checked_mul(10) {
            Some(unit) if unit <= u64::MAX / 10 => unit,
            _ => return vec![0, most],
        };
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn labels_are_few_and_round() {
        for (last, labels) in [
            (date!(2021 - 08 - 08), vec!["2021-08-08"]),
            (date!(2021 - 08 - 10), vec!["2021-08-08", "2021-08-09", "2021-08-10"]),
            (date!(2021 - 08 - 30), vec!["2021-08-08", "2021-08-15", "2021-08-22", "2021-08-29"]),
            (
                date!(2022 - 02 - 01),
                vec!["2021-09", "2021-10", "2021-11", "2021-12", "2022-01", "2022-02"],
            ),
            (
                date!(2024 - 09 - 01),
                vec!["2022-01", "2022-07", "2023-01", "2023-07", "2024-01", "2024-07"],
            ),
            (date!(2035 - 09 - 01), vec!["2022", "2024", "2026", "2028", "2030", "2032", "2034"]),
        ] {
            let days = Days { first: (date!(2021 - 08 - 08), 0), last: (last, 100) };
            let marks: Vec<_> = days.marks().into_iter().map(|(_, label)| label).collect();
            assert_eq!(marks, labels);
        }
    }

    #[test]
    fn counts_reach_the_highest() {
        for (most, marks) in [
            (0, vec![0, 1]),
            (3, vec![0, 1, 2, 3]),
            (7, vec![0, 2, 4, 6, 8]),
            (41, vec![0, 20, 40, 60]),
            (1000, vec![0, 500, 1000]),
        ] {
            assert_eq!(counts(most), marks, "{most}");
        }
        assert_eq!(*counts(u64::MAX).last().unwrap(), u64::MAX);
    }
}
