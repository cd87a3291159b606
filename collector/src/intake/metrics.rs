//! Counts for Prometheus: how much and how fast, of nobody in particular.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of the histograms' buckets, in seconds.
const BUCKETS: [f64; 12] = [0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// What has been counted since the start.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    results: Mutex<BTreeMap<&'static str, u64>>,
    submissions: Histogram,
    commits: Histogram,
    received_bytes: AtomicU64,
    /// Records that wait for the writer.
    pub(super) waiting: AtomicU64,
    /// Connections that are open.
    pub(super) connections: AtomicU64,
    /// Connections that were ever accepted.
    pub(super) accepted: AtomicU64,
    /// Connections that were closed at once: too many of one client.
    pub(super) crowded: AtomicU64,
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

impl Histogram {
    fn add(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        for (bucket, end) in self.buckets.iter().zip(BUCKETS) {
            if seconds <= end {
                bucket.fetch_add(1, Relaxed);
            }
        }
        self.count.fetch_add(1, Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    fn write(&self, text: &mut String, name: &str, about: &str) {
        let count = self.count.load(Relaxed);
        let sum = self.micros.load(Relaxed) as f64 / 1e6;
        let _ = writeln!(text, "# HELP {name} {about}\n# TYPE {name} histogram");
        for (bucket, end) in self.buckets.iter().zip(BUCKETS) {
            let _ = writeln!(text, "{name}_bucket{{le=\"{end}\"}} {}", bucket.load(Relaxed));
        }
        let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(text, "{name}_sum {sum}\n{name}_count {count}");
    }
}

impl Metrics {
    /// What became of a submission, and how long it took from its headers to its answer.
    pub(super) fn submitted(&self, result: &'static str, took: Duration) {
        *self.results.lock().unwrap_or_else(PoisonError::into_inner).entry(result).or_default() +=
            1;
        self.submissions.add(took);
    }

    pub(super) fn committed(&self, took: Duration) {
        self.commits.add(took);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.received_bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// Prometheus' text format.
    pub(super) fn text(&self, memory: usize) -> String {
        let mut text = String::new();
        let name = "kua_submissions_total";
        let _ = writeln!(text, "# HELP {name} Submissions by result\n# TYPE {name} counter");
        for (result, count) in self.results.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(text, "{name}{{result=\"{result}\"}} {count}");
        }
        for (name, kind, about, value) in [
            ("kua_received_bytes_total", "counter", "Bytes of bodies", &self.received_bytes),
            ("kua_connections_total", "counter", "Connections accepted", &self.accepted),
            (
                "kua_connections_crowded_total",
                "counter",
                "Connections closed at once",
                &self.crowded,
            ),
            ("kua_connections", "gauge", "Connections open", &self.connections),
            ("kua_waiting_records", "gauge", "Records waiting for the writer", &self.waiting),
        ] {
            let value = value.load(Relaxed);
            let _ = writeln!(text, "# HELP {name} {about}\n# TYPE {name} {kind}\n{name} {value}");
        }
        let name = "kua_body_memory_bytes";
        let _ = writeln!(text, "# HELP {name} Memory that bodies take\n# TYPE {name} gauge");
        let _ = writeln!(text, "{name} {memory}");
        self.submissions.write(&mut text, "kua_submission_seconds", "From headers to answer");
        self.commits.write(&mut text, "kua_commit_seconds", "To make a batch last");
        text
    }
}
