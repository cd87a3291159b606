//! SQL over real table files: which files are read, what is refused, and what happens under pressure.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type};
use arrow::util::pretty::pretty_format_batches;
use datafusion::object_store::ObjectStore;
use datafusion::object_store::local::LocalFileSystem;
use kua::measurement::{Handshake, Measurement, Vantage};
use kua_archive::tables::handshakes::{Rows, schema};
use kua_query::{Limits, Next, QueryError, Session, Table, TableFile};
use time::OffsetDateTime;

/// 2023-10-16.
const DAY: i64 = 1_697_414_400;

fn measurement(day: Option<i64>, country: &str, names: &[&str]) -> Measurement {
    let handshakes = names.iter().map(|name| Handshake {
        server_name: Some((*name).to_owned()),
        network: "tcp".into(),
        ..Handshake::default()
    });
    Measurement {
        started: day.map(|day| OffsetDateTime::from_unix_timestamp(DAY + day * 86_400).unwrap()),
        vantage: Vantage { country: country.into(), asn: 9198, network: String::new() },
        handshakes: handshakes.collect(),
        ..Measurement::default()
    }
}

/// Writes the files of one segment and gives them as a table does.
fn write(dir: &Path, segment: u32, measurements: &[Measurement]) -> Vec<TableFile> {
    let mut rows = Rows::default();
    for (record, measurement) in (1..).zip(measurements) {
        rows.add(record, [record as u8; 32], measurement);
    }
    let files = rows.into_files().map(|file| {
        let file = file.unwrap();
        let partition = file.partition.to_string();
        let path = format!("handshakes/{partition}/{segment:012}-{segment:012}.parquet");
        fs::create_dir_all(dir.join(&path).parent().unwrap()).unwrap();
        fs::write(dir.join(&path), &file.bytes).unwrap();
        let values = partition.split('/').map(|part| part.split_once('=').unwrap().1.to_owned());
        TableFile { path, size: file.bytes.len() as u64, values: values.collect() }
    });
    files.collect()
}

fn session(dir: &Path, files: Vec<TableFile>, memory: usize) -> Session {
    let limits = Limits { memory, spill: Some(dir.to_owned()), threads: 2 };
    session_within(dir, files, &limits).unwrap()
}

fn session_within(
    dir: &Path,
    files: Vec<TableFile>,
    limits: &Limits,
) -> Result<Session, QueryError> {
    let day = Field::new("day", DataType::Date32, true);
    let country = Field::new("cc", DataType::Utf8, false);
    let table = Table {
        name: "handshakes".into(),
        schema: schema(),
        partitions: vec![day, country],
        url: "file://".into(),
        files,
    };
    let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(dir).unwrap());
    Session::new(vec![table], &store, limits)
}

/// Three days, two countries, and a day that is not known; beside them a file that no table names.
fn archive(dir: &Path) -> Session {
    let files = write(
        dir,
        1,
        &[
            measurement(Some(0), "KZ", &["a.example", "b.example"]),
            measurement(Some(0), "DE", &["a.example"]),
            measurement(Some(1), "KZ", &["a.example"]),
            measurement(None, "KZ", &["c.example"]),
        ],
    );
    write(dir, 2, &[measurement(Some(0), "KZ", &["stray.example"])]);
    session(dir, files, 100 << 20)
}

fn rows(session: &Session, sql: &str) -> String {
    let answer = session.query(sql).unwrap();
    let batches: Vec<RecordBatch> = answer.map(Result::unwrap).collect();
    let text = pretty_format_batches(&batches).unwrap().to_string();
    let lines = text.lines().filter(|line| line.starts_with('|')).skip(1);
    let cells = lines.map(|line| line.split_whitespace().collect::<String>());
    cells.collect::<Vec<_>>().join("\n")
}

#[test]
fn only_named_files_are_read_and_paths_are_columns() {
    let dir = tempfile::tempdir().unwrap();
    let session = archive(dir.path());
    for (sql, expected) in [
        ("SELECT count(*) FROM handshakes", "|5|"),
        (
            "SELECT count(day), count(*), min(day), max(day) FROM handshakes",
            "|4|5|2023-10-16|2023-10-17|",
        ),
        ("SELECT count(*) FROM handshakes WHERE day IS NULL", "|1|"),
        ("SELECT server_name FROM handshakes WHERE day IS NULL", "|c.example|"),
        ("SELECT count(*) FROM handshakes WHERE day = '2023-10-16' AND cc = 'KZ'", "|2|"),
        ("SELECT count(*) FROM handshakes WHERE day > '2023-10-16'", "|1|"),
        ("SELECT count(*) FROM handshakes WHERE NOT day > '2023-10-16'", "|3|"),
        ("SELECT count(*) FROM handshakes WHERE cc = 'US'", "|0|"),
        ("SELECT count(*) FROM handshakes WHERE cc = 'US' OR server_name = 'b.example'", "|1|"),
        ("SELECT cc, count(*) FROM handshakes GROUP BY cc ORDER BY cc", "|DE|1|\n|KZ|4|"),
        ("SELECT DISTINCT server_name FROM handshakes WHERE cc = 'DE'", "|a.example|"),
        ("SELECT count(*) FROM handshakes WHERE day = DATE '2023-10-17' AND asn = 9198", "|1|"),
        (
            "SELECT count(*) FROM handshakes WHERE hash = X'0101010101010101010101010101010101010101010101010101010101010101'",
            "|2|",
        ),
        ("SELECT 1; ", "|1|"),
        ("WITH a AS (VALUES (1), (2)) SELECT count(*) FROM a", "|2|"),
    ] {
        assert_eq!(rows(&session, sql), expected, "{sql}");
    }
}

#[test]
fn a_filter_on_paths_leaves_only_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let session = archive(dir.path());
    for (filter, files) in [
        ("true", 4),
        ("cc = 'KZ'", 3),
        ("cc = 'KZ' AND day = '2023-10-16'", 1),
        ("day IS NULL", 1),
        ("day >= '2023-10-16'", 3),
        ("cc IN ('DE', 'US')", 1),
        ("cc = 'US'", 0),
        ("server_name = 'a.example'", 4),
    ] {
        let sql = format!("SELECT server_name FROM handshakes WHERE {filter}");
        let mut answer = session.query(&sql).unwrap();
        while answer.next().is_some() {}
        assert_eq!(answer.progress().files, files, "{filter}");
        assert_eq!(answer.progress().read, files, "{filter}");
    }
}

#[test]
fn what_is_no_question_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let session = archive(dir.path());
    for (sql, refused) in [
        ("CREATE TABLE x AS SELECT 1", "only a query"),
        ("CREATE VIEW x AS SELECT 1", "only a query"),
        ("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'", "only a query"),
        ("COPY handshakes TO '/tmp/x.parquet'", "only a query"),
        ("COPY (SELECT 1) TO '/tmp/x.csv'", "only a query"),
        ("EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/x.csv'", "only a query"),
        ("INSERT INTO handshakes SELECT * FROM handshakes", "only a query"),
        ("DELETE FROM handshakes", "only a query"),
        ("DROP TABLE handshakes", "only a query"),
        ("SET datafusion.execution.batch_size = 1", "only a query"),
        ("RESET datafusion.execution.batch_size", "only a query"),
        ("PREPARE x AS SELECT 1", "only a query"),
        ("SELECT 1; SELECT 2", "there are 2 statements"),
        ("", "there are 0 statements"),
        (";", "there are 0 statements"),
        ("SELECT * FROM '/etc/passwd'", "there is no table /etc/passwd"),
        ("SELECT * FROM nothing", "there is no table nothing"),
        ("SELECT server FROM handshakes", "there is no column server"),
        ("SELECT * FROM handshakes WHERE cc = ", "Expected: an expression"),
        ("SELEC 1", "Expected: an SQL statement"),
    ] {
        let error = session.query(sql).map(drop).unwrap_err().to_string();
        assert!(error.contains(refused), "{sql}: {error}");
    }
    let Err(QueryError::NoColumn { columns, .. }) = session.query("SELECT server FROM handshakes")
    else {
        panic!("a column was found that is not there");
    };
    assert!(columns.contains(&"server_name".to_owned()) && columns.contains(&"cc".to_owned()));
}

#[test]
fn what_does_not_fit_goes_to_the_disk_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path(), Vec::new(), 24 << 20);
    let sql = "SELECT sum(n), count(*) FROM (SELECT value % 700001 AS k, count(*) AS n FROM generate_series(1, 2000000) GROUP BY k ORDER BY n, k)";
    let batches: Vec<RecordBatch> = session.query(sql).unwrap().map(Result::unwrap).collect();
    let figure = |column| batches[0].column(column).as_primitive::<Int64Type>().value(0);
    assert_eq!((figure(0), figure(1)), (2_000_000, 700_001));
    drop(session);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left on the disk");
}

#[test]
fn too_little_memory_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let session = session(dir.path(), Vec::new(), 1 << 10);
    let sql =
        "SELECT value, count(*) FROM generate_series(1, 300000) GROUP BY value ORDER BY value";
    let failed = session.query(sql).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    assert!(matches!(failed, Err(QueryError::Memory(_))), "{failed:?}");
}

#[test]
fn a_damaged_file_ends_the_query() {
    let dir = tempfile::tempdir().unwrap();
    let files = write(dir.path(), 1, &[measurement(Some(0), "KZ", &["a.example"])]);
    let path = dir.path().join(&files[0].path);
    let whole = fs::read(&path).unwrap();
    let noise = b"PAR1 no table at all PAR1".to_vec();
    for (case, bytes) in
        [("noise", noise), ("cut", whole[..whole.len() / 2].to_vec()), ("empty", vec![])]
    {
        fs::write(&path, &bytes).unwrap();
        let files = vec![TableFile { size: bytes.len() as u64, ..files[0].clone() }];
        let session = session(dir.path(), files, 100 << 20);
        let failed = session
            .query("SELECT * FROM handshakes")
            .and_then(Iterator::collect::<Result<Vec<_>, _>>);
        assert!(failed.is_err(), "{case}: {failed:?}");
    }
    fs::remove_file(&path).unwrap();
    let session = session(dir.path(), files, 100 << 20);
    let failed = session.query("SELECT * FROM handshakes").map(drop);
    assert!(matches!(failed, Err(QueryError::Unreadable(_))), "{failed:?}");
}

#[test]
fn an_answer_can_be_waited_for_in_steps() {
    let dir = tempfile::tempdir().unwrap();
    let session = archive(dir.path());
    let mut answer = session.query("SELECT count(*) FROM handshakes").unwrap();
    let mut rows = 0;
    loop {
        match answer.next_within(Duration::from_secs(10)).unwrap() {
            Next::Rows(batch) => rows += batch.num_rows(),
            Next::End => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(rows, 1);
}

#[test]
fn a_path_that_names_no_partition_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for values in [vec![], vec!["2023-10-16".into()], vec!["yesterday".into(), "KZ".into()]] {
        let file = TableFile { path: "x".into(), size: 1, values };
        let made = session_within(dir.path(), vec![file], &Limits::of_this_machine());
        assert!(matches!(made.map(drop), Err(QueryError::Partition { .. })));
    }
}
