//! The commands: one file each.

mod records;
mod report;

use std::io::Write;
use std::process::ExitCode;

use kua_console::{CommonArgs, Trouble};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Report(report::Report),
}

impl Command {
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        match self {
            Self::Report(command) => command.run(common),
        }
    }
}

/// Says something that is not data. Whoever closed standard error does not want to read it.
fn say(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
