//! Judgements as a year of measuring in one country gives them: some networks have most volunteers, every
//! site is asked for again and again, and few judgements are anything but normal.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanArray, Date32Array, FixedSizeBinaryBuilder, Int32Array,
    Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use kua_archive::tables::judgements::{File, schema};
use kua_query::TableFile;

use crate::Result;

/// 2023-01-01.
const FIRST_DAY: i32 = 19_358;
const DAYS: u64 = 365;
const NETWORKS: u64 = 60;
const SITES: u64 = 1_500;

/// Rows of a file: a settled segment.
const FILE_ROWS: u64 = 1_000_000;

const DAY_MICROS: u64 = 86_400_000_000;

/// Writes the files and gives them.
pub(crate) fn judgements(dir: &Path, rows: u64) -> Result<Vec<TableFile>> {
    fs::create_dir_all(dir.join("judgements/bench"))?;
    let files = rows.div_ceil(FILE_ROWS);
    let mut random = Random(1);
    let made = (0..files).map(|number| {
        let from = number * FILE_ROWS;
        let bytes = file(from, FILE_ROWS.min(rows - from), rows, &mut random)?;
        let path = format!("judgements/bench/{0:012}-{0:012}.parquet", number + 1);
        fs::write(dir.join(&path), &bytes)?;
        Ok(TableFile { path, size: bytes.len() as u64, values: Vec::new() })
    });
    made.collect()
}

/// The rows `from..from + count` of all, by time; the writer sorts them as an archive does.
fn file(from: u64, count: u64, all: u64, random: &mut Random) -> Result<bytes::Bytes> {
    let mut file = File::new()?;
    let mut done = 0;
    while done < count {
        let part = (count - done).min(1 << 16);
        file.add(batch(from + done, part, all, random)?)?;
        done += part;
    }
    Ok(file.finish()?.0)
}

fn batch(from: u64, count: u64, all: u64, random: &mut Random) -> Result<RecordBatch> {
    let rows: Vec<_> = (from..from + count).map(|number| Row::draw(number, all, random)).collect();
    let mut shape = FixedSizeBinaryBuilder::new(16);
    let mut key = FixedSizeBinaryBuilder::new(32);
    let mut position = BinaryBuilder::new();
    for row in &rows {
        shape.append_value(Random(row.shape).bytes::<16>())?;
        match row.is_intercepted() {
            true => {
                key.append_value(Random(row.shape % 8).bytes::<32>())?;
                let mut place = row.started.to_be_bytes().to_vec();
                place.extend(Random(row.number).bytes::<44>());
                position.append_value(place);
            }
            false => {
                key.append_null();
                position.append_null();
            }
        }
    }
    let texts = |of: fn(&Row) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let known =
        |text: &'static str| -> ArrayRef { Arc::new(StringArray::from(vec![text; rows.len()])) };
    let intercepted = |row: &Row, text: &str| row.is_intercepted().then(|| text.to_owned());
    let schema = schema();
    let columns = schema.fields().iter().map(|field| -> Result<ArrayRef> {
        Ok(match field.name().as_str() {
            "record" => {
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.number as i64 + 1)))
            }
            "handshake" => Arc::new(Int32Array::from(vec![0; rows.len()])),
            "first" => Arc::new(BooleanArray::from(vec![true; rows.len()])),
            "started" => {
                let moments = rows.iter().map(|row| row.started as i64);
                Arc::new(TimestampMicrosecondArray::from_iter_values(moments).with_timezone("UTC"))
            }
            "day" => {
                let days = rows.iter().map(|row| (row.started / DAY_MICROS) as i32);
                Arc::new(Date32Array::from_iter_values(days))
            }
            "cc" => known("KZ"),
            "asn" => Arc::new(Int64Array::from_iter_values(
                rows.iter().map(|row| 9_000 + 37 * row.network as i64),
            )),
            "network" => texts(|row| Some(format!("Network {}", row.network))),
            "target" => texts(|row| Some(format!("www.site-{:04}.example", row.site))),
            "verdict" => texts(|row| Some(row.verdict.into())),
            "level" => texts(|row| (row.verdict != "normal").then(|| "probable".into())),
            "actor" => texts(|row| row.is_intercepted().then(|| "state".into())),
            "interceptor" => Arc::new(
                rows.iter().map(|row| intercepted(row, "kz-isca")).collect::<StringArray>(),
            ),
            "basis" => Arc::new(
                rows.iter().map(|row| intercepted(row, "signed-by-key")).collect::<StringArray>(),
            ),
            "findings" => {
                texts(|row| (row.verdict != "normal").then(|| "unknown-anchor:probable".into()))
            }
            "failure" => {
                texts(|row| (row.verdict != "normal").then(|| "ssl_unknown_authority".into()))
            }
            "signing_key" => Arc::new(key.finish()),
            "shape" => Arc::new(shape.finish()),
            "position" => Arc::new(position.finish()),
            _ => new_null_array(field.data_type(), rows.len()),
        })
    });
    let columns: Vec<_> = columns.collect::<Result<_>>()?;
    Ok(RecordBatch::try_new(schema, columns)?)
}

struct Row {
    number: u64,
    network: u64,
    site: u64,
    verdict: &'static str,
    /// Microseconds since 1970.
    started: u64,
    shape: u64,
}

impl Row {
    /// The row of this number of `all`: rows lie evenly over the year.
    fn draw(number: u64, all: u64, random: &mut Random) -> Self {
        let day = number * DAYS / all.max(1);
        let started =
            (FIRST_DAY as u64 + day) * DAY_MICROS + random.below(DAY_MICROS / 1000) * 1000;
        // Zipf-like: half of all measurements come from a handful of networks.
        let unit = random.below(1 << 20) as f64 / (1 << 20) as f64;
        let network = ((NETWORKS as f64).powf(unit) - 1.0) as u64 % NETWORKS;
        let site = random.below(SITES);
        let (verdict, kind) = match random.below(100) {
            0..85 => ("normal", 0),
            85..90 => ("intercepted", 1),
            90..95 => ("blocked", 2),
            95..97 => ("misconfigured", 3),
            97..99 => ("anomaly", 4),
            _ => ("inconclusive", 5),
        };
        // Who intercepts, with which key, by which intermediate; or what is wrong.
        let shape = kind * 64
            + match verdict {
                "normal" => 0,
                "intercepted" => random.below(8) * 4 + random.below(4),
                _ => random.below(10),
            };
        Self { number, network, site, verdict, started, shape }
    }

    fn is_intercepted(&self) -> bool {
        self.verdict == "intercepted"
    }
}

/// SplitMix64: the same judgements everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn bytes<const N: usize>(mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            let next = self.next().to_le_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
        bytes
    }
}
