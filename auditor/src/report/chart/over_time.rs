//! Interceptions over time by network, above all handshakes that were measured.

use plotters::style::text_anchor::{HPos, VPos};
use time::Date;
use time::macros::format_description;

use super::ruler::{Days, counts};
use super::{Canvas, Drawn, Ink, Spoken, TEXT, WIDTH, drawn};
use crate::report::FormatError;
use crate::report::over_time::{OverTime, Period, Step};
use crate::report::words::number;

const HEIGHT: i32 = 760;
const LEFT: i32 = 110;
const RIGHT: i32 = WIDTH - 20;
/// Top and bottom of the two panels.
const INTERCEPTED: (i32, i32) = (60, 460);
const MEASURED: (i32, i32) = (550, 680);

/// The chart. Bars stand for periods; the lower panel has a scale of its own.
pub(in crate::report) fn svg(over_time: &OverTime) -> Result<String, FormatError> {
    let each = over_time.step.each();
    let intercepted: u64 = over_time.periods.iter().map(|period| period.intercepted).sum();
    let handshakes: u64 = over_time.periods.iter().map(|period| period.handshakes).sum();
    let most = over_time.periods.iter().max_by_key(|period| period.intercepted);
    let most = most.map_or(String::new(), |most| {
        format!(
            " Most in the {each} from {}: {} of {}.",
            most.from,
            number(most.intercepted),
            number(most.handshakes)
        )
    });
    let description = format!(
        "Two rows of bars over time, one bar a {each}. The upper row: {} intercepted handshakes, \
         by network. The lower row: all {} handshakes that were measured.{most} The numbers are in \
         the table below.",
        number(intercepted),
        number(handshakes),
    );
    let title = format!("Intercepted handshakes per {each}, by network");
    let spoken = Spoken { id: "over-time", title: &title, description: &description };
    drawn(HEIGHT, &spoken, |canvas| draw(canvas, over_time))
}

fn draw(canvas: &Canvas<'_>, over_time: &OverTime) -> Drawn {
    let each = over_time.step.each();
    let starts: Vec<Date> = over_time.periods.iter().filter_map(start).collect();
    let (Some(first), Some(last)) = (starts.first(), starts.last()) else { return Ok(()) };
    let end = after(over_time.step, *last);
    let days = Days { first: (*first, LEFT + 10), last: (end, RIGHT - 10) };

    let most = over_time.periods.iter().map(|period| period.intercepted).max().unwrap_or(0);
    let upper =
        Panel::new(canvas, INTERCEPTED, most, &format!("Intercepted handshakes per {each}"))?;
    let most = over_time.periods.iter().map(|period| period.handshakes).max().unwrap_or(0);
    let lower = Panel::new(canvas, MEASURED, most, &format!("All handshakes measured per {each}"))?;

    for (period, from) in over_time.periods.iter().zip(&starts) {
        let until = after(over_time.step, *from);
        let (left, right) = bar(days.at(*from), days.at(until));
        let mut below = 0;
        let networks = period.by_network.iter().enumerate();
        let networks = networks.map(|(position, count)| (Ink::Network(position), *count));
        for (ink, count) in networks.chain([(Ink::Other, period.elsewhere)]) {
            if count > 0 {
                canvas.fill(ink, (left, upper.at(below + count)), (right, upper.at(below)))?;
            }
            below += count;
        }
        if period.handshakes > 0 {
            canvas.fill(
                Ink::Measured,
                (left, lower.at(period.handshakes)),
                (right, lower.bottom),
            )?;
        }
    }
    for panel in [&upper, &lower] {
        canvas.line(Ink::Axis, &[(LEFT, panel.bottom), (RIGHT, panel.bottom)])?;
    }
    for (day, label) in days.marks() {
        let across = days.at(day);
        canvas.line(Ink::Axis, &[(across, lower.bottom), (across, lower.bottom + 10)])?;
        let anchor = if across > RIGHT - 60 { HPos::Right } else { HPos::Center };
        canvas.text(&label, (across, lower.bottom + 18), anchor, VPos::Top)?;
    }
    Ok(())
}

/// One row of bars with its own scale.
struct Panel {
    top: i32,
    bottom: i32,
    most: u64,
}

impl Panel {
    fn new(
        canvas: &Canvas<'_>,
        (top, bottom): (i32, i32),
        most: u64,
        name: &str,
    ) -> Result<Self, FormatError> {
        let mut marks = counts(most);
        let highest = marks.last().copied().unwrap_or(1);
        let panel = Self { top, bottom, most: highest };
        // A low panel has room for the ends only.
        if bottom - top < 8 * TEXT {
            marks = vec![0, highest];
        }
        for mark in marks {
            let down = panel.at(mark);
            canvas.line(Ink::Grid, &[(LEFT, down), (RIGHT, down)])?;
            canvas.text(&number(mark), (LEFT - 12, down), HPos::Right, VPos::Center)?;
        }
        canvas.text(name, (LEFT, top - 14), HPos::Left, VPos::Bottom)?;
        Ok(panel)
    }

    fn at(&self, count: u64) -> i32 {
        let height = f64::from(self.bottom - self.top) * count as f64 / self.most as f64;
        // The least count is still to be seen.
        self.bottom - if count > 0 { (height.round() as i32).max(2) } else { 0 }
    }
}

/// A bar between two edges, with a gap where there is room for one.
fn bar(left: i32, right: i32) -> (i32, i32) {
    let gap = ((right - left) / 6).min(12);
    // A lone period would fill the page.
    let spare = (right - left - 2 * gap - 160).max(0) / 2;
    (left + gap / 2 + spare, (right - gap / 2 - spare).max(left + 2))
}

fn start(period: &Period) -> Option<Date> {
    Date::parse(&period.from, format_description!("[year]-[month]-[day]")).ok()
}

fn after(step: Step, from: Date) -> Date {
    step.after(from).unwrap_or(from)
}
