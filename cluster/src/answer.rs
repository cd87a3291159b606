//! The rows that answer a query, fetched from the executors that hold them. An answer ends only when every part
//! of it had as many rows as its executor had counted; anything else is an error.

use std::sync::Arc;

use ballista_core::client::BallistaClient;
use ballista_core::extension::BallistaConfigGrpcEndpoint;
use ballista_core::serde::protobuf::PartitionLocation;
use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::ClusterError;
use crate::client::causes;
use crate::session::{MESSAGE, endpoint};

/// How often a part is asked for again, and after how long, in milliseconds.
const TRIES: u8 = 3;
const PAUSE: u64 = 500;

/// The rows that answer a query, batch by batch.
pub struct Answer {
    schema: SchemaRef,
    rows: BoxStream<'static, Result<RecordBatch, ClusterError>>,
    broken: bool,
}

impl Answer {
    pub(crate) fn of_this_machine(rows: SendableRecordBatchStream) -> Self {
        let schema = rows.schema();
        let failed = |error: datafusion::error::DataFusionError| {
            ClusterError::Query(kua_query::QueryError::Engine(Box::new(error)))
        };
        let rows = rows.map(move |batch| batch.map_err(failed)).boxed();
        Self { schema, rows, broken: false }
    }

    pub(crate) fn of_executors(columns: &Schema, parts: Vec<PartitionLocation>) -> Self {
        // The plan may know of a column that it is never null, and the rows not.
        let columns =
            columns.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let schema = Arc::new(Schema::new(columns.collect::<Vec<_>>()));
        let of = schema.clone();
        let rows = futures_util::stream::iter(parts);
        let rows = rows.flat_map(move |part| Part::of(part, of.clone()).rows()).boxed();
        Self { schema, rows, broken: false }
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// The next rows; `None` when the answer is whole.
    ///
    /// # Errors
    /// [`ClusterError::Answer`], [`ClusterError::Short`]. What came before is then not the answer, and asking
    /// on gives the error of an answer that was broken off.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, ClusterError>> {
        if self.broken {
            return Some(Err(ClusterError::Stopped));
        }
        let next = self.rows.next().await;
        self.broken = matches!(next, Some(Err(_)));
        next
    }
}

/// One part of an answer, on one executor.
struct Part {
    location: PartitionLocation,
    executor: String,
    schema: SchemaRef,
    rows: Option<SendableRecordBatchStream>,
    sent: u64,
}

impl Part {
    fn of(location: PartitionLocation, schema: SchemaRef) -> Self {
        let executor = location.executor_meta.as_ref();
        let executor = executor.map(|known| format!("{}:{}", known.host, known.port));
        Self { location, executor: executor.unwrap_or_default(), schema, rows: None, sent: 0 }
    }

    fn rows(self) -> BoxStream<'static, Result<RecordBatch, ClusterError>> {
        futures_util::stream::unfold(Some(self), |part| async {
            let mut part = part?;
            match part.next().await {
                Ok(None) => None,
                Ok(Some(batch)) => Some((Ok(batch), Some(part))),
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>, ClusterError> {
        if self.rows.is_none() {
            let fetched = fetch(self.location.clone()).await;
            self.rows = Some(fetched.map_err(|reason| self.failed(reason))?);
        }
        let Some(rows) = &mut self.rows else { return Ok(None) };
        match rows.next().await {
            Some(Ok(batch)) => {
                self.sent += batch.num_rows() as u64;
                let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                let columns = batch.columns().to_vec();
                let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &rows);
                batch.map(Some).map_err(|error| self.failed(causes(&error)))
            }
            Some(Err(error)) => Err(self.failed(causes(&error))),
            None => {
                let said = self.location.partition_stats.as_ref().map(|known| known.num_rows);
                self.whole(said).map(|()| None)
            }
        }
    }

    /// Whether as many rows came as the executor had counted; it must have.
    fn whole(&self, said: Option<i64>) -> Result<(), ClusterError> {
        match said.and_then(|rows| u64::try_from(rows).ok()) {
            Some(said) if said == self.sent => Ok(()),
            Some(said) => {
                let (executor, sent) = (self.executor.clone(), self.sent);
                Err(ClusterError::Short { executor, sent, said })
            }
            None => Err(self.failed("it did not say of how many rows".into())),
        }
    }

    fn failed(&self, reason: String) -> ClusterError {
        ClusterError::Answer { executor: self.executor.clone(), reason }
    }
}

/// Begins to fetch a part; the reason where it cannot be.
async fn fetch(location: PartitionLocation) -> Result<SendableRecordBatchStream, String> {
    let layout = location.layout();
    let (Some(executor), Some(partition)) = (location.executor_meta, location.partition_id) else {
        return Err("the scheduler did not say where it is".into());
    };
    let port = u16::try_from(executor.port).map_err(|_| format!("{} is no port", executor.port))?;
    let bounds = Some(Arc::new(BallistaConfigGrpcEndpoint::new(endpoint())));
    let (host, most) = (&executor.host, MESSAGE as usize);
    let mut client = BallistaClient::try_new(host, port, most, false, bounds, TRIES, PAUSE, 0, 0)
        .await
        .map_err(|error| causes(&error))?;
    // Through the executor's decoder: it ends the stream with an error where its file is cut short.
    let decoded = true;
    client
        .fetch_partition(&executor.id, &partition.into(), location.file_id, layout, decoded)
        .await
        .map_err(|error| causes(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_whole_when_its_rows_are_counted_and_all_there() {
        let cases = [
            (Some(3), 3, true),
            (Some(0), 0, true),
            (Some(4), 3, false),
            (Some(3), 4, false),
            (Some(3), 0, false),
            (Some(-1), 0, false),
            (None, 0, false),
            (None, 3, false),
        ];
        for (said, sent, whole) in cases {
            let mut part = Part::of(PartitionLocation::default(), Arc::new(Schema::empty()));
            part.sent = sent;
            assert_eq!(part.whole(said).is_ok(), whole, "{sent} of {said:?}");
        }
    }
}
