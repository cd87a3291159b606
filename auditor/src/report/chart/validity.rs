//! Intermediates: when each was valid, and when it was used.

use kua::campaign::{Campaign, IntermediateRow};
use plotters::style::text_anchor::{HPos, VPos};
use time::format_description::well_known::Rfc3339;
use time::{Date, Duration, OffsetDateTime};

use super::ruler::Days;
use super::{Canvas, Drawn, Ink, Spoken, WIDTH, drawn};
use crate::report::FormatError;
use crate::report::words::{counted, number};

const LEFT: i32 = 190;
const RIGHT: i32 = WIDTH - 30;
const TOP: i32 = 20;
const ROW: i32 = 56;
const FOOT: i32 = 70;

/// Most intermediates that are drawn; the table below has all.
pub(in crate::report) const MOST: usize = 40;

/// The chart of a campaign; `None` where no intermediate was recorded with a date of use.
pub(in crate::report) fn svg(campaign: &Campaign, id: &str) -> Result<Option<String>, FormatError> {
    let rows: Vec<_> = campaign.intermediates.iter().filter_map(Row::of).take(MOST).collect();
    let Some(days) = days(&rows) else { return Ok(None) };
    let outside = campaign.intermediates.iter().filter(|row| row.used_outside_validity > 0).count();
    let description = format!(
        "One row for each of {}, with a frame for the time in which it was valid and a bar for the \
         time in which it was used. {} used outside {} validity. The dates are in the table below.",
        counted(campaign.intermediates.len() as u64, "intermediate"),
        if outside == 1 { "One was".into() } else { format!("{} were", number(outside as u64)) },
        if outside == 1 { "its" } else { "their" },
    );
    let spoken = Spoken { id, title: "Intermediates: validity and use", description: &description };
    let height = TOP + ROW * rows.len() as i32 + FOOT;
    drawn(height, &spoken, |canvas| draw(canvas, &rows, &days)).map(Some)
}

struct Row {
    label: String,
    valid: (Date, Date),
    used: (Date, Date),
    outside: bool,
}

impl Row {
    fn of(row: &IntermediateRow) -> Option<Self> {
        Some(Self {
            label: row.sha256.to_string().chars().take(8).collect(),
            valid: (date(&row.not_before)?, date(&row.not_after)?),
            used: (date(row.first_seen.as_deref()?)?, date(row.last_seen.as_deref()?)?),
            outside: row.used_outside_validity > 0,
        })
    }
}

fn date(moment: &str) -> Option<Date> {
    Some(OffsetDateTime::parse(moment, &Rfc3339).ok()?.date())
}

/// All use, and of the validity as much as is about as long as the use.
fn days(rows: &[Row]) -> Option<Days> {
    let first = rows.iter().map(|row| row.used.0).min()?;
    let last = rows.iter().map(|row| row.used.1).max()?;
    let margin = Duration::days(((last - first).whole_days() / 2).max(90));
    let earliest = first.checked_sub(margin).unwrap_or(first);
    let latest = last.checked_add(margin).unwrap_or(last);
    let from = rows.iter().map(|row| row.valid.0).min()?.clamp(earliest, first);
    let until = rows.iter().map(|row| row.valid.1).max()?.clamp(last, latest);
    let until = until.checked_add(Duration::days(1)).unwrap_or(until);
    Some(Days { first: (from, LEFT), last: (until, RIGHT) })
}

fn draw(canvas: &Canvas<'_>, rows: &[Row], days: &Days) -> Drawn {
    let bottom = TOP + ROW * rows.len() as i32;
    for (day, label) in days.marks() {
        let across = days.at(day);
        canvas.line(Ink::Grid, &[(across, TOP), (across, bottom)])?;
        canvas.line(Ink::Axis, &[(across, bottom), (across, bottom + 10)])?;
        let anchor = if across > RIGHT - 60 { HPos::Right } else { HPos::Center };
        canvas.text(&label, (across, bottom + 18), anchor, VPos::Top)?;
    }
    for (position, row) in rows.iter().enumerate() {
        let middle = TOP + ROW * position as i32 + ROW / 2;
        canvas.text(&row.label, (LEFT - 16, middle), HPos::Right, VPos::Center)?;
        frame(canvas, row, days, middle)?;
        for (ink, from, until) in uses(row) {
            let half = if ink == Ink::Outside { 10 } else { 7 };
            let left = days.within(from);
            let right = days.within(next(until)).max(left + 6);
            canvas.fill(ink, (left, middle - half), (right, middle + half))?;
        }
    }
    canvas.line(Ink::Axis, &[(LEFT, bottom), (RIGHT, bottom)])
}

/// The frame of the validity, open at an edge where it goes on beyond the chart.
fn frame(canvas: &Canvas<'_>, row: &Row, days: &Days, middle: i32) -> Drawn {
    let (from, until) = (row.valid.0, next(row.valid.1));
    let (left, right) = (days.within(from), days.within(until));
    let (top, bottom) = (middle - 19, middle + 19);
    canvas.fill(Ink::Valid, (left, top), (right, bottom))?;
    if left >= right {
        return Ok(());
    }
    canvas.line(Ink::Bound, &[(left, top), (right, top)])?;
    canvas.line(Ink::Bound, &[(left, bottom), (right, bottom)])?;
    if from >= days.first.0 {
        canvas.line(Ink::Bound, &[(left, top), (left, bottom)])?;
    }
    if until <= days.last.0 {
        canvas.line(Ink::Bound, &[(right, top), (right, bottom)])?;
    }
    Ok(())
}

/// The time of use, cut where validity begins and ends. Days are the finest that is drawn: a use
/// outside validity within a day of its end still shows.
fn uses(row: &Row) -> Vec<(Ink, Date, Date)> {
    let ((not_before, not_after), (first, last)) = (row.valid, row.used);
    let mut parts = Vec::new();
    if first < not_before {
        parts.push((Ink::Outside, first, last.min(previous(not_before))));
    }
    if first <= not_after && last >= not_before {
        parts.push((Ink::Use, first.max(not_before), last.min(not_after)));
    }
    if last > not_after {
        parts.push((Ink::Outside, first.max(next(not_after)), last));
    }
    if row.outside && parts.iter().all(|(ink, ..)| *ink == Ink::Use) {
        parts.push((Ink::Outside, last, last));
    }
    parts
}

fn next(day: Date) -> Date {
    day.next_day().unwrap_or(day)
}

fn previous(day: Date) -> Date {
    day.previous_day().unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn use_is_cut_at_the_ends_of_validity() {
        let valid = (date!(2021 - 06 - 01), date!(2021 - 08 - 15));
        for (case, used, outside, expected) in [
            ("inside", (date!(2021 - 06 - 10), date!(2021 - 08 - 01)), false, vec![Ink::Use]),
            (
                "past the end",
                (date!(2021 - 06 - 10), date!(2021 - 10 - 01)),
                true,
                vec![Ink::Use, Ink::Outside],
            ),
            (
                "all of it too late",
                (date!(2021 - 09 - 10), date!(2021 - 10 - 01)),
                true,
                vec![Ink::Outside],
            ),
            (
                "too early and too late",
                (date!(2021 - 05 - 10), date!(2021 - 10 - 01)),
                true,
                vec![Ink::Outside, Ink::Use, Ink::Outside],
            ),
            (
                "later on the last day",
                (date!(2021 - 08 - 15), date!(2021 - 08 - 15)),
                true,
                vec![Ink::Use, Ink::Outside],
            ),
        ] {
            let row = Row { label: String::new(), valid, used, outside };
            let inks: Vec<_> = uses(&row).into_iter().map(|(ink, ..)| ink).collect();
            assert_eq!(inks, expected, "{case}");
        }
    }
}
