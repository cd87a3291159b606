//! One run: many sites at a time, each kept, judged and shown as it comes.

use std::cell::Cell;
use std::future::{pending, ready};
use std::io::Write;

use futures_util::stream::{self, StreamExt};
use kua::control::Controls;
use kua::measurement::{Measurement, Target};
use kua::reference::Reference;
use kua::verdict::{Judgement, judge};
use kua_console::{Trouble, now};
use kua_probes::https::Https;

use super::output::Output;
use super::screen::Screen;
use super::summary;

/// The state of one run.
pub(super) struct Run<'a> {
    https: &'a Https,
    reference: &'a Reference,
    controls: &'a Controls,
    output: Output,
    screen: Screen,
    measured: usize,
    judgements: Vec<Judgement>,
}

/// How a run ended.
pub(super) enum Ended {
    /// Interrupted twice.
    AtOnce,
    /// With every site measured, or interrupted once.
    Done,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        https: &'a Https,
        reference: &'a Reference,
        controls: &'a Controls,
        output: Output,
        screen: Screen,
    ) -> Self {
        let (measured, judgements) = (0, Vec::new());
        Self { https, reference, controls, output, screen, measured, judgements }
    }

    /// What was judged so far.
    pub(super) fn judgements(&self) -> &[Judgement] {
        &self.judgements
    }

    /// Measures `targets`, `concurrency` at a time. The first Ctrl-C lets those finish that have
    /// begun; the second ends at once.
    pub(super) async fn measure(
        &mut self,
        targets: &[Target],
        concurrency: usize,
    ) -> Result<Ended, Trouble> {
        let stopped = Cell::new(false);
        let (https, reference) = (self.https, self.reference);
        let mut measuring = stream::iter(targets)
            .take_while(|_| ready(!stopped.get()))
            .map(|target| async move {
                let started = now(None)?;
                Ok::<_, Trouble>(https.measure(target, started, reference).await)
            })
            .buffer_unordered(concurrency);
        let mut interruption = Box::pin(interrupted());
        loop {
            tokio::select! {
                biased;
                () = &mut interruption => {
                    if stopped.replace(true) {
                        return Ok(Ended::AtOnce);
                    }
                    self.screen.stopping()?;
                    interruption = Box::pin(interrupted());
                }
                next = measuring.next() => match next {
                    Some(measurements) => self.take(&measurements?)?,
                    None => return Ok(Ended::Done),
                },
            }
        }
    }

    /// Record before judging.
    fn take(&mut self, measurements: &[Measurement]) -> Result<(), Trouble> {
        let known = self.judgements.len();
        self.screen.aside(|| -> Result<(), Trouble> {
            for measurement in measurements {
                self.output.keep(measurement)?;
                for judgement in judge(measurement, self.reference, self.controls, None) {
                    self.output.say(&judgement)?;
                    self.judgements.push(judgement);
                }
            }
            Ok(())
        })?;
        for judgement in &self.judgements[known..] {
            self.screen.show(judgement, self.reference)?;
        }
        self.measured += 1;
        self.screen.advance();
        Ok(())
    }

    /// Says what all of it comes to, where standard output is for people; where it is not, on
    /// standard error, and only what was left undone.
    pub(super) fn conclude(self, planned: usize) -> Result<(), Trouble> {
        self.screen.finish();
        let missing = planned - self.measured;
        if self.output.is_data() {
            if missing > 0 {
                writeln!(anstream::stderr(), "{}", summary::not_measured(missing))?;
            }
            return Ok(());
        }
        let text = summary::text(self.judgements, self.measured, missing, self.reference);
        let mut stdout = anstream::stdout();
        stdout.write_all(text.as_bytes())?;
        Ok(stdout.flush()?)
    }
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Nothing listens, so nothing can be heard.
        pending::<()>().await;
    }
}
