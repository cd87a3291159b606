//! What the figures were measured on.

use crate::openssl;

/// One line a part.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = cpu_model().unwrap_or_else(|| "unknown CPU".into());
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown");
    let openssl = openssl::version().unwrap_or_else(|| "no openssl".into());
    format!("{cores} cores, {model}, load {load} at the start\n{openssl}\n")
}

fn cpu_model() -> Option<String> {
    let known = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = known.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
