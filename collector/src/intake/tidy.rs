//! Settling the archive beside the writer, when there is time for it or it is due.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::desk::Health;
use super::limits::Limits;

/// Settles what lasts, as far as it goes; runs on a thread of its own and may take long.
pub type Settle = Box<dyn FnMut() + Send>;

/// How often it looks whether it is time.
const TICK: Duration = Duration::from_millis(200);

/// Settles when records have come and then none for a while, and at intervals while they keep
/// coming. Nobody waits for it at the end: a settling that is cut off does not count.
pub(super) fn start(mut settle: Settle, limits: Limits, health: Arc<Health>) -> io::Result<()> {
    let run = move || {
        // What was left by an earlier run is due at once.
        let mut settled_until = None;
        let mut since = Instant::now();
        while !health.is_closing() {
            std::thread::sleep(TICK);
            let (commits, last) = health.commits();
            if settled_until == Some(commits) {
                since = Instant::now();
                continue;
            }
            let idle = last.is_none_or(|last| last.elapsed() > limits.idle);
            if idle || since.elapsed() > limits.unsettled {
                settle();
                settled_until = Some(commits);
            }
        }
    };
    std::thread::Builder::new().name("settler".into()).spawn(run).map(|_| ())
}
