//! Rows as text, from a cluster and from the embedded engine.

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::util::display::array_value_to_string;
use kua_cluster::{Client, ClusterError, Patience};
use kua_query::{Limits, Session, Table};

use crate::archive::Place;
use crate::machines::PATIENCE;

/// The rows of the embedded engine.
pub(crate) fn embedded(place: &Place, tables: &[Table], sql: &str) -> Vec<String> {
    let limits = Limits { memory: 1 << 30, spill: None, threads: 2 };
    let session = Session::new(tables.to_vec(), &place.store, &limits).unwrap();
    let answer = session.query(sql).unwrap();
    answer.flat_map(|batch| lines(&batch.unwrap())).collect()
}

/// The rows of a cluster, or why there are none.
pub(crate) fn of_cluster(
    scheduler: &str,
    tables: &[Table],
    partitions: usize,
    sql: &str,
) -> Result<Vec<String>, ClusterError> {
    of_patient_cluster(scheduler, tables, partitions, PATIENCE, sql)
}

/// The same where the whole query may take only so long.
pub(crate) fn of_patient_cluster(
    scheduler: &str,
    tables: &[Table],
    partitions: usize,
    query: Duration,
    sql: &str,
) -> Result<Vec<String>, ClusterError> {
    let patience = Patience { executors: Duration::from_secs(10), query, partitions };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = Client::new(scheduler, tables, patience)?;
        let mut answer = client.query(sql).await?;
        let mut rows = Vec::new();
        while let Some(batch) = answer.next().await {
            rows.extend(lines(&batch?));
        }
        Ok(rows)
    })
}

/// Each row as text.
pub(crate) fn lines(batch: &RecordBatch) -> Vec<String> {
    let row = |row| {
        let values = batch.columns().iter().map(|column| match column.is_null(row) {
            true => "NULL".to_owned(),
            false => array_value_to_string(column, row).unwrap(),
        });
        values.collect::<Vec<_>>().join(" | ")
    };
    (0..batch.num_rows()).map(row).collect()
}
