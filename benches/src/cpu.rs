//! Time that the processor worked, as Linux counts it; elsewhere nobody can tell.

use std::time::Duration;

/// What this thread has used since it began, to the nanosecond.
pub(crate) fn of_this_thread() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// What children that have ended and were waited for used, to the hundredth of a second.
pub(crate) fn of_ended_children() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // proc_pid_stat(5): the name may hold spaces; cutime and cstime are fields 16 and 17.
    let (_, fields) = text.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(13);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    // The kernel's USER_HZ is 100 wherever Rust's standard library runs.
    Some(Duration::from_millis(ticks * 10))
}
