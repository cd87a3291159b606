//! The command `kua-auditor`.

mod commands;

use std::process::ExitCode;

use clap::Parser;
use commands::Command;
use kua_console::{CommonArgs, finish};

/// Tell what an archive of measurements shows, with the evidence
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let Arguments { common, command } = Arguments::parse();
    common.apply();
    finish(command.run(&common))
}
