//! Records read and judged, beside what a TLS client does for one of them.

use std::time::{Duration, Instant};

use kua::control::Controls;
use kua::reference::Reference;
use kua::verdict::{Verdict, judge};
use kua::wire::from_line;

use crate::Result;
use crate::records::{Line, World};
use crate::table::{Table, count, ratio};

const RECORDS: usize = 1000;

const TIME: Duration = Duration::from_secs(2);

/// On one thread, from a line in memory to its judgement.
pub(crate) fn bench() -> Result<Table> {
    let title = "Records read and judged, one in four intercepted, on one core";
    let columns = ["a second", "us to read", "us to judge", "us for a client", "judge/client"];
    let mut table = Table::new(title, &columns);
    let world = World::new();
    let reference = world.reference()?;
    for (what, distinct) in [("every chain another", RECORDS), ("95 % repeated", RECORDS / 20)] {
        let spent = run(&world.lines(RECORDS, distinct)?, &reference)?;
        let a_second = spent.records / (spent.reading + spent.judging);
        let each = |seconds: f64| format!("{:.0}", seconds / spent.records * 1e6);
        let figures = [
            count(a_second),
            each(spent.reading),
            each(spent.judging),
            each(spent.client),
            ratio(spent.judging, spent.client),
        ];
        table.row(what, &figures);
    }
    table.note(
        "a client: one rustls-webpki path from the parsed record to Mozilla's or the bench's",
    );
    table.note("roots, one after the other, until one accepts; a repeated chain is judged anew");
    Ok(table)
}

#[derive(Default)]
struct Spent {
    records: f64,
    reading: f64,
    judging: f64,
    client: f64,
}

fn run(lines: &[Line], reference: &Reference) -> Result<Spent> {
    let controls = Controls::none();
    let mut spent = Spent::default();
    let until = Instant::now() + TIME;
    for (number, line) in (1..).zip(lines.iter().cycle()) {
        if Instant::now() > until {
            break;
        }
        let began = Instant::now();
        let measurement = from_line(line.text.as_bytes())?;
        spent.reading += began.elapsed().as_secs_f64();

        let began = Instant::now();
        let judgements = judge(&measurement, reference, &controls, Some(number));
        spent.judging += began.elapsed().as_secs_f64();
        let expected = if line.intercepted { Verdict::Intercepted } else { Verdict::Normal };
        if judgements[0].verdict != expected {
            return Err(format!("judged {} instead of {expected}", judgements[0].verdict).into());
        }

        // Read anew: what was parsed once for the judgement would be given away.
        let measurement = from_line(line.text.as_bytes())?;
        let shaken = measurement.handshakes.first().ok_or("a minted record has a handshake")?;
        let chain = shaken.chain.as_ref().ok_or("a minted handshake has a chain")?;
        let name = shaken.server_name.as_deref().unwrap_or_default();
        let began = Instant::now();
        let accepted = reference
            .stores
            .iter()
            .any(|store| store.accepts(chain, name, measurement.started).is_ok());
        spent.client += began.elapsed().as_secs_f64();
        if accepted == line.intercepted {
            return Err("a client took one chain for the other".into());
        }
        spent.records += 1.0;
    }
    Ok(spent)
}
