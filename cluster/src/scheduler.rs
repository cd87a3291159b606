//! The scheduler: takes queries, splits them into steps and tasks, hands tasks to executors, and hands them out
//! again when an executor is lost.

use std::future::Future;
use std::sync::Arc;

use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::start_server;

use crate::codec::TableCodec;
use crate::session::{MESSAGE, config, endpoint, runtime, state};
use crate::{ClusterError, Listen};

/// Seconds after which an executor that was not heard of counts as lost, and how often that is looked at.
/// Executors are heard of every [`crate::executor::HEARTBEAT`].
const LOST_AFTER: u64 = 20;
const LOOK_EVERY: u64 = 5;

/// Seconds that an answer stays with the executors for its reader, and what is known of a finished query.
const KEEP_ANSWERS: u64 = 3600;
const KEEP_FINISHED: u64 = 2 * KEEP_ANSWERS;

/// How a scheduler is started.
#[derive(Clone, Debug)]
pub struct SchedulerOptions {
    /// Where executors and clients reach it.
    pub listen: Listen,
}

/// Runs a scheduler until `stop` is ready.
///
/// # Errors
/// [`ClusterError::Wildcard`], [`ClusterError::Engine`] when it cannot listen.
pub async fn schedule(
    options: &SchedulerOptions,
    stop: impl Future<Output = ()>,
) -> Result<(), ClusterError> {
    let listen = &options.listen;
    let host = listen.advertised().ok_or(ClusterError::Wildcard(listen.address()))?;
    // One for all queries: connections to stores and what was read of files' ends stay.
    let runtime = runtime(None).map_err(|error| ClusterError::Engine(error.to_string()))?;
    let settings = SchedulerConfig {
        external_host: host,
        bind_host: listen.host(),
        bind_port: listen.port(),
        task_distribution: TaskDistributionPolicy::RoundRobin,
        // Ballista was seen to count work twice that it did again after an executor was lost: a step whose input
        // is gone ends the query.
        stage_max_failures: 0,
        executor_timeout_seconds: LOST_AFTER,
        no_executors_grace_period_seconds: LOST_AFTER,
        expire_dead_executor_interval_seconds: LOOK_EVERY,
        finished_job_data_clean_up_interval_seconds: KEEP_ANSWERS,
        finished_job_state_clean_up_interval_seconds: KEEP_FINISHED,
        grpc_server_max_decoding_message_size: MESSAGE,
        grpc_server_max_encoding_message_size: MESSAGE,
        grpc_client_max_message_size: MESSAGE,
        override_config_producer: Some(Arc::new(|| config(1))),
        override_session_builder: Some(Arc::new(move |config| Ok(state(config, runtime.clone())))),
        override_logical_codec: Some(Arc::new(TableCodec::default())),
        override_create_grpc_client_endpoint: Some(endpoint()),
        ..SchedulerConfig::default()
    };
    let failed =
        |error: ballista_core::error::BallistaError| ClusterError::Engine(error.to_string());
    let cluster = BallistaCluster::new_from_config(&settings).await.map_err(failed)?;
    log::warn!("scheduler: listening on {}", listen.address());
    tokio::select! {
        ended = start_server(cluster, listen.address(), Arc::new(settings)) => ended.map_err(failed),
        () = stop => Ok(()),
    }
}
