//! The question in the words of each engine, and its answer as a few figures that tell answers apart.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;

use crate::Result;

/// Whose SQL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Ours,
    DuckDb,
    ClickHouse,
}

/// What was answered: sums over all its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Rows of the answer.
    pub(crate) groups: i64,
    /// Further sums, in the order of the question.
    pub(crate) sums: Vec<i64>,
}

impl Dialect {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "embedded",
            Self::DuckDb => "duckdb",
            Self::ClickHouse => "chdb",
        }
    }

    /// Groups all rows of `table`, and adds up what a report would read of each group. Times are taken modulo
    /// a prime, so that sums stay whole numbers of 64 bits.
    pub(crate) fn text(self, table: &str) -> String {
        let (micros, days, length) = match self {
            Self::Ours => ("CAST(X AS BIGINT)", "CAST(day AS INT)", "octet_length"),
            Self::DuckDb => ("epoch_us(X)", "(day - DATE '1970-01-01')", "strlen"),
            Self::ClickHouse => ("toUnixTimestamp64Micro(X)", "toInt32(day)", "length"),
        };
        let micros = |column: &str| micros.replace('X', column);
        let (first, last) = (micros("a"), micros("b"));
        // `cc` is fixed by the WHERE and therefore no part of the key.
        let groups = format!(
            "SELECT day, asn, target, shape, count(*) AS n, sum(CASE WHEN first THEN 1 ELSE 0 END) AS m, \
             min(started) AS a, max(started) AS b, min(network) AS w, min(position) AS p \
             FROM {table} WHERE cc = 'KZ' GROUP BY day, asn, target, shape"
        );
        let big = |sum: &str| format!("CAST(sum({sum}) AS BIGINT)");
        let sums = [
            "n".to_owned(),
            "m".into(),
            "n * asn".into(),
            format!("n * {days}"),
            format!("n * {length}(target)"),
            format!("{first} % 1000003"),
            format!("{last} % 1000003"),
            "CASE WHEN p IS NULL THEN 0 ELSE 1 END".into(),
            "CASE WHEN w = 'Network 1' THEN n ELSE 0 END".into(),
        ];
        let sums: Vec<_> = sums.iter().map(|sum| big(sum)).collect();
        format!("SELECT CAST(count(*) AS BIGINT), {} FROM ({groups}) AS g", sums.join(", "))
    }
}

/// The one row that the question's answer is.
pub(crate) fn of_batches(
    batches: impl Iterator<Item = std::result::Result<RecordBatch, kua_query::QueryError>>,
) -> Result<Answer> {
    let mut figures = Vec::new();
    for batch in batches {
        let batch = batch?;
        for column in batch.columns() {
            let column = column.as_primitive_opt::<Int64Type>().ok_or("a sum is no integer")?;
            figures.extend(column.iter().flatten());
        }
    }
    of_figures(&figures)
}

/// The same, as another program printed it.
pub(crate) fn of_figures(figures: &[i64]) -> Result<Answer> {
    match figures.split_first() {
        Some((groups, sums)) => Ok(Answer { groups: *groups, sums: sums.to_vec() }),
        None => Err("there is no answer".into()),
    }
}
