//! The commands: one file each.

mod import;
mod judge;
mod refusals;
mod serve;

use std::io::Write;
use std::process::ExitCode;

use kua_console::{CommonArgs, Trouble};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Import(import::Import),
    Judge(judge::Judge),
    Serve(serve::Serve),
}

impl Command {
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        match self {
            Self::Import(command) => command.run(common),
            Self::Judge(command) => command.run(common),
            Self::Serve(command) => command.run(common),
        }
    }
}

/// Says something that is not data. Whoever closed standard error does not want to read it.
fn say(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
