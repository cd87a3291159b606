//! `kua-cluster executor`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use kua_cluster::{ExecutorOptions, execute};
use kua_console::Trouble;

use super::{ListenArgs, trouble};
use crate::signals::asked_to_end;

/// Run the tasks that a scheduler hands out, until SIGTERM
#[derive(clap::Args)]
pub(crate) struct Executor {
    /// The scheduler
    #[arg(long, value_name = "HOST:PORT")]
    scheduler: String,
    #[command(flatten)]
    listen: ListenArgs,
    /// Tasks to run at once [default: all cores]
    #[arg(long, value_name = "N")]
    cores: Option<std::num::NonZeroUsize>,
    /// Memory for rows under way, such as 6G [default: 70 % of the machine's]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    /// Where rows go that do not fit, and what tasks leave for one another [default: the temporary directory]
    #[arg(long, value_name = "DIR")]
    work_dir: Option<PathBuf>,
    /// How long to wait for the scheduler at the start
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
}

impl Executor {
    pub(crate) async fn run(self) -> Result<ExitCode, Trouble> {
        let failed = |error| trouble("cannot run an executor", error);
        let listen = self.listen.parse().map_err(failed)?;
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        let options = ExecutorOptions {
            listen,
            scheduler: self.scheduler.trim_start_matches("http://").to_owned(),
            cores: self.cores.map_or_else(all, usize::from),
            memory: self.memory,
            work_dir: self.work_dir.unwrap_or_else(std::env::temp_dir),
            wait: Duration::from_secs(self.wait),
        };
        execute(&options, asked_to_end()).await.map_err(failed)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// `512M`, `6G`, or bytes.
fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.strip_suffix(['K', 'M', 'G', 'T']) {
        Some(digits) => (digits, text.chars().last()),
        None => (text, None),
    };
    let shift = match unit {
        Some('K') => 10,
        Some('M') => 20,
        Some('G') => 30,
        Some('T') => 40,
        _ => 0,
    };
    let number: u64 = digits.parse().map_err(|_| "give bytes, or a number and K, M, G or T")?;
    number.checked_mul(1 << shift).filter(|size| *size > 0).ok_or_else(|| "out of range".into())
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes() {
        let cases = [
            ("1", Some(1)),
            ("2K", Some(2 << 10)),
            ("512M", Some(512 << 20)),
            ("6G", Some(6 << 30)),
            ("0", None),
            ("6g", None),
            ("G", None),
            ("", None),
            ("-1", None),
            ("99999999999999T", None),
        ];
        for (text, expected) in cases {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
    }
}
