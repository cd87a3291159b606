//! `kua`: what a volunteer runs.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kua_console::{CommonArgs, finish};

/// Shows, with evidence, who intercepts TLS between here and a site
#[derive(Parser)]
#[command(name = "kua", version, max_term_width = 100, after_help = EXAMPLES)]
struct Kua {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Probe(commands::Probe),
    Inspect(commands::Inspect),
    Reference(commands::Reference),
}

const EXAMPLES: &str = "\
Examples:
  kua probe                          Probe sites that people use everywhere
  kua probe example.org              Probe one site
  kua probe --suite control          Probe the sites of a suite
  kua inspect chain.pem              Explain a chain that somebody sent you
  kua reference show                 See what Kua compares with, and how old it is

Exit status: 0 done, 1 failed, 2 bad command line, 3 a judgement at or above --fail-on.
`kua COMMAND --help` says more about a command.";

fn main() -> ExitCode {
    let Kua { common, command } = Kua::parse();
    common.apply();
    finish(match command {
        Command::Inspect(inspect) => inspect.run(&common),
        Command::Probe(probe) => probe.run(&common),
        Command::Reference(reference) => reference.run(&common),
    })
}
