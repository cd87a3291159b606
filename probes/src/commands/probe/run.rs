//! One run: many sites at a time, each kept, judged and shown as it comes, and judged again at the
//! end beside all that the run saw.

use std::cell::Cell;
use std::future::{pending, ready};
use std::io::Write;

use futures_util::stream::{self, StreamExt};
use kua::measurement::{Measurement, Target};
use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::verdict::{Judgement, judge};
use kua_console::{Trouble, now};
use kua_probes::https::Https;

use super::output::Output;
use super::screen::Screen;
use super::sending::Sending;
use super::summary;

/// The state of one run.
pub(super) struct Run<'a> {
    https: &'a Https,
    reference: &'a Reference,
    surroundings: Surroundings,
    output: Output,
    screen: Screen,
    sites: usize,
    measured: Vec<Measurement>,
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
        surroundings: Surroundings,
        output: Output,
        screen: Screen,
    ) -> Self {
        let (measured, judgements) = (Vec::new(), Vec::new());
        Self { https, reference, surroundings, output, screen, sites: 0, measured, judgements }
    }

    /// What was judged, at the end beside all that was seen.
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
                    Some(measurements) => self.take(measurements?)?,
                    None => return Ok(Ended::Done),
                },
            }
        }
    }

    /// Record before judging.
    fn take(&mut self, measurements: Vec<Measurement>) -> Result<(), Trouble> {
        self.screen.aside(|| -> Result<(), Trouble> {
            measurements.iter().try_for_each(|measurement| self.output.keep(measurement))
        })?;
        for measurement in &measurements {
            self.surroundings.add(measurement, self.reference);
        }
        for measurement in &measurements {
            for judgement in judge(measurement, self.reference, &self.surroundings, None) {
                self.screen.show(&judgement, self.reference)?;
            }
        }
        self.measured.extend(measurements);
        self.sites += 1;
        self.screen.advance();
        Ok(())
    }

    /// Judges everything beside everything, and says it where judgements are asked for.
    pub(super) fn settle(&mut self) -> Result<(), Trouble> {
        for measurement in &self.measured {
            self.judgements.extend(judge(measurement, self.reference, &self.surroundings, None));
        }
        let judgements = &self.judgements;
        self.screen.aside(|| judgements.iter().try_for_each(|found| self.output.say(found)))
    }

    /// Says where the records are that were to be sent.
    pub(super) fn leave(&self) -> Result<(), Trouble> {
        self.output.sending.as_ref().map_or(Ok(()), Sending::leave)
    }

    /// Says what all of it comes to, where standard output is for people; where it is not, on
    /// standard error, and only what was left undone. Gives what is still to be sent.
    pub(super) fn conclude(self, planned: usize) -> Result<Option<Sending>, Trouble> {
        self.screen.finish();
        let missing = planned - self.sites;
        if self.output.is_data() {
            if missing > 0 {
                writeln!(anstream::stderr(), "{}", summary::not_measured(missing))?;
            }
            return Ok(self.output.sending);
        }
        let text = summary::text(self.judgements, self.sites, missing, self.reference);
        let mut stdout = anstream::stdout();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()?;
        Ok(self.output.sending)
    }
}

/// Ends with the next Ctrl-C.
pub(super) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Nothing listens, so nothing can be heard.
        pending::<()>().await;
    }
}
