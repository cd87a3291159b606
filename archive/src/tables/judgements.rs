//! The table of judgements: one row each, with the shape by which a report counts it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanBuilder, Date32Builder, FixedSizeBinaryBuilder,
    Int32Builder, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{
    DataType, Date32Type, Field, Int32Type, Int64Type, Schema, SchemaRef, TimeUnit,
    TimestampMicrosecondType,
};
use bytes::Bytes;
use kua::campaign::{Day, Position, Row, Shape, ShapeId};
use kua::chain::Fingerprint;
use kua::measurement::Measurement;
use kua::verdict::Judgement;
use serde::Serialize;

use super::parquet::{Layout, Sorted, TableError, read};

/// The columns of the table.
pub fn schema() -> SchemaRef {
    SCHEMA.clone()
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let started = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let text = |name: &str, nullable: bool| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        Field::new("record", DataType::Int64, false),
        Field::new("handshake", DataType::Int32, true),
        Field::new("first", DataType::Boolean, false),
        Field::new("started", started, true),
        Field::new("day", DataType::Date32, true),
        text("cc", false),
        Field::new("asn", DataType::Int64, false),
        text("network", true),
        text("target", true),
        text("verdict", false),
        text("level", true),
        text("actor", true),
        text("interceptor", true),
        text("class", true),
        Field::new("signing_key", DataType::FixedSizeBinary(32), true),
        text("basis", true),
        text("findings", true),
        text("failure", true),
        Field::new("shape", DataType::FixedSizeBinary(16), false),
        Field::new("position", DataType::Binary, true),
    ]))
});

/// Rows that a report counts together lie together. Large row groups: what is grouped is read whole.
const LAYOUT: Layout = Layout {
    sorted_by: &["cc", "day", "asn", "target", "shape", "started", "record", "handshake"],
    plain: &["position"],
    delta: &["record", "started"],
    delta_text: &[],
    group_rows: 512 * 1024,
};

/// Rows that are being made. What foreign text is in them was in records, and is as long as there.
#[derive(Debug)]
pub struct Rows {
    record: Int64Builder,
    handshake: Int32Builder,
    first: BooleanBuilder,
    started: TimestampMicrosecondBuilder,
    day: Date32Builder,
    cc: StringBuilder,
    asn: Int64Builder,
    network: StringBuilder,
    target: StringBuilder,
    verdict: StringBuilder,
    level: StringBuilder,
    actor: StringBuilder,
    interceptor: StringBuilder,
    class: StringBuilder,
    signing_key: FixedSizeBinaryBuilder,
    basis: StringBuilder,
    findings: StringBuilder,
    failure: StringBuilder,
    shape: FixedSizeBinaryBuilder,
    position: BinaryBuilder,
    shapes: BTreeMap<ShapeId, Shape>,
}

/// Some rows of the table, and what their shapes are.
#[derive(Debug)]
pub struct Part {
    /// The rows.
    pub rows: RecordBatch,
    /// Each shape that occurs in them.
    pub shapes: BTreeMap<ShapeId, Shape>,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            record: Int64Builder::new(),
            handshake: Int32Builder::new(),
            first: BooleanBuilder::new(),
            started: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            day: Date32Builder::new(),
            cc: StringBuilder::new(),
            asn: Int64Builder::new(),
            network: StringBuilder::new(),
            target: StringBuilder::new(),
            verdict: StringBuilder::new(),
            level: StringBuilder::new(),
            actor: StringBuilder::new(),
            interceptor: StringBuilder::new(),
            class: StringBuilder::new(),
            signing_key: FixedSizeBinaryBuilder::new(32),
            basis: StringBuilder::new(),
            findings: StringBuilder::new(),
            failure: StringBuilder::new(),
            shape: FixedSizeBinaryBuilder::new(16),
            position: BinaryBuilder::new(),
            shapes: BTreeMap::new(),
        }
    }
}

impl Rows {
    /// Adds the judgements of a measurement: the number of its record in the archive, and its hash.
    ///
    /// # Errors
    /// [`TableError::Arrow`].
    pub fn add(
        &mut self,
        record: u64,
        hash: Fingerprint,
        measurement: &Measurement,
        judgements: &[Judgement],
    ) -> Result<(), TableError> {
        for (position, judgement) in (0..).zip(judgements) {
            let shape = Shape::of(measurement, judgement);
            let mut row = Row::of(Some(hash), measurement, judgement, position, &shape);
            if let Some(example) = &mut row.example {
                example.number = record;
            }
            self.place(record, position, &row, judgement, &shape);
            self.told(judgement, &shape)?;
        }
        Ok(())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        use arrow::array::ArrayBuilder;
        self.record.len()
    }

    fn place(
        &mut self,
        record: u64,
        position: u32,
        row: &Row,
        judgement: &Judgement,
        shape: &Shape,
    ) {
        self.record.append_value(i64::try_from(record).unwrap_or(i64::MAX));
        let handshake = i32::try_from(position).unwrap_or(i32::MAX);
        self.handshake.append_option(shape.handshake.then_some(handshake));
        self.first.append_value(position == 0);
        let micros = judgement.started.map(|at| at.unix_timestamp_nanos().div_euclid(1000));
        self.started.append_option(micros.and_then(|micros| i64::try_from(micros).ok()));
        let day = Day::of(judgement).and_then(|day| i32::try_from(day.day).ok());
        self.day.append_option(day);
        self.cc.append_value(&row.country);
        self.asn.append_value(row.asn.into());
        self.network.append_option(row.network.as_deref());
        self.target.append_option(Some(&row.target).filter(|target| !target.is_empty()));
        self.position.append_option(row.example.map(Position::to_bytes));
    }

    fn told(&mut self, judgement: &Judgement, shape: &Shape) -> Result<(), TableError> {
        self.verdict.append_value(judgement.verdict.as_str());
        self.level.append_option(judgement.level.map(|level| level.to_string()));
        self.actor.append_option(judgement.actor.map(|actor| word(&actor)));
        self.interceptor.append_option(judgement.interceptor.as_deref());
        self.class.append_option(shape.class());
        match &judgement.signing_key {
            Some(key) => self.signing_key.append_value(key.key_hash.as_bytes())?,
            None => self.signing_key.append_null(),
        }
        let basis: Vec<_> = judgement.basis.iter().map(word).collect();
        self.basis.append_option((!basis.is_empty()).then(|| basis.join(" ")));
        let findings = judgement.findings.iter();
        let findings: Vec<_> =
            findings.map(|found| format!("{}={}", found.detector, found.level)).collect();
        self.findings.append_option((!findings.is_empty()).then(|| findings.join(" ")));
        let failure = judgement.failure.as_ref().map(kua::measurement::Failure::code);
        self.failure.append_option(failure.filter(|code| !code.is_empty()));
        let id = shape.id();
        self.shape.append_value(id.0)?;
        self.shapes.entry(id).or_insert_with(|| shape.clone());
        Ok(())
    }

    /// The rows.
    ///
    /// # Errors
    /// [`TableError::Arrow`].
    pub fn finish(mut self) -> Result<Part, TableError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.record.finish()),
            Arc::new(self.handshake.finish()),
            Arc::new(self.first.finish()),
            Arc::new(self.started.finish()),
            Arc::new(self.day.finish()),
            Arc::new(self.cc.finish()),
            Arc::new(self.asn.finish()),
            Arc::new(self.network.finish()),
            Arc::new(self.target.finish()),
            Arc::new(self.verdict.finish()),
            Arc::new(self.level.finish()),
            Arc::new(self.actor.finish()),
            Arc::new(self.interceptor.finish()),
            Arc::new(self.class.finish()),
            Arc::new(self.signing_key.finish()),
            Arc::new(self.basis.finish()),
            Arc::new(self.findings.finish()),
            Arc::new(self.failure.finish()),
            Arc::new(self.shape.finish()),
            Arc::new(self.position.finish()),
        ];
        Ok(Part { rows: RecordBatch::try_new(schema(), columns)?, shapes: self.shapes })
    }
}

/// A file of the table that is being written, in memory.
pub struct File {
    sorted: Sorted,
    rows: u64,
}

impl File {
    /// An empty one.
    ///
    /// # Errors
    /// [`TableError::Parquet`].
    pub fn new() -> Result<Self, TableError> {
        Ok(Self { sorted: Sorted::new(schema(), &LAYOUT)?, rows: 0 })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn add(&mut self, rows: RecordBatch) -> Result<(), TableError> {
        self.rows += rows.num_rows() as u64;
        self.sorted.add(rows)
    }

    /// Its bytes, and how many rows there are.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn finish(self) -> Result<(Bytes, u64), TableError> {
        Ok((self.sorted.finish()?, self.rows))
    }
}

/// One judgement as the table has it, as far as two of one record are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Number of the record in the archive.
    pub record: u64,
    /// Which of its handshakes; `None` of a record that reached none.
    pub handshake: Option<u32>,
    /// When, in microseconds since 1970.
    pub started: Option<i64>,
    /// Where, and for which name.
    pub row: Row,
    /// By time.
    pub day: Option<Day>,
    /// What it shows.
    pub verdict: String,
    /// How sure.
    pub level: Option<String>,
    /// What kind of interceptor.
    pub actor: Option<String>,
    /// Which dossier's.
    pub interceptor: Option<String>,
    /// Which detectors spoke, and how sure each is.
    pub findings: Option<String>,
    /// The shape by which it counts.
    pub shape: ShapeId,
}

/// Hands every row of a file to `visit`.
///
/// # Errors
/// [`TableError`] for what is no such file; whatever `visit` gives.
pub fn each<E: From<TableError>>(
    bytes: Bytes,
    mut visit: impl FnMut(Told) -> Result<(), E>,
) -> Result<(), E> {
    for batch in read(&schema(), bytes)? {
        each_of(&batch?, &mut visit)?;
    }
    Ok(())
}

/// Hands every row of some to `visit`.
///
/// # Errors
/// [`TableError::Columns`] for rows of another table; whatever `visit` gives.
pub fn each_of<E: From<TableError>>(
    batch: &RecordBatch,
    mut visit: impl FnMut(Told) -> Result<(), E>,
) -> Result<(), E> {
    let other = || TableError::Columns { table: "judgements" };
    let column = |name: &str| batch.column_by_name(name).ok_or_else(other);
    let text = |name: &str| column(name)?.as_string_opt::<i32>().ok_or_else(other);
    let long = |name: &str| column(name)?.as_primitive_opt::<Int64Type>().ok_or_else(other);
    let handshake = column("handshake")?.as_primitive_opt::<Int32Type>().ok_or_else(other)?;
    let started = column("started")?.as_primitive_opt::<TimestampMicrosecondType>();
    let started = started.ok_or_else(other)?;
    let day = column("day")?.as_primitive_opt::<Date32Type>().ok_or_else(other)?;
    let first = column("first")?.as_boolean_opt().ok_or_else(other)?;
    let shape = column("shape")?.as_fixed_size_binary_opt().ok_or_else(other)?;
    let position = column("position")?.as_binary_opt::<i32>().ok_or_else(other)?;
    let (record, asn) = (long("record")?, long("asn")?);
    let (cc, network, target) = (text("cc")?, text("network")?, text("target")?);
    let (verdict, level, actor) = (text("verdict")?, text("level")?, text("actor")?);
    let (interceptor, findings) = (text("interceptor")?, text("findings")?);
    for at in 0..batch.num_rows() {
        let known = |texts: &arrow::array::StringArray| {
            texts.is_valid(at).then(|| texts.value(at).to_owned())
        };
        let micros = started.is_valid(at).then(|| started.value(at));
        let seconds = micros.map(|micros| micros.div_euclid(1_000_000));
        let asn = u32::try_from(asn.value(at)).unwrap_or_default();
        let example = position.is_valid(at).then(|| Position::from_bytes(position.value(at)));
        let row = Row {
            country: cc.value(at).to_owned(),
            asn,
            target: known(target).unwrap_or_default(),
            judgements: 1,
            measurements: u64::from(first.value(at)),
            first: seconds,
            last: seconds,
            network: known(network),
            example: example.flatten(),
        };
        let of_day =
            |at: i64, day: i32| Day { day: day.into(), asn, judgements: 1, first: at, last: at };
        let day =
            seconds.filter(|_| day.is_valid(at)).map(|at_second| of_day(at_second, day.value(at)));
        visit(Told {
            record: u64::try_from(record.value(at)).unwrap_or_default(),
            handshake: handshake
                .is_valid(at)
                .then(|| handshake.value(at))
                .and_then(|at| at.try_into().ok()),
            started: micros,
            row,
            day,
            verdict: verdict.value(at).to_owned(),
            level: known(level),
            actor: known(actor),
            interceptor: known(interceptor),
            findings: known(findings),
            shape: ShapeId::from_bytes(shape.value(at)).ok_or_else(other)?,
        })?;
    }
    Ok(())
}

/// A value that is written as one word.
fn word(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    text.trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use kua::campaign::Tally;
    use kua::measurement::{Failure, Handshake, Vantage, codes};
    use kua::reference::Reference;
    use kua::surroundings::Surroundings;
    use kua::verdict::judge;
    use time::OffsetDateTime;

    use super::*;

    /// A handshake that was cut, one that showed a stranger's chain, and a record of none.
    fn records() -> Vec<Measurement> {
        let leaf = kua_mint::Authority::root("Stranger").leaf("example.com").certificate;
        let cut = Handshake {
            server_name: Some("example.com".into()),
            failure: Some(Failure::new(codes::CONNECTION_RESET)),
            ..Handshake::default()
        };
        let shown = Handshake {
            chain: kua::chain::Chain::from_der([leaf]).ok(),
            failure: Some(Failure::new(codes::SSL_UNKNOWN_AUTHORITY)),
            whole: true,
            ..cut.clone()
        };
        let of = |started: i64, asn: u32, network: &str, handshakes: &[&Handshake]| Measurement {
            started: OffsetDateTime::from_unix_timestamp(started).ok().filter(|_| started != 0),
            vantage: Vantage { country: "QZ".into(), asn, network: network.into() },
            handshakes: handshakes.iter().map(|shaken| (*shaken).clone()).collect(),
            ..Measurement::default()
        };
        vec![
            of(1_700_000_000, 64500, "Net", &[&cut, &shown]),
            of(1_700_000_001, 64500, "A net", &[&shown]),
            of(-1, 64501, "", &[&cut]),
            of(0, 64501, "", &[&cut]),
            of(1_700_000_000, u32::MAX, "", &[]),
        ]
    }

    #[test]
    fn a_file_counts_as_its_judgements_do() {
        let reference = Reference::built_in().unwrap();
        let mut whole = Tally::default();
        let (mut rows, mut judged) = (Rows::default(), Vec::new());
        for (number, record) in (1..).zip(records()) {
            let hash = Fingerprint::of(&[number as u8]);
            let judgements = judge(&record, &reference, &Surroundings::none(), Some(number));
            whole.observe_record(Some(hash), &record, &judgements);
            rows.add(number, hash, &record, &judgements).unwrap();
            judged.push(judgements);
        }
        let part = rows.finish().unwrap();
        let mut file = File::new().unwrap();
        file.add(part.rows.slice(0, 2)).unwrap();
        file.add(part.rows.slice(2, part.rows.num_rows() - 2)).unwrap();
        let (bytes, count) = file.finish().unwrap();
        assert_eq!(count, 6);
        let (mut tally, mut handshakes) = (Tally::default(), Vec::new());
        each(bytes.clone(), |told| {
            let shape = &part.shapes[&told.shape];
            assert_eq!(told.verdict, shape.verdict.as_str());
            tally.count(&told.row, shape);
            if let Some(day) = &told.day {
                tally.count_day(day, shape);
            }
            handshakes.push((told.record, told.handshake));
            Ok::<_, TableError>(())
        })
        .unwrap();
        for position in tally.untold().collect::<Vec<_>>() {
            let judgement = &judged[position.number as usize - 1][position.judgement as usize];
            tally.tell(position, judgement);
        }
        assert_eq!(tally, whole);
        handshakes.sort_unstable();
        let all = [(1, Some(0)), (1, Some(1)), (2, Some(0)), (3, Some(0)), (4, Some(0)), (5, None)];
        assert_eq!(handshakes, all);
        for cut in [0, 10, bytes.len() / 2, bytes.len() - 1] {
            let nothing = |_| Ok::<_, TableError>(());
            assert!(each(bytes.slice(..cut), nothing).is_err(), "{cut} bytes");
        }
    }
}
