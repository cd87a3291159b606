//! The command `kua-collector`.

mod commands;

use std::process::ExitCode;

use clap::Parser;
use commands::Command;
use kua_console::{CommonArgs, finish};

/// Keep measurements byte for byte, and judge them as often as needed
#[derive(Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "Examples:\n  \
    kua-collector import --archive kz measurements.jsonl.gz\n  \
    kua-collector judge --archive kz"
)]
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
