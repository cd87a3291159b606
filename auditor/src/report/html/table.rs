//! Tables of names and networks, with their shares drawn as intervals.

use kua::campaign::Rate;

/// Rows of a table that are shown at once; the others open on demand.
const ROWS: usize = 15;

/// Rows of names or networks, the first of them shown at once.
pub(super) struct Table {
    pub(super) first: Vec<Row>,
    pub(super) rest: Vec<Row>,
    /// Percent at the right end of the intervals.
    pub(super) scale: u32,
    /// Whether any row says who runs it.
    pub(super) owned: bool,
}

impl Row {
    pub(super) fn whisker(&self, scale: &u32) -> Option<Whisker> {
        self.rate.map(|rate| Whisker::of(rate, *scale))
    }
}

pub(super) struct Row {
    pub(super) name: String,
    pub(super) owner: String,
    pub(super) share: String,
    pub(super) rate: Option<Rate>,
}

/// A share and its interval as positions from 0 to 100 on a table's scale.
pub(super) struct Whisker {
    pub(super) low: f64,
    pub(super) width: f64,
    pub(super) value: f64,
}

impl Table {
    pub(super) fn of(rows: impl Iterator<Item = Row>) -> Self {
        let mut first: Vec<_> = rows.collect();
        let scale = scale(first.iter().filter_map(|row| row.rate));
        let owned = first.iter().any(|row| !row.owner.is_empty());
        // Two rows behind a click hide more than they save.
        let rest = if first.len() > ROWS + 2 { first.split_off(ROWS) } else { Vec::new() };
        Self { first, rest, scale, owned }
    }
}

impl Whisker {
    pub(super) fn of(rate: Rate, scale: u32) -> Self {
        let position = |share: f64| (share * 100_000.0 / f64::from(scale)).round() / 10.0;
        let low = position(rate.low);
        let width = ((position(rate.high) - low) * 10.0).round() / 10.0;
        Self { low, width, value: position(rate.value) }
    }
}

/// The least round number of percent that holds all of `rates`.
fn scale(rates: impl Iterator<Item = Rate>) -> u32 {
    let highest = rates.map(|rate| rate.high * 100.0).fold(0.0, f64::max);
    [1, 2, 5, 10, 20, 50].into_iter().find(|scale| highest <= f64::from(*scale)).unwrap_or(100)
}
