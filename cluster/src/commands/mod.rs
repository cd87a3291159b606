//! The commands: one a file.

mod executor;
mod query;
mod scheduler;

use std::process::ExitCode;

use kua_cluster::{ClusterError, Listen};
use kua_console::Trouble;

/// What can be asked.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Scheduler(scheduler::Scheduler),
    Executor(executor::Executor),
    Query(query::Query),
}

impl Command {
    pub(crate) async fn run(self) -> Result<ExitCode, Trouble> {
        match self {
            Self::Scheduler(scheduler) => scheduler.run().await,
            Self::Executor(executor) => executor.run().await,
            Self::Query(query) => query.run().await,
        }
    }
}

// No doc comment: clap would take it for what the command is about.
#[derive(clap::Args)]
struct ListenArgs {
    /// The address and port to listen on; an executor also listens on the port after it, for the scheduler
    #[arg(long, value_name = "ADDR:PORT")]
    listen: std::net::SocketAddr,
    /// The name or address by which others reach this machine, where it is not that of --listen
    #[arg(long, value_name = "HOST")]
    advertise: Option<String>,
    /// Listen where other machines reach it: whoever can, may read every archive that this machine can read
    #[arg(long)]
    trusted_network: bool,
}

impl ListenArgs {
    fn parse(self) -> Result<Listen, ClusterError> {
        Listen::new(self.listen, self.advertise, self.trusted_network)
    }
}

/// What was attempted, why not, and what helps.
fn trouble(attempted: &str, error: ClusterError) -> Trouble {
    let hint = match &error {
        ClusterError::NotLoopback(_) => {
            "a cluster asks nobody who they are: add --trusted-network only where everybody on that network \
             may read what this machine can read"
        }
        ClusterError::Wildcard(_) => {
            "add --advertise with a name or address that the executors can reach"
        }
        ClusterError::NoExecutor { .. } => {
            "start one: kua-cluster executor --scheduler ADDR --listen ADDR"
        }
        ClusterError::Unreachable { .. } => {
            "is it running there? kua-cluster scheduler --listen ADDR"
        }
        ClusterError::Answer { .. } | ClusterError::Short { .. } | ClusterError::Forgotten => {
            "nothing that was printed is the answer; ask again"
        }
        ClusterError::Failed(reason) if reason.contains("No such file") => {
            "every executor must see the archive at the same path"
        }
        ClusterError::Ended => "start it again when the scheduler is there",
        _ => return Trouble::new(attempted).because(error),
    };
    Trouble::new(attempted).because(error).hint(hint)
}
