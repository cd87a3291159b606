//! When a collector that failed is tried again: ever later, never all probes at one moment.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The wait after the first failure.
const FIRST: Duration = Duration::from_secs(15);

/// The longest wait of our own choice.
const LONGEST: Duration = Duration::from_secs(6 * 3600);

/// The longest wait that a collector may ask for.
const LONGEST_TOLD: Duration = Duration::from_secs(24 * 3600);

/// How a collector has failed lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// How often one after the other.
    failures: u32,
    /// When it failed last, in seconds since 1970, by this machine's clock.
    since: i64,
    /// How long to wait from then on, in seconds.
    wait: u64,
    /// Whether the collector asked for that wait.
    told: bool,
}

impl Pace {
    /// After one more failure at `now`; `told` is what the collector asked for, `chance` from 0 to 1.
    #[must_use]
    pub fn failed(&self, now: OffsetDateTime, told: Option<Duration>, chance: f64) -> Self {
        let doubled = FIRST.saturating_mul(1_u32.checked_shl(self.failures.min(20)).unwrap_or(1));
        let longest = doubled.min(LONGEST);
        let wait = match told {
            // Those who were told the same shall not come at the same moment.
            Some(told) => told.min(LONGEST_TOLD).mul_f64(1.0 + chance / 10.0),
            None => longest / 2 + (longest / 2).mul_f64(chance),
        };
        Self {
            failures: self.failures.saturating_add(1),
            since: now.unix_timestamp(),
            wait: wait.as_secs().max(1),
            told: told.is_some(),
        }
    }

    /// How long from `now` until it may be tried again. A clock that was set back before the last failure
    /// can tell nothing: then it may be tried at once.
    pub fn remaining(&self, now: OffsetDateTime) -> Duration {
        let passed = u64::try_from(now.unix_timestamp() - self.since);
        passed
            .map_or(Duration::ZERO, |passed| Duration::from_secs(self.wait.saturating_sub(passed)))
    }

    /// The same for a new run of the program: only what the collector asked for counts, for the line may
    /// be up again.
    pub fn remaining_for_a_new_run(&self, now: OffsetDateTime) -> Duration {
        if self.told { self.remaining(now) } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_760_000_000 + seconds).unwrap()
    }

    #[test]
    fn waits_grow_and_end_growing() {
        let mut pace = Pace::default();
        let mut waits = Vec::new();
        for _ in 0..40 {
            pace = pace.failed(at(0), None, 1.0);
            waits.push(pace.remaining(at(0)).as_secs());
        }
        assert_eq!(waits[..4], [15, 30, 60, 120]);
        assert_eq!(waits[39], 6 * 3600);
        assert!(waits.is_sorted());
        assert_eq!(Pace::default().failed(at(0), None, 0.0).remaining(at(0)).as_secs(), 7);
    }

    #[test]
    fn what_the_collector_asks_for_and_what_clocks_do() {
        let own = Pace::default().failed(at(0), None, 1.0);
        let told = Pace::default().failed(at(0), Some(Duration::from_secs(600)), 0.0);
        let for_ever = Pace::default().failed(at(0), Some(Duration::MAX), 0.0);
        for (case, pace, now, remaining, new_run) in [
            ("at once", &own, 0, 15, 0),
            ("a while later", &own, 10, 5, 0),
            ("later", &own, 20, 0, 0),
            ("told", &told, 60, 540, 540),
            ("told, and the time is over", &told, 600, 0, 0),
            ("the clock went back", &told, -1, 0, 0),
            ("the clock jumped ahead", &told, 400_000_000, 0, 0),
            ("never again", &for_ever, 0, 24 * 3600, 24 * 3600),
        ] {
            assert_eq!(pace.remaining(at(now)).as_secs(), remaining, "{case}");
            assert_eq!(pace.remaining_for_a_new_run(at(now)).as_secs(), new_run, "{case}");
        }
    }
}
