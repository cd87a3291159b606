//! Sends what waits, as often as it takes.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use kua::submission::{Acknowledgement, KEY_HEADER, SIGNATURE_HEADER};
use kua::tlog::{Hash, VerifyingKey};
use serde_json::json;
use time::OffsetDateTime;

use super::answer::{self, Answer, Receipt};
use super::client::{ClientError, Collector};
use super::log::{self, Checked, LogError};
use super::pace::Pace;
use super::spool::{Spool, SpoolError, Submission};
use super::state::State;

/// OONI's new flow, which our own collector takes too.
const SUBMIT: &str = "api/v1/submit_measurement";

/// How many records in a row may fail before the collector is left alone for a while.
const MAX_FAILURES: usize = 3;

/// The fastest: certificates shrink little, whatever is done.
const ZSTD_LEVEL: i32 = 1;

/// How long the log is waited for after the last record: it grows once a second.
const LOG_PATIENCE: Duration = Duration::from_secs(5);

/// How often a wait looks at the clock: a machine that slept goes on at once.
const TICK: Duration = Duration::from_millis(500);

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long failures are waited out.
    pub limit: Duration,
    /// What tells the time; it may jump.
    pub clock: fn() -> OffsetDateTime,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Acknowledged now.
    pub sent: usize,
    /// Of these, the ones that the collector keeps without something that was in them, such as the
    /// sender's address.
    pub altered: usize,
    /// Never to be taken; they are set aside.
    pub refused: Vec<Refused>,
    /// Still to be sent.
    pub waiting: usize,
    /// Why some still wait.
    pub why: Option<String>,
    /// When the collector may be asked again, at the earliest.
    pub next: Option<Duration>,
    /// Somebody else is sending.
    pub busy: bool,
    /// Records that are proved to be in the collector's log.
    pub proved: usize,
    /// Receipts that are still to be checked in its log.
    pub unproved: usize,
    /// Why they could not be checked, or do not hold.
    pub log: Option<LogError>,
}

/// A record that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its file.
    pub name: String,
    /// In words.
    pub why: String,
}

/// Sends what waits in `spool`, then checks the receipts. `key` is the collector's, where it is known
/// beforehand. `say` hears of waits.
///
/// # Errors
/// A spool that cannot be read or written; what was sent until then is no more in it.
pub fn send(
    spool: &Spool,
    collector: &Collector,
    key: Option<&VerifyingKey>,
    patience: Patience,
    say: &mut dyn FnMut(&str),
) -> Result<Outcome, SpoolError> {
    let mut outcome = Outcome::default();
    let Some(_lock) = spool.lock()? else {
        outcome.busy = true;
        outcome.waiting = spool.waiting()?.len();
        return Ok(outcome);
    };
    let mut state = spool.state()?;
    if let Some(key) = key.map(ToString::to_string).filter(|key| state.key.as_ref() != Some(key)) {
        state.key = Some(key);
        state.checkpoint = None;
        spool.save(&state)?;
    }
    outcome.waiting = spool.waiting()?.len();
    if outcome.waiting == 0 && spool.receipts()?.is_empty() {
        return Ok(outcome);
    }
    let started = Instant::now();
    let mut is_new_run = true;
    loop {
        let (pace, clock) = (state.pace.clone(), patience.clock);
        let remaining = || match is_new_run {
            true => pace.remaining_for_a_new_run(clock()),
            false => pace.remaining(clock()),
        };
        if !waited(&remaining, started, patience.limit) {
            outcome.next = Some(remaining());
            outcome.why.get_or_insert("the collector asked to be left alone for a while".into());
            break;
        }
        is_new_run = false;
        let mut round = Round { spool, collector, state: &mut state, clock };
        outcome.why = round.run(&mut outcome)?;
        let Some(why) = &outcome.why else { break };
        let wait = state.pace.remaining(clock());
        say(&format!("{why}; next attempt in {}", in_words(wait)));
    }
    outcome.waiting = spool.waiting()?.len();
    check_log(spool, collector, &mut state, patience.limit, &mut outcome);
    Ok(outcome)
}

/// Waits until nothing remains to be waited for; `false` if that would be beyond `limit`.
fn waited(remaining: &dyn Fn() -> Duration, started: Instant, limit: Duration) -> bool {
    loop {
        let wait = remaining();
        if wait.is_zero() {
            return true;
        }
        if started.elapsed() + wait > limit {
            return false;
        }
        thread::sleep(wait.min(TICK));
    }
}

fn in_words(wait: Duration) -> String {
    match wait.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

fn check_log(
    spool: &Spool,
    collector: &Collector,
    state: &mut State,
    limit: Duration,
    outcome: &mut Outcome,
) {
    let key: Option<VerifyingKey> = state.key.as_ref().and_then(|key| key.parse().ok());
    let Some(key) = key else { return };
    let started = Instant::now();
    loop {
        match log::check(spool, collector, &key, state) {
            Ok(Checked { proved, open }) => {
                outcome.proved += proved;
                outcome.unproved = open;
            }
            Err(error) => {
                outcome.unproved = spool.receipts().map_or(0, |receipts| receipts.len());
                outcome.log = Some(error);
                return;
            }
        }
        if outcome.unproved == 0 || started.elapsed() >= LOG_PATIENCE.min(limit) {
            return;
        }
        thread::sleep(TICK);
    }
}

/// Every record that waits is tried once.
struct Round<'a> {
    spool: &'a Spool,
    collector: &'a Collector,
    state: &'a mut State,
    clock: fn() -> OffsetDateTime,
}

/// Why one record stays.
struct Stays {
    why: String,
    /// Whether it is of no use to try others.
    all: bool,
    wait: Option<Duration>,
}

impl Round<'_> {
    /// Says why something still waits.
    fn run(&mut self, outcome: &mut Outcome) -> Result<Option<String>, SpoolError> {
        let mut names = self.spool.waiting()?;
        if let Some(after) = &self.state.after {
            let first = names.partition_point(|name| name <= after);
            names.rotate_left(first);
        }
        let (mut failures, mut failed) = (0, None);
        for name in names {
            let Some(submission) = self.spool.read(&name)? else {
                self.spool.set_aside_damaged(&name)?;
                outcome.refused.push(Refused { name, why: "its file is damaged".into() });
                continue;
            };
            match self.send(&submission) {
                Ok(Sent::Kept { receipt }) => {
                    if let Some((kept, note)) = receipt {
                        outcome.altered += usize::from(kept.kept != kept.submitted);
                        self.spool.keep_receipt(&kept.submitted, &note)?;
                    }
                    self.spool.remove(&name)?;
                    outcome.sent += 1;
                    failures = 0;
                }
                Ok(Sent::Never { why }) => {
                    self.spool.set_aside(&name, submission, &why)?;
                    outcome.refused.push(Refused { name, why });
                    failures = 0;
                }
                Err(SendError::Spool(error)) => return Err(error),
                Err(SendError::Stays(stays)) => {
                    failures += 1;
                    self.state.after = Some(name);
                    let ends = stays.all || failures == MAX_FAILURES;
                    failed = Some(stays);
                    if ends {
                        break;
                    }
                }
            }
        }
        self.state.pace = match &failed {
            Some(stays) => self.state.pace.failed((self.clock)(), stays.wait, chance()),
            None => Pace::default(),
        };
        self.spool.save(self.state)?;
        Ok(failed.map(|stays| stays.why))
    }

    fn send(&mut self, submission: &Submission) -> Result<Sent, SendError> {
        let mut compress = !self.state.uncompressed;
        loop {
            let answer = self.post(submission, compress)?;
            match answer {
                Answer::Uncompressed => compress = false,
                Answer::Taken { receipt, .. } => {
                    self.state.uncompressed |= !compress;
                    let hash = submission.hash();
                    return Ok(Sent::Kept { receipt: self.verified(receipt, &hash)? });
                }
                Answer::Never { why } => return Ok(Sent::Never { why }),
                Answer::Later { why, all, wait } => return Err(Stays { why, all, wait }.into()),
            }
        }
    }

    fn post(&self, submission: &Submission, compress: bool) -> Result<Answer, SendError> {
        let body = json!({
            "format": "json",
            "content": submission.record,
            "nym": null,
            "zkp_request": null,
            "manifest_version": null,
            "protocol_version": null,
        });
        let body = body.to_string().into_bytes();
        let compressed = compress.then(|| zstd::bulk::compress(&body, ZSTD_LEVEL).ok()).flatten();
        let encoding = compressed.as_ref().map(|_| "zstd");
        let headers = [
            (KEY_HEADER, submission.key.as_str()),
            (SIGNATURE_HEADER, submission.signature.as_str()),
        ];
        let sent = compressed.as_deref().unwrap_or(&body);
        let reply = self
            .collector
            .post(SUBMIT, sent, encoding, &headers)
            .map_err(|error| unanswered(&error))?;
        let after = reply.retry_after.as_deref();
        let now = (self.clock)();
        Ok(answer::read(reply.status, after, &reply.body, encoding.is_some(), now))
    }

    /// What the receipt says, and its note, if there is one and it is what it has to be. The first key that is seen is the
    /// collector's from then on.
    fn verified(
        &mut self,
        receipt: Option<Receipt>,
        hash: &Hash,
    ) -> Result<Option<(Acknowledgement, String)>, SendError> {
        let unsigned = |why: &str| Stays { why: why.to_owned(), all: true, wait: None };
        let Some(receipt) = receipt else {
            return match self.state.key {
                None => Ok(None),
                Some(_) => Err(unsigned("its answer has no receipt, as it had before").into()),
            };
        };
        let known = self.state.key.as_ref().unwrap_or(&receipt.key);
        let key: Result<VerifyingKey, _> = known.parse();
        let key = key.map_err(|_| unsigned("the collector's key cannot be read"))?;
        let kept = Acknowledgement::open(receipt.receipt.as_bytes(), &key)
            .map_err(|error| unsigned(&format!("its receipt does not count: {error}")))?;
        if kept.submitted != *hash {
            return Err(unsigned("its receipt is of another record").into());
        }
        if self.state.key.is_none() {
            self.state.key = Some(key.to_string());
            self.spool.save(self.state).map_err(SendError::Spool)?;
        }
        Ok(Some((kept, receipt.receipt)))
    }
}

enum Sent {
    Kept { receipt: Option<(Acknowledgement, String)> },
    Never { why: String },
}

enum SendError {
    Spool(SpoolError),
    Stays(Stays),
}

impl From<Stays> for SendError {
    fn from(stays: Stays) -> Self {
        Self::Stays(stays)
    }
}

fn unanswered(error: &ClientError) -> SendError {
    let mut why = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        why.push_str(&format!(": {error}"));
        cause = error.source();
    }
    SendError::Stays(Stays { why, all: true, wait: None })
}

/// Between 0 and 1.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without random numbers, every probe waits as long: no reason to fail.
    rand::fill(&mut bytes).ok();
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
