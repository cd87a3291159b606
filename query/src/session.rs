//! A session: the tables of one moment of an archive, and the threads that answer questions about them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::object_store::ObjectStore;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures_util::{FutureExt, StreamExt};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::statement::plan;
use crate::{Limits, Progress, QueryError, Table, register};

/// Rows of a batch.
const BATCH: usize = 8192;

/// Answers questions about the tables of one moment, whatever is written meanwhile.
pub struct Session {
    context: SessionContext,
    runtime: Runtime,
    tables: Vec<Table>,
}

impl Session {
    /// A session over `tables`, whose files all lie in `store`.
    ///
    /// # Errors
    /// [`QueryError::Threads`]; [`QueryError::Engine`] for an unusable directory to spill to;
    /// those of [`register`].
    pub fn new(
        tables: Vec<Table>,
        store: &Arc<dyn ObjectStore>,
        limits: &Limits,
    ) -> Result<Self, QueryError> {
        let mut environment =
            RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(limits.memory)));
        if let Some(dir) = &limits.spill {
            environment = environment.with_temp_file_path(dir);
        }
        let environment = environment.build_arc().map_err(QueryError::from_engine)?;
        for table in &tables {
            let url = ObjectStoreUrl::parse(&table.url).map_err(QueryError::from_engine)?;
            environment.register_object_store(url.as_ref(), Arc::clone(store));
        }
        let context = SessionContext::new_with_config_rt(config(limits.threads), environment);
        register(&context, &tables)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(limits.threads)
            .thread_name("query")
            .enable_all()
            .build()
            .map_err(QueryError::Threads)?;
        Ok(Self { context, runtime, tables })
    }

    /// The tables, as they were given.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Plans one query and begins to run it.
    ///
    /// # Errors
    /// [`QueryError::NotOne`], [`QueryError::NotAQuery`], [`QueryError::NoTable`],
    /// [`QueryError::NoColumn`], and [`QueryError::Engine`] for whatever else is wrong with it.
    pub fn query(&self, sql: &str) -> Result<Answer<'_>, QueryError> {
        self.runtime.block_on(guarded(async {
            let state = self.context.state();
            let plan = plan(&state, sql).await?;
            let plan = state.create_physical_plan(&plan).await.map_err(QueryError::from_engine)?;
            let rows = execute_stream(plan.clone(), self.context.task_ctx());
            let rows = rows.map_err(QueryError::from_engine)?;
            Ok(Answer { session: self, plan, rows, stopped: None })
        }))
    }
}

/// The library that reads Parquet gives up on some damage by a panic, which must not take the program along.
async fn guarded<T>(work: impl Future<Output = Result<T, QueryError>>) -> Result<T, QueryError> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Err(QueryError::GaveUp))
}

/// How sessions plan that run so many threads, here and in a cluster.
pub fn config(threads: usize) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_batch_size(BATCH)
        .with_information_schema(true);
    config.options_mut().execution.parquet.pushdown_filters = true;
    config
}

/// The rows that answer a query, batch by batch as they are found. Dropping it stops the query.
pub struct Answer<'a> {
    session: &'a Session,
    plan: Arc<dyn ExecutionPlan>,
    rows: SendableRecordBatchStream,
    /// Ends when Ctrl-C is heard. It listens from the first [`Answer::next_within`] on, also while rows are
    /// being written.
    stopped: Option<JoinHandle<()>>,
}

/// What came of waiting for rows.
#[derive(Debug)]
pub enum Next {
    /// Rows, at least one.
    Rows(RecordBatch),
    /// Nothing yet.
    Waiting,
    /// The person at the terminal wants no more of it (Ctrl-C).
    Stopped,
    /// There are no more.
    End,
}

impl Answer<'_> {
    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    /// What was read so far.
    pub fn progress(&self) -> Progress {
        Progress::of(&self.plan)
    }

    /// Waits for rows for at most that long.
    ///
    /// # Errors
    /// [`QueryError::Memory`], [`QueryError::Engine`]; the answer is then not whole.
    pub fn next_within(&mut self, time: Duration) -> Result<Next, QueryError> {
        let runtime = &self.session.runtime;
        let rows = &mut self.rows;
        let stopped = self.stopped.get_or_insert_with(|| {
            runtime.spawn(async {
                let heard = tokio::signal::ctrl_c().await;
                if heard.is_err() {
                    // Where signals cannot be listened to, they end the program as usual.
                    std::future::pending::<()>().await;
                }
            })
        });
        if stopped.is_finished() {
            return Ok(Next::Stopped);
        }
        runtime.block_on(async {
            let next = async {
                loop {
                    match rows.next().await {
                        Some(Ok(batch)) if batch.num_rows() == 0 => {}
                        Some(Ok(batch)) => return Ok(Next::Rows(batch)),
                        Some(Err(error)) => return Err(QueryError::from_engine(error)),
                        None => return Ok(Next::End),
                    }
                }
            };
            tokio::select! {
                next = guarded(next) => next,
                _ = &mut *stopped => Ok(Next::Stopped),
                () = tokio::time::sleep(time) => Ok(Next::Waiting),
            }
        })
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        if let Some(stopped) = &self.stopped {
            stopped.abort();
        }
    }
}

impl Iterator for Answer<'_> {
    type Item = Result<RecordBatch, QueryError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = &mut self.rows;
        let next = guarded(async { Ok(rows.next().await) });
        match self.session.runtime.block_on(next) {
            Ok(next) => Some(next?.map_err(QueryError::from_engine)),
            Err(error) => Some(Err(error)),
        }
    }
}
