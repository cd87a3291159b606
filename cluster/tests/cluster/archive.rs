//! Tables on a shared directory and on an S3-compatible store.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeBinaryBuilder, Int32Array, Int64Array, RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field};
use datafusion::object_store::aws::AmazonS3Builder;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectStore, ObjectStoreExt};
use kua_query::{Table, TableFile};
use kua_tests::s3::Server;
use parquet::arrow::ArrowWriter;

/// Where tables lie.
pub(crate) struct Place {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// What every process has to be told of it.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// What tells two ways of reading it apart.
    pub(crate) name: &'static str,
    url: String,
    prefix: String,
    _kept: Kept,
}

/// Ends with the place.
enum Kept {
    Directory { _folder: tempfile::TempDir },
    Server { _server: Server },
}

impl Place {
    pub(crate) fn directory() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let prefix = folder.path().to_str().unwrap().trim_matches('/').to_owned();
        Self {
            store: Arc::new(LocalFileSystem::new()),
            environment: Vec::new(),
            name: "directory",
            url: "file:///".into(),
            prefix,
            _kept: Kept::Directory { _folder: folder },
        }
    }

    /// `None`, and a line that says so, where there is no S3 server.
    pub(crate) fn s3() -> Option<Self> {
        let server = Server::start()?;
        let place = server.place("kz");
        let (bucket, prefix) = place.strip_prefix("s3://").unwrap().split_once('/').unwrap();
        let environment = server.environment().to_vec();
        let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
        for (name, value) in &environment {
            let key = name.to_lowercase().parse().unwrap();
            builder = builder.with_config(key, value);
        }
        Some(Self {
            store: Arc::new(builder.build().unwrap()),
            environment,
            name: "s3",
            url: format!("s3://{bucket}/"),
            prefix: prefix.to_owned(),
            _kept: Kept::Server { _server: server },
        })
    }

    /// All that there are here.
    pub(crate) fn all() -> Vec<Self> {
        [Some(Self::directory()), Self::s3()].into_iter().flatten().collect()
    }

    /// The address of an archive here, and the same for this process.
    pub(crate) fn archive(&self) -> (String, kua_archive::Place) {
        match self.url.strip_prefix("s3://") {
            Some(bucket) => {
                let settings = self.environment.iter();
                let settings = settings.map(|(name, value)| ((*name).to_owned(), value.clone()));
                let bucket = bucket.trim_end_matches('/');
                let kept = kua_archive::Place::s3(bucket, "archive", settings.collect());
                (format!("s3://{bucket}/archive"), kept)
            }
            None => {
                let directory = format!("/{}/archive", self.prefix);
                (directory.clone(), PathBuf::from(directory).into())
            }
        }
    }

    /// Tables `handshakes` (of so many rows, in partitions by day and country) and `authorities`.
    pub(crate) fn tables(&self, rows: i64) -> Vec<Table> {
        let partitions = vec![
            Field::new("day", DataType::Date32, true),
            Field::new("cc", DataType::Utf8, false),
        ];
        let days = ["2023-10-16", "2023-10-17", "2024-02-29", "unknown"];
        let countries = ["KZ", "RU", "ZZ"];
        let each = rows / (days.len() * countries.len()) as i64;
        let mut files = Vec::new();
        let mut first = 0;
        for day in days {
            for country in countries {
                let path = format!("{}/handshakes/day={day}/cc={country}/1-1.parquet", self.prefix);
                let values = vec![day.to_owned(), country.to_owned()];
                files.push(self.put(&path, &handshakes(first..first + each), values));
                first += each;
            }
        }
        let schema = handshakes(0..1).schema();
        let (url, name) = (self.url.clone(), "handshakes".to_owned());
        let handshakes = Table { name, schema, partitions, url, files };

        let batch = authorities();
        let path = format!("{}/authorities/1-1.parquet", self.prefix);
        let files = vec![self.put(&path, &batch, Vec::new())];
        let (url, name) = (self.url.clone(), "authorities".to_owned());
        vec![handshakes, Table { name, schema: batch.schema(), partitions: Vec::new(), url, files }]
    }

    fn put(&self, path: &str, batch: &RecordBatch, values: Vec<String>) -> TableFile {
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        let bytes = writer.into_inner().unwrap();
        let size = bytes.len() as u64;
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let path = Path::parse(path).unwrap();
        runtime.block_on(self.store.put(&path, bytes.into())).unwrap();
        TableFile { path: path.to_string(), size, values }
    }
}

/// How many authorities there are; one in eleven handshakes shows none.
const AUTHORITIES: i64 = 10;

fn handshakes(rows: Range<i64>) -> RecordBatch {
    let column =
        |f: &dyn Fn(i64) -> i64| Arc::new(Int64Array::from_iter_values(rows.clone().map(f)));
    let record: ArrayRef = column(&|row| row);
    let started: ArrayRef = column(&|row| 1_697_414_400_000 + row * 977);
    let asn: ArrayRef = Arc::new(Int32Array::from_iter_values(
        rows.clone().map(|row| i32::try_from(row % 16).unwrap()),
    ));
    let target: ArrayRef = Arc::new(StringArray::from_iter_values(
        rows.clone().map(|row| format!("site-{}.example", row % 37)),
    ));
    let failure: ArrayRef = Arc::new(StringArray::from_iter(
        rows.clone().map(|row| (row % 5 == 0).then_some("connection_reset")),
    ));
    let mut leaf = FixedSizeBinaryBuilder::new(32);
    let mut anchor = FixedSizeBinaryBuilder::new(32);
    for row in rows {
        leaf.append_value(key(row % 997)).unwrap();
        match row % (AUTHORITIES + 1) {
            AUTHORITIES => anchor.append_null(),
            number => anchor.append_value(key(-1 - number)).unwrap(),
        }
    }
    RecordBatch::try_from_iter_with_nullable([
        ("record", record, false),
        ("started", started, false),
        ("asn", asn, false),
        ("target", target, false),
        ("failure", failure, true),
        ("leaf", Arc::new(leaf.finish()) as ArrayRef, false),
        ("anchor", Arc::new(anchor.finish()) as ArrayRef, true),
    ])
    .unwrap()
}

fn authorities() -> RecordBatch {
    let mut anchor = FixedSizeBinaryBuilder::new(32);
    for number in 0..AUTHORITIES {
        anchor.append_value(key(-1 - number)).unwrap();
    }
    let names = (0..AUTHORITIES).map(|number| (number != 3).then(|| format!("Authority {number}")));
    let name: ArrayRef = Arc::new(StringArray::from_iter(names));
    RecordBatch::try_from_iter_with_nullable([
        ("anchor", Arc::new(anchor.finish()) as ArrayRef, false),
        ("name", name, true),
    ])
    .unwrap()
}

fn key(number: i64) -> [u8; 32] {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}
