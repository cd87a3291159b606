//! The commands: one file each.

mod check;
mod compact;
mod export;
mod import;
mod judge;
mod progress;
mod query;
mod refusals;
mod repair;
mod serve;
mod stop;
mod summary;

use std::io::Write;
use std::process::ExitCode;

use kua_console::{CommonArgs, Trouble};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    Check(check::Check),
    Compact(compact::Compact),
    Export(export::Export),
    Import(import::Import),
    Judge(judge::Judge),
    Query(query::Query),
    Repair(repair::Repair),
    Serve(serve::Serve),
}

impl Command {
    pub(crate) fn run(self, common: &CommonArgs) -> Result<ExitCode, Trouble> {
        match self {
            Self::Check(command) => command.run(),
            Self::Compact(command) => command.run(common),
            Self::Export(command) => command.run(),
            Self::Import(command) => command.run(common),
            Self::Judge(command) => command.run(common),
            Self::Query(command) => command.run(common),
            Self::Repair(command) => command.run(),
            Self::Serve(command) => command.run(common),
        }
    }
}

/// Says something that is not data. Whoever closed standard error does not want to read it.
fn say(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// Names damaged records, each by its number, and counts the rest.
fn name_damaged(named: &[(u64, String)], unnamed: u64) {
    for (number, why) in named {
        say(&format!("damaged: record {number}: {why}"));
    }
    if unnamed > 0 {
        say(&format!("damaged: {unnamed} more"));
    }
}
