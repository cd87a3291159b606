//! A table for a terminal: as many rows as wanted, columns aligned, nothing wider than reads well.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::util::display::FormatOptions;
use comfy_table::{CellAlignment, Table, presets};

use super::{Written, texts};

/// Most characters of a cell: a SHA-256 and a long host name fit.
const WIDTH: usize = 80;

/// Stands where the rest was.
const CUT: char = '…';

pub(super) struct Rows {
    table: Table,
    most: usize,
    rows: usize,
    more: bool,
    cut: u64,
}

impl Rows {
    pub(super) fn new(schema: &SchemaRef, most: usize) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(schema.fields().iter().map(|field| for_terminal(field.name()).0));
        for (column, field) in schema.fields().iter().enumerate() {
            let Some(column) = table.column_mut(column) else { continue };
            column.set_padding((0, 2));
            if field.data_type().is_numeric() {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self { table, most, rows: 0, more: false, cut: 0 }
    }

    /// Gives whether there is room for more.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<bool, ArrowError> {
        let options = FormatOptions::new();
        let columns = texts(batch, &options)?;
        for row in 0..batch.num_rows() {
            if self.rows == self.most {
                self.more = true;
                break;
            }
            let cells = columns.iter().map(|column| {
                let (cell, cut) = for_terminal(&column.value(row).to_string());
                self.cut += u64::from(cut);
                cell
            });
            self.table.add_row(cells.collect::<Vec<_>>());
            self.rows += 1;
        }
        Ok(!self.more)
    }

    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<Written> {
        for line in self.table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(Written { rows: self.rows as u64, more: self.more, cut: self.cut })
    }
}

/// The text without what would move a terminal's cursor or turn its text around, and whether it was cut.
fn for_terminal(text: &str) -> (String, bool) {
    let mut shown = String::new();
    for (width, letter) in text.chars().enumerate() {
        if width == WIDTH {
            shown.pop();
            shown.push(CUT);
            return (shown, true);
        }
        let turns = matches!(letter, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if letter.is_control() || turns {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    (shown, false)
}
