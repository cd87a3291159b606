//! Time that the processor worked, so that what else runs on the machine is left out.

use std::time::{Duration, Instant};

/// Counts what this thread uses: its CPU time on Linux, elsewhere the time that passes.
pub(crate) struct Clock {
    began: Instant,
    used: Option<Duration>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { began: Instant::now(), used: of_this_thread() }
    }

    /// Exact to a tick of the kernel, some milliseconds: good for tenths of a second and more.
    pub(crate) fn spent(&self) -> Duration {
        let used = self.used.zip(of_this_thread());
        used.map_or_else(|| self.began.elapsed(), |(before, now)| now.saturating_sub(before))
    }
}

/// What this thread has used since it began.
fn of_this_thread() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// What children that have ended and were waited for used, to the hundredth of a second; `None`
/// where that is not counted.
pub(crate) fn of_ended_children() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // proc_pid_stat(5): the name may hold spaces; cutime and cstime are fields 16 and 17.
    let (_, fields) = text.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(13);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    // USER_HZ is 100 on every architecture that Rust's standard library supports.
    Some(Duration::from_millis(ticks * 10))
}
