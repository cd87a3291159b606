//! How far an import is, on a terminal.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line that changes while files are read.
pub(super) struct Progress {
    bar: ProgressBar,
    began: Instant,
    /// Packed bytes of the files before the present one.
    before: u64,
    present: u64,
    unpacked: u64,
}

impl Progress {
    /// For `files`; how long it takes is known where all of them have a size.
    pub(super) fn of(files: &[PathBuf]) -> Self {
        let sizes = files.iter().map(|file| {
            let metadata = std::fs::metadata(file).ok();
            metadata.filter(std::fs::Metadata::is_file).map(|metadata| metadata.len())
        });
        let size = sizes.sum::<Option<u64>>();
        let target = if std::io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(size, target);
        let template = match size {
            Some(_) => "{bar:30} {decimal_bytes}/{decimal_total_bytes} {msg}, {eta} left",
            None => "{spinner} {decimal_bytes} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, began: Instant::now(), before: 0, present: 0, unpacked: 0 }
    }

    /// So many packed bytes of the present file were read, and so many unpacked ones more.
    pub(super) fn advance(&mut self, packed: u64, unpacked: usize, records: u64) {
        self.present = packed;
        self.unpacked += unpacked as u64;
        let seconds = self.began.elapsed().max(Duration::from_millis(1)).as_secs_f64();
        let rate = self.unpacked as f64 / seconds / 1e6;
        self.bar.set_position(self.before + self.present);
        self.bar.set_message(format!("{rate:.0} MB/s, {records} records"));
    }

    /// The present file ends.
    pub(super) fn next_file(&mut self) {
        self.before += std::mem::take(&mut self.present);
    }

    /// Runs what writes to the terminal itself.
    pub(super) fn beside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bar.suspend(write)
    }

    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
