//! The command `kua-lab`: a lab that runs until it is told to stop, or for so long.

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use kua_lab::hosts::with_fate;
use kua_lab::{LabError, Network};
use tokio::time;

/// A national network in a box: sites, interceptors and a censor on loopback
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the lab and keep it running
    ///
    /// Once DIR/ready exists, every other file in DIR is whole and every box listens.
    #[command(after_help = "Examples:\n  \
        kua-lab run --out /tmp/lab --for 60 &\n  \
        kua probe --suite /tmp/lab/suite.toml --reference /tmp/lab/reference \
        $(cat /tmp/lab/national.args)")]
    Run {
        /// Directory for reference data, suite and arguments; made if absent
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// End by itself after so many seconds
        #[arg(long = "for", value_name = "SECONDS", default_value_t = 600)]
        seconds: u64,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Run { out, seconds } = Arguments::parse().command;
    match run(&out, Duration::from_secs(seconds)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(out: &Path, at_most: Duration) -> Result<(), LabError> {
    let network = Network::start(out).await?;
    announce(&network);
    tokio::select! {
        () = time::sleep(at_most) => {}
        () = told_to_stop() => {}
    }
    network.stop().await
}

fn announce(network: &Network) {
    let mut lines = format!("clean entry           {}\n", network.clean);
    lines.push_str(&format!("national entry        {}\n", network.national));
    for hop in &network.hops {
        let names: Vec<_> = hop.acts_on.into_iter().flat_map(with_fate).collect();
        let line = format!("{:<21} {} {}", hop.role, hop.address, names.join(" "));
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    say(&lines);
}

fn complain(error: &LabError) {
    let mut lines = format!("error: {error}\n");
    let mut cause = error.source();
    while let Some(error) = cause {
        lines.push_str(&format!("because: {error}\n"));
        cause = error.source();
    }
    say(&lines);
}

fn say(lines: &str) {
    // Whoever closed stderr does not want to read this.
    let _ = io::stderr().lock().write_all(lines.as_bytes());
}

/// Ends at Ctrl-C or, where the system has it, SIGTERM.
async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};

        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
