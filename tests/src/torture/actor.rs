//! What the collector is doing when it is killed.

use std::fmt::Write;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::World;
use crate::free_port;
use crate::torture::submit::submit;

/// Longest that a run may take by itself.
const LONGEST: Duration = Duration::from_secs(120);

/// How long `serve` takes in, unless it is killed before.
const SERVED: Duration = Duration::from_millis(700);

/// Clients at once.
const CLIENTS: usize = 4;

/// A kind of work.
pub(super) struct Actor {
    /// Its name.
    pub(super) name: &'static str,
    /// How often, beside the others.
    pub(super) weight: usize,
    /// Does it, killed at the moment given if it lasts until then; tells whether it was killed.
    pub(super) run: fn(&mut World, Option<Duration>) -> Result<bool, String>,
}

/// Every kind.
pub(super) const ACTORS: &[Actor] = &[
    Actor { name: "import", weight: 4, run: import },
    Actor { name: "serve", weight: 4, run: serve },
    Actor { name: "compact", weight: 3, run: |world, moment| alone(world, "compact", moment) },
    Actor { name: "judge", weight: 1, run: |world, moment| alone(world, "judge", moment) },
];

fn import(world: &mut World, moment: Option<Duration>) -> Result<bool, String> {
    let count = world.chance.usize(1..100);
    let records = world.records.next(count);
    let file = world.folder.join("incoming.jsonl");
    let mut text = String::new();
    for record in &records {
        let _ = writeln!(text, "{record}");
    }
    std::fs::write(&file, text).map_err(|error| error.to_string())?;
    world.ledger.sent(&records);
    let mut command = collector(world, "import");
    let ended = end(start(command.arg(&file))?, moment)?;
    if !ended.killed {
        // Whoever lost the race for the lock would fail; here nobody else writes.
        ended.must_succeed()?;
        world.ledger.acknowledge(&records);
    }
    Ok(ended.killed)
}

fn alone(world: &mut World, verb: &str, moment: Option<Duration>) -> Result<bool, String> {
    if !world.archive.join("archive.json").exists() {
        return Ok(false);
    }
    let ended = end(start(&mut collector(world, verb))?, moment)?;
    if !ended.killed {
        ended.must_succeed()?;
    }
    Ok(ended.killed)
}

fn serve(world: &mut World, moment: Option<Duration>) -> Result<bool, String> {
    let port = free_port();
    let mut command = collector(world, "serve");
    command.arg("--listen").arg(format!("127.0.0.1:{port}"));
    let mut child = start(&mut command)?;
    let begun = Instant::now();
    let until = begun + moment.unwrap_or(LONGEST);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Err(format!("serve ended by itself: {status}"));
        }
        if Instant::now() >= until {
            return kill(child).map(|()| moment.is_some());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let batches: Vec<_> = (0..CLIENTS).map(|_| world.records.next(60)).collect();
    world.ledger.sent(batches.iter().flatten());
    let acknowledged = Mutex::new(Vec::new());
    // Most of the time it is at work when it is killed: starting takes about as long.
    let working = world.chance.u64(..SERVED.as_micros() as u64);
    let until = moment.map_or(begun + SERVED, |_| Instant::now() + Duration::from_micros(working));
    std::thread::scope(|scope| {
        for batch in &batches {
            let acknowledged = &acknowledged;
            scope.spawn(move || {
                for record in batch {
                    if Instant::now() > until + SERVED || !submit(port, record) {
                        return;
                    }
                    acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push(record);
                }
            });
        }
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
        if moment.is_some() { kill(child) } else { ask_to_end(child) }
    })?;
    let acknowledged = acknowledged.into_inner().unwrap_or_else(PoisonError::into_inner);
    world.ledger.acknowledge(acknowledged);
    Ok(moment.is_some())
}

fn collector(world: &World, verb: &str) -> Command {
    let mut command = Command::new(&world.collector);
    // Where the log's key would lie otherwise is the home of whoever tests.
    command.env("XDG_DATA_HOME", &world.folder);
    command.arg(verb).arg("--archive").arg(&world.archive);
    command
}

fn start(command: &mut Command) -> Result<Child, String> {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    quiet.spawn().map_err(|error| format!("it does not start: {error}"))
}

fn kill(mut child: Child) -> Result<(), String> {
    let killed = child.kill().and_then(|()| child.wait());
    killed.map(|_| ()).map_err(|error| format!("it cannot be killed: {error}"))
}

/// SIGTERM, and it must end well.
fn ask_to_end(child: Child) -> Result<(), String> {
    let asked = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status();
    asked.map_err(|error| format!("cannot ask it to end: {error}"))?;
    end(child, None)?.must_succeed()
}

struct Ended {
    killed: bool,
    success: bool,
    said: String,
}

impl Ended {
    fn must_succeed(&self) -> Result<(), String> {
        if self.success { Ok(()) } else { Err(format!("it failed: {}", self.said)) }
    }
}

/// Waits until it ends, or kills it at the moment given.
fn end(mut child: Child, moment: Option<Duration>) -> Result<Ended, String> {
    let until = Instant::now() + moment.unwrap_or(LONGEST);
    let words = |error: std::io::Error| error.to_string();
    let mut killed = false;
    loop {
        if child.try_wait().map_err(words)?.is_some() {
            break;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            child.kill().map_err(words)?;
            killed = true;
            break;
        }
        std::thread::sleep(left.min(Duration::from_millis(1)));
    }
    let output = child.wait_with_output().map_err(words)?;
    if killed && moment.is_none() {
        return Err(format!("it did not end within {} s", LONGEST.as_secs()));
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Ended { killed, success: output.status.success(), said })
}
