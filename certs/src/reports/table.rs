//! Tables of comma-separated values, read by the names of their columns: their order is no promise.

use super::{ReportError, text};

/// The values of the `wanted` columns, row by row, without white space around them.
pub(super) fn columns<const N: usize>(
    bytes: &[u8],
    wanted: [&str; N],
) -> Result<Vec<[String; N]>, ReportError> {
    let text = text(bytes)?;
    if text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
        return Err(ReportError::Damaged { reason: "a quoted field has no end".into() });
    }
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    let mut positions = [0; N];
    for (position, column) in positions.iter_mut().zip(wanted) {
        let found = header.iter().position(|name| name.trim() == column);
        *position = found.ok_or_else(|| ReportError::NoColumn { column: column.into() })?;
    }
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row?;
        rows.push(positions.map(|position| row.get(position).unwrap_or("").trim().to_owned()));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_and_quotes_hold_new_lines() {
        let text = "\u{feff}b,\"a\"\n1,\" x\ny, \"\"z\"\"\"\n";
        assert_eq!(columns(text.as_bytes(), ["a", "b"]).unwrap(), [["x\ny, \"z\"", "1"]]);
        assert_eq!(columns(b"b,a\n", ["a"]).unwrap(), [[""; 1]; 0]);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for bytes in
            [&b""[..], b"b\n1\n", b"a,b\n1\n", b"a,b\n1,2,3\n", b"a,b\n1,\"2\n", b"a,b\n1,\xff\n"]
        {
            assert!(columns(bytes, ["a", "b"]).is_err(), "{bytes:?}");
        }
    }
}
