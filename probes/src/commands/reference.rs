//! `kua reference`: what Kua compares with, how old it is, and how it is refreshed.

mod directory;
mod refresh;
mod reports;
mod show;
mod update;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use kua_console::{CommonArgs, Trouble};

/// Show what Kua compares with and how old it is, or refresh it
#[derive(Args)]
pub(crate) struct Reference {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Show(show::Show),
    Update(update::Update),
}

impl Reference {
    /// Shows or refreshes.
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        match self.command {
            Command::Show(show) => show.run(common),
            Command::Update(update) => update.run(),
        }
    }
}
