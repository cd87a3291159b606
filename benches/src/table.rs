//! A title, rows of text with aligned columns, and notes that say what the figures are not.

use std::fmt;

/// One printed table.
pub(crate) struct Table {
    title: String,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    /// `columns` head the figures; the first column holds what was measured.
    pub(crate) fn new(title: &str, columns: &[&str]) -> Self {
        let mut head = vec![String::new()];
        head.extend(columns.iter().map(|&column| column.to_owned()));
        Self { title: title.into(), rows: vec![head], notes: Vec::new() }
    }

    pub(crate) fn row(&mut self, what: impl Into<String>, figures: &[String]) {
        let mut row = vec![what.into()];
        row.extend_from_slice(figures);
        self.rows.push(row);
    }

    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        writeln!(f, "{}", self.title)?;
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = width(column);
                line += &match column {
                    0 => format!("  {cell:<width$}"),
                    _ => format!("   {cell:>width$}"),
                };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        for note in &self.notes {
            writeln!(f, "  - {note}")?;
        }
        Ok(())
    }
}

/// A whole number with its thousands apart.
pub(crate) fn count(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many times the reference.
pub(crate) fn ratio(figure: f64, reference: f64) -> String {
    format!("{:.2}x", figure / reference)
}

/// A part of one, in per cent.
pub(crate) fn share(part: f64) -> String {
    format!("{:.0} %", part * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_thousands_apart() {
        let mut table = Table::new("speed", &["a second", "ratio"]);
        table.row("one", &[count(1_234_567.4), ratio(1.0, 2.0)]);
        table.row("a longer one", &[count(999.0)]);
        table.note("no promise");
        let expected = "speed\n                  a second   ratio\n  one            1,234,567   0.50x\n  a longer one         999\n  - no promise\n";
        assert_eq!(table.to_string(), expected);
    }
}
