//! What a report asks, in the words of each engine, and the answers as a few figures that tell answers apart.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use kua_collector::judging::questions;
use kua_collector::scope::Scope;

use crate::Result;

/// Whose SQL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Ours,
    DuckDb,
    ClickHouse,
}

/// What was answered to one question: sums over all rows.
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

    /// Both questions of a report about one country, over `table`, and of the rows of each answer what a report
    /// would read, added up. Times are taken modulo a prime, so that sums stay whole numbers of 64 bits.
    pub(crate) fn texts(self, table: &str) -> [String; 2] {
        let (micros, days, length) = match self {
            Self::Ours => ("CAST(X AS BIGINT)", "CAST(day AS INT)", "octet_length"),
            Self::DuckDb => ("epoch_us(X)", "(day - DATE '1970-01-01')", "strlen"),
            Self::ClickHouse => ("toUnixTimestamp64Micro(X)", "toInt32(day)", "length"),
        };
        let moment = |column: &str| format!("{} % 1000003", micros.replace('X', column));
        let known = |column: &str| format!("CASE WHEN {column} IS NULL THEN 0 ELSE 1 END");
        let both =
            ["judgements".into(), "judgements * asn".into(), moment("first"), moment("last")];
        let by_place = [
            "measurements".into(),
            format!("judgements * {length}(target)"),
            known("example"),
            "CASE WHEN network = 'Network 1' THEN judgements ELSE 0 END".into(),
        ];
        let by_day = [format!("judgements * {days}")];
        let [places, of_days] = questions(&Scope { cc: Some("KZ".into()), ..Scope::default() });
        let whole = |sums: &[String], question: &str| {
            let all = both.iter().chain(sums);
            let all: Vec<_> = all.map(|sum| format!("CAST(sum({sum}) AS BIGINT)")).collect();
            let question = question.replace("FROM judgements", &format!("FROM {table}"));
            let own = match self {
                Self::ClickHouse => " SETTINGS prefer_column_name_to_alias = 1",
                _ => "",
            };
            let all = all.join(", ");
            format!("SELECT CAST(count(*) AS BIGINT), {all} FROM ({question}) AS g{own}")
        };
        [whole(&by_place, &places), whole(&by_day, &of_days)]
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
