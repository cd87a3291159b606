//! A client: plans a query as the embedded engine does, hands the plan to the scheduler, and waits for it
//! within bounds.

use std::time::{Duration, Instant};

use ballista_core::serde::protobuf::execute_query_params::Query;
use ballista_core::serde::protobuf::job_status::Status;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::protobuf::{
    CancelJobParams, ExecuteQueryParams, GetJobStatusParams, KeyValuePair, SuccessfulJob,
    execute_query_result,
};
use ballista_core::utils::{GrpcClientConfig, create_grpc_client_endpoint};
use ballista_core::version::insert_version_header;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{LogicalPlan, TableScan};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionContext;
use datafusion_proto::logical_plan::AsLogicalPlan;
use datafusion_proto::protobuf::LogicalPlanNode;
use kua_query::{Table, register};
use tonic::transport::Channel;

use crate::codec::TableCodec;
use crate::ready::executors;
use crate::session::{MESSAGE, config, endpoint, runtime, state};
use crate::{Answer, ClusterError};

/// How often the scheduler is asked for news: soon at first, then at most this often.
const ASK_AGAIN: Duration = Duration::from_millis(20);
const ASK_AT_MOST: Duration = Duration::from_millis(250);

/// How long it may not know a query that it has accepted.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// How often a query is asked, where executors are lost while it runs.
const TRIES: u8 = 3;

/// How many executors there were while a query ran. Ballista 55 goes on without one that is lost, and was seen
/// to count a part of its work twice: what was made meanwhile is no answer.
#[derive(Debug, Default)]
struct Present {
    most: usize,
    lost: bool,
}

impl Present {
    async fn look(&mut self, scheduler: &str) -> Option<usize> {
        let now = executors(scheduler).await?;
        self.lost |= now < self.most;
        self.most = self.most.max(now);
        Some(now)
    }
}

/// How long a client waits for what may never come, and into how many parts it splits the work.
#[derive(Clone, Debug)]
pub struct Patience {
    /// How long no executor may be registered before the query is given up.
    pub executors: Duration,
    /// How long the whole query may take.
    pub query: Duration,
    /// Parts of each step: at least the cores of all executors together.
    pub partitions: usize,
}

/// Asks a cluster about the tables of one moment of an archive.
pub struct Client {
    context: SessionContext,
    codec: TableCodec,
    scheduler: String,
    patience: Patience,
}

impl Client {
    /// A client of the scheduler at `http://HOST:PORT` or `HOST:PORT`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ClusterError::SchedulerAddress`], [`ClusterError::Query`] for tables that cannot be,
    /// [`ClusterError::Engine`].
    pub fn new(
        scheduler: &str,
        tables: &[Table],
        patience: Patience,
    ) -> Result<Self, ClusterError> {
        let (host, port) = host_and_port(scheduler)?;
        let runtime = runtime(None).map_err(|error| ClusterError::Engine(error.to_string()))?;
        let context = SessionContext::new_with_state(state(config(patience.partitions), runtime));
        register(&context, tables)?;
        Ok(Self {
            context,
            codec: TableCodec::new(tables),
            scheduler: format!("{host}:{port}"),
            patience,
        })
    }

    /// Runs one query. What needs no table, and plans that are only to be shown, the cluster does not see.
    ///
    /// # Errors
    /// Any of [`ClusterError`]. While it waits it says for what, by the `log` crate.
    pub async fn query(&self, sql: &str) -> Result<Answer, ClusterError> {
        let state = self.context.state();
        let plan = kua_query::plan(&state, sql).await?;
        let plan = state.optimize(&plan).map_err(failed)?;
        if reads_no_table(&plan)? {
            let plan = state.query_planner().create_physical_plan(&plan, &state).await;
            let rows = execute_stream(plan.map_err(failed)?, self.context.task_ctx());
            return Ok(Answer::of_this_machine(rows.map_err(failed)?));
        }
        let mut scheduler = self.connect().await?;
        for _ in 0..TRIES {
            let mut present = Present::default();
            present.look(&self.scheduler).await;
            let job = self.submit(&mut scheduler, &state, &plan).await?;
            let done = match self.wait(&mut scheduler, &job, &mut present).await {
                Ok(done) => done,
                Err(error) => {
                    self.cancel(&mut scheduler, &job).await;
                    return Err(error);
                }
            };
            present.look(&self.scheduler).await;
            if !present.lost {
                return Ok(Answer::of_executors(plan.schema().as_arrow(), done.partition_location));
            }
            log::warn!("an executor was lost meanwhile; asking again from the beginning");
        }
        Err(ClusterError::Lost)
    }

    async fn connect(&self) -> Result<SchedulerGrpcClient<Channel>, ClusterError> {
        let url = format!("http://{}", self.scheduler);
        let bounds = GrpcClientConfig::default();
        let to =
            create_grpc_client_endpoint(url, Some(&bounds)).map_err(|e| self.unreachable(&e))?;
        let to = endpoint()(to).map_err(|error| self.unreachable(error.as_ref()))?;
        let channel = to.connect().await.map_err(|error| self.unreachable(&error))?;
        Ok(SchedulerGrpcClient::new(channel)
            .max_encoding_message_size(MESSAGE as usize)
            .max_decoding_message_size(MESSAGE as usize))
    }

    async fn submit(
        &self,
        scheduler: &mut SchedulerGrpcClient<Channel>,
        state: &SessionState,
        plan: &LogicalPlan,
    ) -> Result<String, ClusterError> {
        let message = LogicalPlanNode::try_from_logical_plan(plan, &self.codec);
        let mut bytes = Vec::new();
        message.and_then(|message| message.try_encode(&mut bytes)).map_err(failed)?;
        let settings = state.config_options().entries().into_iter();
        let settings = settings.map(|entry| KeyValuePair { key: entry.key, value: entry.value });
        let mut request = tonic::Request::new(ExecuteQueryParams {
            session_id: state.session_id().to_owned(),
            settings: settings.collect(),
            operation_id: state.session_id().to_owned(),
            query: Some(Query::LogicalPlan(bytes)),
        });
        insert_version_header(request.metadata_mut());
        let answer = scheduler.execute_query(request).await.map_err(|error| self.status(&error))?;
        match answer.into_inner().result {
            Some(execute_query_result::Result::Success(accepted)) => Ok(accepted.job_id),
            Some(execute_query_result::Result::Failure(refused)) => {
                Err(ClusterError::Refused(format!("{:?}", refused.failure)))
            }
            None => Err(ClusterError::Refused("it gave no answer".into())),
        }
    }

    /// Until it is done, within bounds: that a scheduler gives tasks of lost executors to others is its
    /// promise, and not for this side to see.
    async fn wait(
        &self,
        scheduler: &mut SchedulerGrpcClient<Channel>,
        job: &str,
        present: &mut Present,
    ) -> Result<SuccessfulJob, ClusterError> {
        let began = Instant::now();
        let mut pause = ASK_AGAIN;
        let mut alone_since: Option<Instant> = None;
        let mut unknown_since: Option<Instant> = None;
        loop {
            let asked = GetJobStatusParams { job_id: job.to_owned() };
            let news =
                scheduler.get_job_status(asked).await.map_err(|error| self.status(&error))?;
            match news.into_inner().status.and_then(|status| status.status) {
                Some(Status::Successful(done)) => return Ok(done),
                Some(Status::Failed(failed)) => return Err(ClusterError::Failed(failed.error)),
                Some(Status::Queued(_) | Status::Running(_)) => unknown_since = None,
                None => {
                    let since = unknown_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > FORGOTTEN_AFTER {
                        return Err(ClusterError::Forgotten);
                    }
                }
            }
            if began.elapsed() > self.patience.query {
                return Err(ClusterError::TooLong { seconds: self.patience.query.as_secs() });
            }
            if present.look(&self.scheduler).await == Some(0) {
                let since = *alone_since.get_or_insert_with(|| {
                    log::warn!("waiting: no executor is registered with the scheduler");
                    Instant::now()
                });
                if since.elapsed() > self.patience.executors {
                    return Err(ClusterError::NoExecutor {
                        scheduler: self.scheduler.clone(),
                        seconds: self.patience.executors.as_secs(),
                    });
                }
            } else {
                alone_since = None;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(ASK_AT_MOST);
        }
    }

    /// Spares the executors the rest of a query that nobody waits for. Whether it was heard changes nothing.
    async fn cancel(&self, scheduler: &mut SchedulerGrpcClient<Channel>, job: &str) {
        let cancelled = scheduler.cancel_job(CancelJobParams { job_id: job.to_owned() });
        let _ = tokio::time::timeout(Duration::from_secs(2), cancelled).await;
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> ClusterError {
        ClusterError::Unreachable { scheduler: self.scheduler.clone(), reason: causes(error) }
    }

    /// What a call came back with instead of an answer.
    fn status(&self, status: &tonic::Status) -> ClusterError {
        match status.code() {
            tonic::Code::FailedPrecondition
            | tonic::Code::InvalidArgument
            | tonic::Code::OutOfRange
            | tonic::Code::ResourceExhausted
            | tonic::Code::Internal
                if status_is_of_scheduler(status) =>
            {
                ClusterError::Refused(status.message().to_owned())
            }
            _ => self.unreachable(status),
        }
    }
}

/// A broken connection has a cause on this side; what the scheduler says has none.
fn status_is_of_scheduler(status: &tonic::Status) -> bool {
    std::error::Error::source(status).is_none()
}

/// An error and what caused it, in one line.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn failed(error: datafusion::error::DataFusionError) -> ClusterError {
    ClusterError::Query(kua_query::QueryError::Engine(Box::new(error)))
}

/// Whether it can be answered here. A plan that is to be shown is; what is in no file of the archive is, too.
fn reads_no_table(plan: &LogicalPlan) -> Result<bool, ClusterError> {
    if matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_)) {
        return Ok(true);
    }
    let mut reads = false;
    let visited = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(TableScan { table_name, .. }) = node {
            reads |= table_name.schema() != Some("information_schema");
        }
        Ok(TreeNodeRecursion::Continue)
    });
    visited.map_err(failed)?;
    Ok(!reads)
}

/// `http://HOST:PORT` or `HOST:PORT`, taken apart.
pub(crate) fn host_and_port(scheduler: &str) -> Result<(String, u16), ClusterError> {
    let bad = || ClusterError::SchedulerAddress(scheduler.to_owned());
    let text = scheduler.strip_prefix("http://").unwrap_or(scheduler);
    let url = url::Url::parse(&format!("http://{text}")).map_err(|_| bad())?;
    let alone = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) if alone => Ok((host.to_owned(), port)),
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_schedulers() {
        let cases = [
            ("http://127.0.0.1:50050", Some(("127.0.0.1", 50050))),
            ("127.0.0.1:50050", Some(("127.0.0.1", 50050))),
            ("http://node-1:7", Some(("node-1", 7))),
            ("[::1]:7", Some(("[::1]", 7))),
            ("http://node-1:7/", Some(("node-1", 7))),
            ("http://node-1", None),
            ("node-1:7/path", None),
            ("me@node-1:7", None),
            ("https://node-1:7", None),
            ("", None),
            ("node-1:70000", None),
        ];
        for (text, expected) in cases {
            let found = host_and_port(text).ok();
            let found = found.as_ref().map(|(host, port)| (host.as_str(), *port));
            assert_eq!(found, expected, "{text}");
        }
    }
}
