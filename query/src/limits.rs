//! How much of the machine a session may use.

use std::path::PathBuf;

/// Bounds; what does not fit into the memory is written to the disk, and comes back.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes that the rows under way may take. The program itself and the readers of files need some
    /// hundred megabytes beside.
    pub memory: usize,
    /// Where rows go that do not fit; the system's temporary directory where absent.
    pub spill: Option<PathBuf>,
    /// Threads.
    pub threads: usize,
}

/// Where the machine does not say what it has.
const MEMORY: usize = 2 << 30;

impl Limits {
    /// All processors, and half of the memory that is free now.
    pub fn of_this_machine() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let free = [free_memory(), limit_of_group()].into_iter().flatten().min();
        Self { memory: free.map_or(MEMORY, |free| free / 2), spill: None, threads }
    }
}

/// What Linux says is free or can be freed.
fn free_memory() -> Option<usize> {
    let known = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = known.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: usize = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The limit of a container, where there is one.
fn limit_of_group() -> Option<usize> {
    std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok()?.trim().parse().ok()
}
