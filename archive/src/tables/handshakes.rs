//! The table of handshakes: one row each, its certificates by name.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, BooleanArray, FixedSizeBinaryBuilder, Int32Array, Int64Array, ListBuilder,
    RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use kua::chain::{Chain, Fingerprint, KeyHash};
use kua::measurement::{Handshake, Measurement};
use kua::path::{Top, path};

use super::certificates::hashes;
use super::parquet::{Layout, TableError, read, write_sorted};
use super::partition::Partition;

/// The columns of the table, besides `day` and `cc`, which the path of a file gives.
pub fn schema() -> SchemaRef {
    SCHEMA.clone()
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let hash = || DataType::FixedSizeBinary(32);
    let started = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let chain = DataType::List(Arc::new(Field::new("element", hash(), false)));
    Arc::new(Schema::new(vec![
        Field::new("record", DataType::Int64, false),
        Field::new("hash", hash(), false),
        Field::new("handshake", DataType::Int32, false),
        Field::new("measurement", DataType::Utf8, true),
        Field::new("run", DataType::Utf8, true),
        Field::new("started", started, true),
        Field::new("asn", DataType::Int64, false),
        Field::new("network", DataType::Utf8, true),
        Field::new("software", DataType::Utf8, true),
        Field::new("software_version", DataType::Utf8, true),
        Field::new("test", DataType::Utf8, true),
        Field::new("test_version", DataType::Utf8, true),
        Field::new("input", DataType::Utf8, true),
        Field::new("target_host", DataType::Utf8, true),
        Field::new("target_port", DataType::Int32, true),
        Field::new("server_name", DataType::Utf8, true),
        Field::new("address", DataType::Utf8, true),
        Field::new("port", DataType::Int32, true),
        Field::new("transport", DataType::Utf8, true),
        Field::new("failure", DataType::Utf8, true),
        Field::new("tls_version", DataType::Utf8, true),
        Field::new("cipher", DataType::Utf8, true),
        Field::new("alpn", DataType::Utf8, true),
        Field::new("whole", DataType::Boolean, false),
        Field::new("unverified", DataType::Boolean, false),
        Field::new("chain", chain, true),
        Field::new("leaf", hash(), true),
        Field::new("leaf_key", hash(), true),
        Field::new("intermediate_key", hash(), true),
        Field::new("anchor_key", hash(), true),
        Field::new("begun_us", DataType::Int64, true),
        Field::new("took_us", DataType::Int64, true),
    ]))
});

/// How the table is laid out in files. Rows of one name lie together: most questions are about a
/// few names, and what servers of one name present is alike.
pub(crate) const LAYOUT: Layout = Layout {
    sorted_by: &["server_name", "target_host", "asn", "started", "record", "handshake"],
    plain: &["hash"],
    delta: &["record", "begun_us", "took_us"],
    delta_text: &["measurement"],
    group_rows: 128 * 1024,
};

/// Rows that wait to be written, by partition. What they share is held once.
#[derive(Debug, Default)]
pub struct Rows {
    partitions: BTreeMap<Partition, Vec<Row>>,
    texts: HashSet<Arc<str>>,
    chains: HashMap<(Vec<Fingerprint>, bool), Arc<Presented>>,
    count: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Row {
    record: i64,
    hash: [u8; 32],
    handshake: i32,
    measurement: Option<Arc<str>>,
    run: Option<Arc<str>>,
    started: Option<i64>,
    asn: i64,
    network: Option<Arc<str>>,
    software: Option<Arc<str>>,
    software_version: Option<Arc<str>>,
    test: Option<Arc<str>>,
    test_version: Option<Arc<str>>,
    input: Option<Arc<str>>,
    target_host: Option<Arc<str>>,
    target_port: Option<i32>,
    server_name: Option<Arc<str>>,
    endpoint: Option<SocketAddr>,
    transport: Option<Arc<str>>,
    failure: Option<Arc<str>>,
    tls_version: Option<Arc<str>>,
    cipher: Option<Arc<str>>,
    alpn: Option<Arc<str>>,
    whole: bool,
    unverified: bool,
    presented: Option<Arc<Presented>>,
    begun_us: Option<i64>,
    took_us: Option<i64>,
}

/// A chain by its names, and the keys on the path of signatures within it.
#[derive(Debug)]
struct Presented {
    chain: Vec<Fingerprint>,
    leaf: Option<Fingerprint>,
    leaf_key: Option<KeyHash>,
    intermediate_key: Option<KeyHash>,
    anchor_key: Option<KeyHash>,
}

impl Rows {
    /// Adds a row for each handshake of the measurement that was read from a record: its number in
    /// the archive, and its hash.
    pub fn add(&mut self, record: u64, hash: [u8; 32], measurement: &Measurement) {
        if measurement.handshakes.is_empty() {
            return;
        }
        // One for all its rows, but not worth remembering: no other record has it.
        let name = measurement.uid.as_deref().map(Arc::from);
        let rows: Vec<_> = (0..)
            .zip(&measurement.handshakes)
            .map(|(number, shaken)| Row {
                record: record.try_into().unwrap_or(i64::MAX),
                hash,
                handshake: number,
                measurement: Option::clone(&name),
                ..self.row(measurement, shaken)
            })
            .collect();
        self.count += rows.len() as u64;
        self.bytes +=
            rows.len() * size_of::<Row>() + measurement.uid.as_ref().map_or(0, String::len);
        self.partitions.entry(Partition::of(measurement)).or_default().extend(rows);
    }

    /// How many rows there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// About how many bytes of memory they take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The file of each partition, one after the other.
    pub fn into_files(self) -> impl Iterator<Item = Result<PartitionFile, TableError>> {
        self.partitions.into_iter().map(|(partition, rows)| {
            let count = rows.len() as u64;
            let batches = rows.chunks(LAYOUT.group_rows).map(batch);
            let bytes = write_sorted(&SCHEMA, &LAYOUT, batches)?;
            Ok(PartitionFile { partition, rows: count, bytes })
        })
    }

    fn row(&mut self, measurement: &Measurement, shaken: &Handshake) -> Row {
        let (vantage, software) = (&measurement.vantage, &measurement.software);
        let presented = shaken.chain.as_ref().map(|chain| self.presented(shaken, chain));
        let timed = shaken.span.t0 != 0.0 || shaken.span.t != 0.0;
        let micros = |seconds: f64| timed.then_some((seconds * 1e6).round() as i64);
        Row {
            record: 0,
            hash: [0; 32],
            handshake: 0,
            measurement: None,
            run: self.known_text(measurement.run.as_deref()),
            started: measurement
                .started
                .and_then(|at| at.unix_timestamp_nanos().div_euclid(1_000_000).try_into().ok()),
            asn: vantage.asn.into(),
            network: self.text(&vantage.network),
            software: self.text(&software.name),
            software_version: self.text(&software.version),
            test: self.text(&software.test),
            test_version: self.text(&software.test_version),
            input: self.known_text(measurement.input.as_deref()),
            target_host: measurement.target_host().and_then(|host| self.text(&host)),
            target_port: measurement.target.as_ref().map(|target| target.port.into()),
            server_name: self.known_text(shaken.server_name.as_deref()),
            endpoint: shaken.endpoint,
            transport: self.text(&shaken.network),
            failure: shaken.failure.as_ref().and_then(|failure| self.text(failure.code())),
            tls_version: self.text(&shaken.version),
            cipher: self.text(&shaken.cipher),
            alpn: self.text(&shaken.alpn),
            whole: shaken.whole,
            unverified: shaken.unverified,
            presented,
            begun_us: micros(shaken.span.t0),
            took_us: micros(shaken.span.t - shaken.span.t0),
        }
    }

    /// `None` for an empty text: that is how a measurement says that it does not know.
    fn text(&mut self, text: &str) -> Option<Arc<str>> {
        (!text.is_empty()).then(|| self.shared(text))
    }

    fn known_text(&mut self, text: Option<&str>) -> Option<Arc<str>> {
        text.map(|text| self.shared(text))
    }

    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        self.bytes += text.len() + 64;
        self.texts.insert(text.clone());
        text
    }

    fn presented(&mut self, shaken: &Handshake, chain: &Chain) -> Arc<Presented> {
        let names = (chain.fingerprints(), shaken.leaf().is_some());
        if let Some(known) = self.chains.get(&names) {
            return known.clone();
        }
        let presented = Arc::new(Presented::of(shaken, chain));
        self.bytes += 64 * names.0.len() + size_of::<Presented>() + 64;
        self.chains.insert(names, presented.clone());
        presented
    }
}

impl Presented {
    fn of(shaken: &Handshake, chain: &Chain) -> Self {
        let key = |at: &usize| Some(chain.certificates().get(*at)?.fields()?.key_hash);
        let found = path(chain, |_| None);
        let leaf = shaken.leaf();
        let (above, anchor) = match (found.top, found.links.split_last()) {
            (Top::SelfSigned, Some((last, below))) => (below, Some(last)),
            _ => (&found.links[..], None),
        };
        let above = above.get(usize::from(leaf.is_some())..).unwrap_or_default();
        Self {
            chain: chain.fingerprints(),
            leaf: leaf.map(kua::chain::Certificate::fingerprint),
            leaf_key: leaf.and_then(|leaf| Some(leaf.fields()?.key_hash)),
            intermediate_key: above.first().and_then(key),
            anchor_key: anchor.and_then(key),
        }
    }
}

/// The rows of one partition as a Parquet file.
#[derive(Debug)]
pub struct PartitionFile {
    /// Whose rows.
    pub partition: Partition,
    /// How many.
    pub rows: u64,
    /// The file.
    pub bytes: Bytes,
}

/// Several files of one partition as one; a single one stays as it is.
pub(crate) fn joined(files: impl IntoIterator<Item = Bytes>) -> Result<Bytes, TableError> {
    let mut files: Vec<_> = files.into_iter().collect();
    if files.len() == 1
        && let Some(only) = files.pop()
    {
        return Ok(only);
    }
    let batches = files.into_iter().flat_map(|file| match read(&SCHEMA, file) {
        Ok(batches) => Box::new(batches) as Box<dyn Iterator<Item = _>>,
        Err(error) => Box::new(std::iter::once(Err(error))),
    });
    write_sorted(&SCHEMA, &LAYOUT, batches)
}

fn batch(rows: &[Row]) -> Result<RecordBatch, TableError> {
    let texts = |of: fn(&Row) -> &Option<Arc<str>>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| of(row).as_deref()).collect::<StringArray>())
    };
    let addresses = rows.iter().map(|row| row.endpoint.map(|at| at.ip().to_string()));
    let ports = rows.iter().map(|row| row.endpoint.map(|at| i32::from(at.port())));
    let started: TimestampMillisecondArray = rows.iter().map(|row| row.started).collect();
    let flags = |of: fn(&Row) -> bool| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(of(row))).collect::<BooleanArray>())
    };
    let long = |of: fn(&Row) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Int64Array>())
    };
    let of_chain = |of: fn(&Presented) -> Option<[u8; 32]>| {
        hashes(rows.iter().map(|row| row.presented.as_ref().and_then(|chain| of(chain))))
    };
    let columns: Vec<ArrayRef> = vec![
        long(|row| Some(row.record)),
        hashes(rows.iter().map(|row| Some(row.hash)))?,
        Arc::new(rows.iter().map(|row| Some(row.handshake)).collect::<Int32Array>()),
        texts(|row| &row.measurement),
        texts(|row| &row.run),
        Arc::new(started.with_timezone("UTC")),
        long(|row| Some(row.asn)),
        texts(|row| &row.network),
        texts(|row| &row.software),
        texts(|row| &row.software_version),
        texts(|row| &row.test),
        texts(|row| &row.test_version),
        texts(|row| &row.input),
        texts(|row| &row.target_host),
        Arc::new(rows.iter().map(|row| row.target_port).collect::<Int32Array>()),
        texts(|row| &row.server_name),
        Arc::new(addresses.collect::<StringArray>()),
        Arc::new(ports.collect::<Int32Array>()),
        texts(|row| &row.transport),
        texts(|row| &row.failure),
        texts(|row| &row.tls_version),
        texts(|row| &row.cipher),
        texts(|row| &row.alpn),
        flags(|row| row.whole),
        flags(|row| row.unverified),
        chains(rows)?,
        of_chain(|chain| chain.leaf.map(|name| *name.as_bytes()))?,
        of_chain(|chain| chain.leaf_key.map(|key| *key.as_bytes()))?,
        of_chain(|chain| chain.intermediate_key.map(|key| *key.as_bytes()))?,
        of_chain(|chain| chain.anchor_key.map(|key| *key.as_bytes()))?,
        long(|row| row.begun_us),
        long(|row| row.took_us),
    ];
    Ok(RecordBatch::try_new(SCHEMA.clone(), columns)?)
}

fn chains(rows: &[Row]) -> Result<ArrayRef, TableError> {
    let element = Field::new("element", DataType::FixedSizeBinary(32), false);
    let mut builder = ListBuilder::new(FixedSizeBinaryBuilder::new(32)).with_field(element);
    for row in rows {
        if let Some(presented) = &row.presented {
            for name in &presented.chain {
                builder.values().append_value(name.as_bytes())?;
            }
        }
        builder.append(row.presented.is_some());
    }
    Ok(Arc::new(builder.finish()))
}
