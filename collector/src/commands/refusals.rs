//! Lines that were refused: the first are named, all are counted.

use std::collections::BTreeMap;

use kua::wire::WireError;
use kua_collector::import::{Incoming, ReadError, reason};
use kua_console::CommonArgs;

use super::say;

/// Most lines that are named, unless `--verbose` asks for all.
const NAMED: u64 = 20;

pub(super) struct Refusals {
    most: u64,
    total: u64,
    kinds: BTreeMap<&'static str, u64>,
}

impl Refusals {
    pub(super) fn new(common: &CommonArgs) -> Self {
        let most = if common.verbose > 0 { u64::MAX } else { NAMED };
        Self { most, total: 0, kinds: BTreeMap::new() }
    }

    /// Counts a line and names it; gives the reason in words.
    pub(super) fn add(&mut self, refused: &Incoming<'_>, error: &WireError) -> String {
        let reason = reason(error);
        self.total += 1;
        *self.kinds.entry(kind(error)).or_default() += 1;
        if self.total <= self.most {
            say(&format!("rejected: {}:{}: {reason}", refused.file.display(), refused.line));
        }
        reason
    }

    /// Says how many were not named, and which files broke off.
    pub(super) fn close(&self, broken: &[ReadError]) {
        if self.total > self.most {
            say(&format!("rejected: {} more; -v names them all", self.total - self.most));
        }
        for error in broken {
            say(&format!("broken off: {}: {}", error.file.display(), error.source));
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// How many lines there were of each kind, by the kind's name.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.kinds.iter().map(|(kind, count)| (*kind, *count))
    }
}

fn kind(error: &WireError) -> &'static str {
    match error {
        WireError::BadCertificate { .. } => "bad certificate",
        WireError::NotJson(_) => "not JSON",
        WireError::NoFormat { .. } => "of another format",
        WireError::NotMeasurement => "not a measurement",
        WireError::TooLong { .. } => "too long",
        _ => "other",
    }
}
