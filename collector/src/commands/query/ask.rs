//! Runs a query and writes its rows while they come; on a terminal, shows how far it is.

use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kua_archive::Place;
use kua_console::Trouble;
use kua_query::print::{Format, Printer};
use kua_query::{Answer, Next, Remote, Session, print};

use super::trouble;

/// How often the progress is drawn anew.
const PACE: Duration = Duration::from_millis(200);

/// Answers that come sooner need no progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// What came of a query.
pub(super) struct Answered {
    pub(super) written: print::Written,
    pub(super) seconds: f64,
}

pub(super) fn session(
    session: &Session,
    sql: &str,
    format: Format,
    out: impl Write,
) -> Result<Answered, Trouble> {
    let began = Instant::now();
    let fails = |error| trouble::of(error, sql);
    let mut answer = session.query(sql).map_err(fails)?;
    let mut printer = Printer::new(out, format, &answer.schema())?;
    let screen = Screen::new();
    loop {
        match answer.next_within(PACE).map_err(fails)? {
            Next::Rows(batch) => {
                screen.hide();
                if !printer.add(&batch)? {
                    break;
                }
            }
            Next::Waiting if began.elapsed() > PATIENCE => screen.show(&answer),
            Next::Waiting => {}
            Next::Stopped => return Err(Trouble::new("the query was stopped")),
            Next::End => break,
        }
    }
    screen.hide();
    Ok(Answered { written: printer.finish()?, seconds: began.elapsed().as_secs_f64() })
}

/// The program `kua-cluster` asks; its rows are written as ours.
pub(super) fn cluster(
    url: &str,
    place: &Place,
    reference: Option<&str>,
    sql: &str,
    format: Format,
    out: impl Write,
) -> Result<Answered, Trouble> {
    let began = Instant::now();
    let fails = |error| trouble::of(error, sql);
    let mut rows = Remote::ask(url, place.to_string().as_ref(), reference, sql).map_err(fails)?;
    let mut printer = Printer::new(out, format, &rows.schema())?;
    for batch in &mut rows {
        if !printer.add(&batch.map_err(fails)?)? {
            break;
        }
    }
    Ok(Answered { written: printer.finish()?, seconds: began.elapsed().as_secs_f64() })
}

/// One line on standard error, where that is a terminal.
struct Screen(ProgressBar);

impl Screen {
    fn new() -> Self {
        let target = match std::io::IsTerminal::is_terminal(&std::io::stderr()) {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} files {msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    fn show(&self, answer: &Answer<'_>) {
        let progress = answer.progress();
        self.0.set_length(progress.files);
        self.0.set_position(progress.read);
        let seconds = self.0.elapsed().as_secs();
        self.0.set_message(format!("{} rows read, {seconds} s", progress.rows));
        self.0.tick();
    }

    fn hide(&self) {
        self.0.finish_and_clear();
    }
}
