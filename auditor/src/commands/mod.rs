//! The commands: one file each.

mod explain;
mod records;
mod report;

use std::io::Write;
use std::process::ExitCode;

use kua_console::{CommonArgs, Trouble};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Report(Box<report::Report>),
    Explain(explain::Explain),
}

impl Command {
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        match self {
            Self::Report(command) => command.run(common),
            Self::Explain(command) => command.run(),
        }
    }
}

/// Says something that is not data. Whoever closed standard error does not want to read it.
fn say(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
