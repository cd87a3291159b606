//! The command `kua-cluster`.

mod commands;
mod diary;
mod signals;

use std::process::ExitCode;

use clap::Parser;
use commands::Command;
use kua_console::{CommonArgs, Trouble, finish};

/// Answer SQL over an archive with many machines
#[derive(Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "Examples:\n  \
    kua-cluster scheduler --listen 127.0.0.1:50050\n  \
    kua-cluster executor --scheduler 127.0.0.1:50050 --listen 127.0.0.1:50060\n  \
    kua-collector query --archive s3://measurements/kz --cluster 127.0.0.1:50050 'SELECT ...'"
)]
struct Arguments {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Command,
}

/// Plans of long queries are deep.
const STACK: usize = 16 << 20;

fn main() -> ExitCode {
    // Before anything speaks TLS: a second provider in the build would make rustls ask which.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let Arguments { common, command } = Arguments::parse();
    common.apply();
    diary::start();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build();
    finish(match runtime {
        Ok(runtime) => runtime.block_on(command.run()),
        Err(error) => Err(Trouble::new("cannot start threads").because(error)),
    })
}
