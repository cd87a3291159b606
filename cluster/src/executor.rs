//! An executor: runs the tasks that the scheduler hands it, and keeps what came of them for the next step and
//! for the reader of the answer.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_executor::metrics::ExecutorMetricCollectionPolicy;

use crate::client::host_and_port;
use crate::codec::TableCodec;
use crate::session::{MESSAGE, config, endpoint, runtime};
use crate::{ClusterError, Listen};

/// Seconds between signs of life. An executor whose five last ones were not heard ends.
pub(crate) const HEARTBEAT: u64 = 3;

/// Seconds after which what nobody fetched is removed, and how often that is looked at.
const KEEP: u64 = 24 * 3600;
const LOOK_EVERY: u64 = 600;

/// Seconds that a connection between executors stays open unused. Without that, each part of a step that is
/// fetched opens its own, and a machine runs out of ports.
const IDLE: u64 = 60;

/// How an executor is started.
#[derive(Clone, Debug)]
pub struct ExecutorOptions {
    /// Where other executors and clients reach it; the scheduler reaches it at the port after.
    pub listen: Listen,
    /// The scheduler: `HOST:PORT`.
    pub scheduler: String,
    /// Tasks that it runs at once.
    pub cores: usize,
    /// Bytes that the rows under way may take, of all tasks together.
    pub memory: Option<u64>,
    /// Where its own directory is made, for rows that do not fit and for what tasks leave.
    pub work_dir: PathBuf,
    /// How long the scheduler is waited for at the start.
    pub wait: Duration,
}

/// Runs an executor until it is asked to end (SIGTERM, Ctrl-C); what it runs then is finished first.
///
/// # Errors
/// [`ClusterError::Unreachable`] where the scheduler is not, [`ClusterError::WorkDirectory`],
/// [`ClusterError::Ended`] when it ended unasked, [`ClusterError::Engine`] for the rest.
pub async fn execute(
    options: &ExecutorOptions,
    asked: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ClusterError> {
    let listen = &options.listen;
    let orders = listen.port().checked_add(1).ok_or(ClusterError::NoPortAfter(listen.port()))?;
    let (scheduler_host, scheduler_port) = host_and_port(&options.scheduler)?;
    let directory = private_directory(&options.work_dir)?;
    // One for all queries: connections to stores and what was read of files' ends stay.
    let runtime =
        runtime(Some(directory.path())).map_err(|error| ClusterError::Engine(error.to_string()))?;
    wait_for(&options.scheduler, options.wait).await?;

    let settings = ExecutorProcessConfig {
        bind_host: listen.host(),
        external_host: listen.advertised(),
        port: listen.port(),
        grpc_port: orders,
        scheduler_host,
        scheduler_port,
        vcores: options.cores,
        work_dir: Some(directory.path().to_string_lossy().into_owned()),
        job_data_ttl_seconds: KEEP,
        job_data_clean_up_interval_seconds: LOOK_EVERY,
        grpc_max_decoding_message_size: MESSAGE,
        grpc_max_encoding_message_size: MESSAGE,
        executor_heartbeat_interval_seconds: HEARTBEAT,
        metric_collection_policy: ExecutorMetricCollectionPolicy::Off,
        memory_pool_size: options.memory,
        override_runtime_producer: Some(Arc::new(move |_| Ok(runtime.clone()))),
        override_config_producer: Some(Arc::new(|| config(1))),
        override_logical_codec: Some(Arc::new(TableCodec::default())),
        override_create_grpc_client_endpoint: Some(endpoint()),
        client_ttl: IDLE,
        ..ExecutorProcessConfig::default()
    };
    log::warn!("executor: listening on {}, cores: {}", listen.address(), options.cores);
    let was_asked = Arc::new(AtomicBool::new(false));
    let noted = was_asked.clone();
    tokio::spawn(async move {
        asked.await;
        noted.store(true, Ordering::SeqCst);
    });
    let ended = start_executor_process(Arc::new(settings)).await;
    drop(directory);
    ended.map_err(|error| ClusterError::Engine(error.to_string()))?;
    if was_asked.load(Ordering::SeqCst) { Ok(()) } else { Err(ClusterError::Ended) }
}

/// A directory of its own: at its end an executor removes everything beside its own files too.
fn private_directory(parent: &std::path::Path) -> Result<tempfile::TempDir, ClusterError> {
    let unusable =
        |source| ClusterError::WorkDirectory { directory: parent.display().to_string(), source };
    std::fs::create_dir_all(parent).map_err(unusable)?;
    tempfile::Builder::new().prefix("kua-executor-").tempdir_in(parent).map_err(unusable)
}

/// Waits until something answers at the scheduler's address: machines are not started in order.
async fn wait_for(scheduler: &str, wait: Duration) -> Result<(), ClusterError> {
    let connected = async {
        let mut told = false;
        loop {
            match tokio::net::TcpStream::connect(scheduler).await {
                Ok(_) => return,
                Err(error) if !told => {
                    log::warn!("waiting for the scheduler at {scheduler}: {error}");
                }
                Err(_) => {}
            }
            told = true;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::time::timeout(wait, connected).await.map_err(|_| ClusterError::Unreachable {
        scheduler: scheduler.to_owned(),
        reason: format!("waited {} s for it", wait.as_secs()),
    })
}
