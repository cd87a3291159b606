//! The tables, and a line for each of their columns.

use std::io::{self, Write};

use kua_query::describe::DESCRIPTIONS;

pub(super) fn write(out: &mut impl Write) -> io::Result<()> {
    let columns = DESCRIPTIONS.iter().flat_map(|description| description.columns);
    let width = columns.map(|(name, _)| name.len()).max().unwrap_or_default();
    for (number, description) in DESCRIPTIONS.iter().enumerate() {
        let before = if number > 0 { "\n" } else { "" };
        writeln!(out, "{before}{}: one row is {}", description.table, description.row)?;
        for ((name, holds), kind) in description.columns.iter().zip(description.kinds()) {
            writeln!(out, "  {name:<width$}  {kind:<9}  {holds}")?;
        }
    }
    Ok(())
}
