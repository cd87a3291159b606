//! Steps: one network operation a file. Each is bounded in time, fails in exactly one way, and
//! returns what it saw.

mod connect;
mod failure;
mod handshake;
mod plaintext;
mod recorder;
mod resolve;

use std::time::{Duration, Instant};

use kua::measurement::Span;

pub use connect::connect;
pub use handshake::handshake;
pub use resolve::resolve;

/// The running time of one measurement: where the spans of its steps come from, and how long
/// each of them may take.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    began: Instant,
    limit: Duration,
}

impl Stopwatch {
    /// Begins now; every step may take `limit`.
    pub fn start(limit: Duration) -> Self {
        Self { began: Instant::now(), limit }
    }

    /// How long one step may take.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Seconds since the beginning, to the microsecond.
    pub fn seconds(&self) -> f64 {
        (self.began.elapsed().as_secs_f64() * 1e6).round() / 1e6
    }

    /// From `t0`, in seconds since the beginning, until now.
    fn span(&self, t0: f64) -> Span {
        Span { t0, t: self.seconds() }
    }
}
