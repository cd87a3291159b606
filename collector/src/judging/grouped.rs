//! Stored judgements, grouped by what counts alike.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use kua::campaign::{Day, Position, Row, ShapeId};
use kua_archive::tables::judgements::{each, schema};
use kua_query::{Limits, Remote, Session, Table, TableFile};

use super::error::JudgingError;
use super::judge::Judging;
use super::tally::{Grouped, holds};
use crate::scope::Scope;

/// Every judgement by itself, as it lies in its file.
pub(super) fn by_reading(
    judging: &Judging<'_>,
    scope: &Scope,
    take: &mut dyn FnMut(Grouped) -> Result<(), JudgingError>,
) -> Result<(), JudgingError> {
    for file in judging.files() {
        let bytes = judging.snapshot.store().read(&file.path)?;
        each(bytes, |told| {
            if !holds(scope, &told.row.country, told.started) {
                return Ok(());
            }
            if let Some(day) = told.day {
                take(Grouped::Day(told.shape, day))?;
            }
            take(Grouped::Row(told.shape, told.row))
        })?;
    }
    Ok(())
}

/// By a query: first by place, then by day. Where a scheduler is named, its cluster answers.
pub(super) fn by_query(
    judging: &Judging<'_>,
    scope: &Scope,
    scheduler: Option<&str>,
    take: &mut dyn FnMut(Grouped) -> Result<(), JudgingError>,
) -> Result<(), JudgingError> {
    let engine = match scheduler {
        Some(scheduler) => Engine::There { scheduler, judging },
        None => Engine::Here(here(judging)?),
    };
    let [places, days] = questions(scope);
    engine.each(&places, |batch| rows(batch, scope, take))?;
    engine.each(&days, |batch| by_day(batch, take))
}

/// The SQL that a report asks: how many judgements of each shape there are by place, and by day.
pub fn questions(scope: &Scope) -> [String; 2] {
    [places(scope), days(scope)]
}

/// Who answers queries.
enum Engine<'a> {
    Here(Session),
    There { scheduler: &'a str, judging: &'a Judging<'a> },
}

impl Engine<'_> {
    fn each(
        &self,
        sql: &str,
        mut take: impl FnMut(&RecordBatch) -> Result<(), JudgingError>,
    ) -> Result<(), JudgingError> {
        match self {
            Self::Here(session) => session.query(sql)?.try_for_each(|batch| take(&batch?)),
            Self::There { scheduler, judging } => {
                let place = judging.snapshot.store().place().to_string();
                let version = Some(judging.version().id.as_str());
                let mut rows = Remote::ask(scheduler, place.as_ref(), version, sql)?;
                rows.try_for_each(|batch| take(&batch?))
            }
        }
    }
}

/// A session over the files that count.
fn here(judging: &Judging<'_>) -> Result<Session, JudgingError> {
    let store = judging.snapshot.store();
    let files = judging.files().iter().map(|file| TableFile {
        path: store.location(&file.path).to_string(),
        size: file.bytes,
        values: Vec::new(),
    });
    let table = Table {
        name: "judgements".into(),
        schema: schema(),
        partitions: Vec::new(),
        url: store.url(),
        files: files.collect(),
    };
    Ok(Session::new(vec![table], &store.object_store()?, &Limits::of_this_machine())?)
}

/// How many judgements of each shape there are by place. A column that the scope fixes is not
/// grouped by: the engine is many times slower then.
fn places(scope: &Scope) -> String {
    let country = if scope.cc.is_none() { "cc, " } else { "" };
    format!(
        "SELECT {country}asn, target, shape, count(*) AS judgements, \
         sum(CASE WHEN first THEN 1 ELSE 0 END) AS measurements, min(started) AS first, \
         max(started) AS last, min(network) AS network, min(position) AS example \
         FROM judgements{} GROUP BY {country}asn, target, shape",
        within(scope, None)
    )
}

/// How many judgements of each shape there are by day.
fn days(scope: &Scope) -> String {
    format!(
        "SELECT day, asn, shape, count(*) AS judgements, min(started) AS first, max(started) AS last \
         FROM judgements{} GROUP BY day, asn, shape",
        within(scope, Some("day IS NOT NULL"))
    )
}

fn within(scope: &Scope, more: Option<&str>) -> String {
    let at = |sign: &str, moment: &time::OffsetDateTime| {
        let micros = moment.unix_timestamp_nanos().div_euclid(1000);
        format!("started {sign} arrow_cast({micros}, 'Timestamp(Microsecond, Some(\"UTC\"))')")
    };
    let mut terms: Vec<_> = more.map(str::to_owned).into_iter().collect();
    // Two letters: nothing that would have to be escaped.
    terms.extend(scope.cc.as_ref().map(|cc| format!("cc = '{cc}'")));
    terms.extend(scope.since.as_ref().map(|since| at(">=", since)));
    terms.extend(scope.until.as_ref().map(|until| at("<=", until)));
    if terms.is_empty() { String::new() } else { format!(" WHERE {}", terms.join(" AND ")) }
}

fn rows(
    batch: &RecordBatch,
    scope: &Scope,
    take: &mut dyn FnMut(Grouped) -> Result<(), JudgingError>,
) -> Result<(), JudgingError> {
    let columns = Columns::of(batch);
    let (asn, judgements) = (columns.long("asn")?, columns.long("judgements")?);
    let (measurements, shape) = (columns.long("measurements")?, columns.bytes("shape")?);
    let (first, last) = (columns.moment("first")?, columns.moment("last")?);
    let (network, target) = (columns.text("network")?, columns.text("target")?);
    let example = columns.bytes("example")?;
    let country = match &scope.cc {
        Some(_) => None,
        None => Some(columns.text("cc")?),
    };
    for at in 0..batch.num_rows() {
        let known = |texts: &StringArray| texts.is_valid(at).then(|| texts.value(at).to_owned());
        let position = example.is_valid(at).then(|| Position::from_bytes(example.value(at)));
        let country = country.as_ref().map(|country| country.value(at).to_owned());
        let row = Row {
            country: country.or_else(|| scope.cc.clone()).unwrap_or_default(),
            asn: u32::try_from(asn.value(at)).unwrap_or_default(),
            target: known(&target).unwrap_or_default(),
            judgements: count(&judgements, at),
            measurements: count(&measurements, at),
            first: seconds(&first, at),
            last: seconds(&last, at),
            network: known(&network),
            example: position.flatten(),
        };
        take(Grouped::Row(shape_of(&shape, at)?, row))?;
    }
    Ok(())
}

fn by_day(
    batch: &RecordBatch,
    take: &mut dyn FnMut(Grouped) -> Result<(), JudgingError>,
) -> Result<(), JudgingError> {
    let columns = Columns::of(batch);
    let (day, asn, shape) = (columns.long("day")?, columns.long("asn")?, columns.bytes("shape")?);
    let judgements = columns.long("judgements")?;
    let (first, last) = (columns.moment("first")?, columns.moment("last")?);
    for at in 0..batch.num_rows() {
        let of_day = Day {
            day: day.value(at),
            asn: u32::try_from(asn.value(at)).unwrap_or_default(),
            judgements: count(&judgements, at),
            first: seconds(&first, at).unwrap_or_default(),
            last: seconds(&last, at).unwrap_or_default(),
        };
        take(Grouped::Day(shape_of(&shape, at)?, of_day))?;
    }
    Ok(())
}

fn count(column: &Int64Array, at: usize) -> u64 {
    u64::try_from(column.value(at)).unwrap_or_default()
}

fn seconds(column: &TimestampMicrosecondArray, at: usize) -> Option<i64> {
    column.is_valid(at).then(|| column.value(at).div_euclid(1_000_000))
}

fn shape_of(column: &BinaryArray, at: usize) -> Result<ShapeId, JudgingError> {
    ShapeId::from_bytes(column.value(at)).ok_or(JudgingError::Column { column: "shape" })
}

/// The columns of an answer, whichever of its types the engine chose for each.
struct Columns<'a>(&'a RecordBatch);

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Self {
        Self(batch)
    }

    fn column(&self, name: &'static str, kind: &DataType) -> Result<ArrayRef, JudgingError> {
        let column = self.0.column_by_name(name).ok_or(JudgingError::Column { column: name })?;
        cast(column, kind).map_err(|_| JudgingError::Column { column: name })
    }

    fn long(&self, name: &'static str) -> Result<Int64Array, JudgingError> {
        let column = match name {
            // A date counts days, which are no longer as such once they are cast further.
            "day" => cast(&self.column(name, &DataType::Int32)?, &DataType::Int64)
                .map_err(|_| JudgingError::Column { column: name })?,
            _ => self.column(name, &DataType::Int64)?,
        };
        Ok(column.as_primitive::<Int64Type>().clone())
    }

    fn text(&self, name: &'static str) -> Result<StringArray, JudgingError> {
        Ok(self.column(name, &DataType::Utf8)?.as_string::<i32>().clone())
    }

    fn bytes(&self, name: &'static str) -> Result<BinaryArray, JudgingError> {
        Ok(self.column(name, &DataType::Binary)?.as_binary::<i32>().clone())
    }

    fn moment(&self, name: &'static str) -> Result<TimestampMicrosecondArray, JudgingError> {
        let kind = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        Ok(self.column(name, &kind)?.as_primitive::<TimestampMicrosecondType>().clone())
    }
}
