//! What is seen on standard error while sites are probed.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kua::reference::Reference;
use kua::verdict::{Judgement, Verdict};
use kua_console::words::headline;

/// A progress bar on a terminal; elsewhere nothing, or lines with `-v`.
pub(super) struct Screen {
    bar: ProgressBar,
    lines: bool,
    counts: BTreeMap<Verdict, usize>,
}

impl Screen {
    pub(super) fn new(sites: usize, verbose: u8) -> Self {
        let on_terminal = io::stderr().is_terminal();
        let target =
            if on_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(sites as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} sites {msg}") {
            bar.set_style(style);
        }
        Self { bar, lines: on_terminal || verbose > 0, counts: BTreeMap::new() }
    }

    /// One line above the bar for a judgement that is not normal.
    pub(super) fn show(&mut self, judgement: &Judgement, reference: &Reference) -> io::Result<()> {
        *self.counts.entry(judgement.verdict).or_default() += 1;
        self.bar.set_message(counted(&self.counts));
        if !self.lines || judgement.verdict == Verdict::Normal {
            return Ok(());
        }
        let target = judgement.target.as_deref().unwrap_or("?");
        let style = style(judgement.verdict);
        let text = format!("{style}{target}{style:#}: {}", headline(judgement, reference));
        self.bar.suspend(|| writeln!(anstream::stderr(), "{text}"))
    }

    /// One site more is done.
    pub(super) fn advance(&self) {
        self.bar.inc(1);
    }

    /// Runs `write` with the bar out of its way.
    pub(super) fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bar.suspend(write)
    }

    /// Ctrl-C was heard.
    pub(super) fn stopping(&self) -> io::Result<()> {
        let text = "stopping: sites that have begun are finished; Ctrl-C again ends at once";
        self.bar.suspend(|| writeln!(anstream::stderr(), "{text}"))
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// `2 intercepted, 31 normal`: worst first, none left out.
pub(super) fn counted(counts: &BTreeMap<Verdict, usize>) -> String {
    let parts: Vec<_> =
        counts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    parts.join(", ")
}

fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Intercepted | Verdict::Blocked => AnsiColor::Red.on_default().bold(),
        Verdict::Anomaly => AnsiColor::Yellow.on_default().bold(),
        Verdict::Misconfigured | Verdict::Inconclusive => AnsiColor::Yellow.on_default(),
        Verdict::Normal => AnsiColor::Green.on_default(),
    }
}
