//! How the engine is set up in all parts of a cluster: the same functions, limits and stores everywhere.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::extension::{EndpointOverrideFn, SessionConfigExt};
use ballista_core::optimizer::ballista_default_optimizer_rules;
use datafusion::error::Result;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;

use crate::stores::Stores;

/// The largest message between parts of a cluster. A plan names every file that it reads: this is enough for
/// half a million.
pub(crate) const MESSAGE: u32 = 128 << 20;

/// How long a connection may take to come about, and a peer to answer a ping.
const CONNECT: Duration = Duration::from_secs(5);
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_ANSWER: Duration = Duration::from_secs(10);

/// How queries are planned. `partitions` is into how many parts each step of a query is split.
pub(crate) fn config(partitions: usize) -> SessionConfig {
    kua_query::config(partitions)
        .upgrade_for_ballista()
        .with_ballista_grpc_client_max_message_size(MESSAGE as usize)
        .with_ballista_override_create_grpc_client_endpoint(endpoint())
}

/// Connections that notice when the machine at the other end is gone.
pub(crate) fn endpoint() -> EndpointOverrideFn {
    Arc::new(|endpoint| {
        Ok(endpoint
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_ANSWER)
            .keep_alive_while_idle(true))
    })
}

/// The stores of tables, and where rows go that do not fit into the memory.
pub(crate) fn runtime(spill: Option<&Path>) -> Result<Arc<RuntimeEnv>> {
    let mut builder =
        RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(Stores::default()));
    if let Some(directory) = spill {
        builder = builder.with_temp_file_path(directory);
    }
    builder.build_arc()
}

pub(crate) fn state(config: SessionConfig, runtime: Arc<RuntimeEnv>) -> SessionState {
    SessionStateBuilder::new()
        .with_default_features()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_optimizer_rules(ballista_default_optimizer_rules())
        .build()
}
