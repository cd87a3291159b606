//! `kua.report/1`, for programs.

use super::{Format, FormatError, Report};

pub(super) static FORMAT: Format =
    Format { name: "json", purpose: "kua.report/1, for programs", document, tables: &[] };

fn document(report: &Report) -> Result<String, FormatError> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}
