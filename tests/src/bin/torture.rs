//! Kills the collector as often as asked: `torture [KILLS [SEED]]`.

use std::io::Write;
use std::process::ExitCode;

use kua_tests::torture::{Plan, run};

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let mut number = |otherwise| numbers.next().and_then(Result::ok).unwrap_or(otherwise);
    let plan = Plan { kills: number(1_000) as u32, seed: number(fastrand::u64(..)) };
    let Ok(folder) = tempfile::tempdir() else { return ExitCode::FAILURE };
    let (told, code) = match run(plan, folder.path()) {
        Ok(account) => (format!("seed: {}\n{account}", plan.seed), ExitCode::SUCCESS),
        Err(error) => (format!("error: {error}\n"), ExitCode::FAILURE),
    };
    let written = std::io::stdout().lock().write_all(told.as_bytes());
    if written.is_ok() { code } else { ExitCode::FAILURE }
}
