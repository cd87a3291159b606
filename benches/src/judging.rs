//! Records read and judged, beside what a TLS client does for one of them: every chain for the first
//! time, and an archive in which chains come again.

use std::time::{Duration, Instant};

use kua::measurement::Measurement;
use kua::memory::Memory;
use kua::reference::Reference;
use kua::surroundings::Surroundings;
use kua::verdict::{Verdict, judge_with};
use kua::wire::from_line;

use crate::Result;
use crate::cpu::Clock;
use crate::records::{Line, World};
use crate::table::{Table, count, ratio};

const RECORDS: usize = 1000;

/// Chains that are remembered.
const ROOM: usize = 8192;

const TIME: Duration = Duration::from_secs(2);

/// On one thread, from a line in memory to its judgement.
pub(crate) fn bench() -> Result<Table> {
    let title = "Records read and judged, one in four intercepted, on one core";
    let columns = ["a second", "us to read", "us to judge", "us for a client", "judge/client"];
    let mut table = Table::new(title, &columns);
    let world = World::new();
    let reference = world.reference()?;
    for (what, distinct, room) in [
        ("every chain another", RECORDS, ROOM),
        ("95 % repeated, nothing remembered", RECORDS / 20, 0),
        ("95 % repeated", RECORDS / 20, ROOM),
    ] {
        let spent = run(&world.lines(RECORDS, distinct)?, &reference, room)?;
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
    table.note("half of the chains signed with RSA-2048, half with ECDSA P-256; no controls");
    table.note("a client: rustls-webpki with Mozilla's roots, then with the bench's");
    table.note("the memory is empty at the start; records lie on seven days, as many on each");
    Ok(table)
}

#[derive(Default)]
struct Spent {
    records: f64,
    reading: f64,
    judging: f64,
    client: f64,
}

fn run(lines: &[Line], reference: &Reference, room: usize) -> Result<Spent> {
    let mut spent = Spent::default();
    let until = Instant::now() + TIME;
    while Instant::now() < until {
        let clock = Clock::start();
        let read = read(lines)?;
        spent.reading += clock.spent().as_secs_f64();

        let clock = Clock::start();
        let mut memory = Memory::with_room(reference, room);
        for (line, measurement) in lines.iter().zip(&read) {
            let none = Surroundings::none();
            let judgements = judge_with(&mut memory, measurement, &none, Some(1));
            let expected = if line.intercepted { Verdict::Intercepted } else { Verdict::Normal };
            if judgements[0].verdict != expected {
                let found = judgements[0].verdict;
                return Err(format!("judged {found} instead of {expected}").into());
            }
        }
        spent.judging += clock.spent().as_secs_f64();

        // Read anew: what was parsed once for the judgement would be given away.
        let read = self::read(lines)?;
        let clock = Clock::start();
        for (line, measurement) in lines.iter().zip(&read) {
            if client_accepts(measurement, reference)? == line.intercepted {
                return Err("a client took one chain for the other".into());
            }
        }
        spent.client += clock.spent().as_secs_f64();
        spent.records += lines.len() as f64;
    }
    Ok(spent)
}

fn read(lines: &[Line]) -> Result<Vec<Measurement>> {
    lines.iter().map(|line| Ok(from_line(line.text.as_bytes())?)).collect()
}

fn client_accepts(measurement: &Measurement, reference: &Reference) -> Result<bool> {
    let shaken = measurement.handshakes.first().ok_or("a minted record has a handshake")?;
    let chain = shaken.chain.as_ref().ok_or("a minted handshake has a chain")?;
    let name = shaken.server_name.as_deref().unwrap_or_default();
    let mut stores = reference.stores.iter();
    Ok(stores.any(|store| store.accepts(chain, name, measurement.started).is_ok()))
}
