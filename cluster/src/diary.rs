//! What a scheduler and its executors say on standard error while they work: what went wrong, in one line each.

use std::io::Write;

use log::{LevelFilter, Log, Metadata, Record};

struct Diary;

/// Warnings of Ballista; of this program what it waits for, too.
pub(crate) fn start() {
    if log::set_logger(&Diary).is_ok() {
        log::set_max_level(LevelFilter::Warn);
    }
}

impl Log for Diary {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = match record.target() {
            own if own.starts_with("kua") => format!("{}\n", record.args()),
            other => format!("{other}: {}\n", record.args()),
        };
        // Nothing is left to do when standard error is gone too.
        let _ = anstream::stderr().write_all(line.as_bytes());
    }

    fn flush(&self) {}
}
