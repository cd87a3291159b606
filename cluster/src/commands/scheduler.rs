//! `kua-cluster scheduler`.

use std::process::ExitCode;

use kua_cluster::{SchedulerOptions, schedule};
use kua_console::Trouble;

use super::{ListenArgs, trouble};
use crate::signals::asked_to_end;

/// Take queries and hand their tasks to executors, until SIGTERM
#[derive(clap::Args)]
pub(crate) struct Scheduler {
    #[command(flatten)]
    listen: ListenArgs,
}

impl Scheduler {
    pub(crate) async fn run(self) -> Result<ExitCode, Trouble> {
        let failed = |error| trouble("cannot run a scheduler", error);
        let listen = self.listen.parse().map_err(failed)?;
        schedule(&SchedulerOptions { listen }, asked_to_end()).await.map_err(failed)?;
        Ok(ExitCode::SUCCESS)
    }
}
