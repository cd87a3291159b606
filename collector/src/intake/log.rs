//! Keeps the transparency log close behind the archive, on a thread of its own, and answers for it.

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kua::submission::Acknowledgement;
use kua::tlog::{Entry, SigningKey, VerifyingKey};
use kua_archive::log::{Log, LogError, LogKey, entry};
use kua_archive::{Kept, Receipt, Store};
use time::OffsetDateTime;

use super::keeping::Committed;

/// How often the log is signed while records come.
const PACE: Duration = Duration::from_secs(1);

/// How often the thread looks whether it is to end.
const TICK: Duration = Duration::from_millis(50);

/// How long after a failure of the disk it is tried again.
const SORE: Duration = Duration::from_secs(30);

/// How many entries wait in memory at most; what is beyond is read from the archive again.
const MAX_WAITING: usize = 100_000;

/// Where the log's key is, and what the log is called where there is no key yet.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// The key's file.
    pub key: PathBuf,
    /// The log's name.
    pub name: String,
}

/// The log beside a running intake.
#[derive(Debug)]
pub struct Ledger {
    store: Store,
    key: SigningKey,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Commits that the log does not have: the place of the first new record, and the entries.
    waiting: Mutex<Vec<(u64, Vec<Entry>)>>,
    ending: AtomicBool,
    /// It does not grow any more.
    stopped: AtomicBool,
    /// How many entries it has signed.
    size: AtomicU64,
}

impl Ledger {
    /// Opens the log of an archive whose one writer the caller has, and that holds `kept` records for
    /// good. What the log does not have yet is taken in while records may come already.
    ///
    /// # Errors
    /// A [`LogError`]: then nothing may be signed, and nothing should be served.
    pub fn start(
        store: &Store,
        options: LogOptions,
        kept: u64,
        say: impl Fn(&str) + Send + 'static,
    ) -> Result<Self, LogError> {
        let mut log = Log::open(store, LogKey::open(&options.key, &options.name)?)?;
        // A short way is gone before anybody is served: what does not fit is known at once.
        if kept.saturating_sub(log.size()) < 10_000 || kept < log.size() {
            log.catch_up(kept)?;
        }
        let key = LogKey::open(&options.key, &options.name)?.into_signing();
        let shared = Arc::<Shared>::default();
        shared.size.store(log.size(), Relaxed);
        let (seen, store_of_thread) = (Arc::clone(&shared), store.clone());
        let follow = move || {
            let open = || Log::open(&store_of_thread, LogKey::open(&options.key, &options.name)?);
            follow(&seen, Some(log), kept, open, &say);
        };
        let thread = std::thread::Builder::new().name("log".into()).spawn(follow);
        let thread = thread.map_err(|source| LogError::Key { path: "the log".into(), source })?;
        let thread = Mutex::new(Some(thread));
        Ok(Self { store: store.clone(), key, shared, thread })
    }

    /// The key that the log is known by.
    pub fn key(&self) -> &VerifyingKey {
        self.key.public()
    }

    /// Hears of records that last, before they are answered.
    pub fn committed(&self, lasts: &[Committed]) {
        let new = lasts.iter().filter(|record| record.kept == Kept::New);
        let entries: Vec<_> =
            new.clone().map(|record| of(record.hash.as_bytes(), &record.receipt)).collect();
        let Some(first) = new.map(|record| record.place).min() else { return };
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.iter().map(|(_, entries)| entries.len()).sum::<usize>() > MAX_WAITING {
            waiting.clear();
        }
        waiting.push((first, entries));
    }

    /// The signed word for whoever handed a record in, as `submitted`.
    pub fn receipt(&self, submitted: [u8; 32], committed: &Committed) -> String {
        let receipt = of(committed.hash.as_bytes(), &committed.receipt).receipt;
        let acknowledgement = Acknowledgement {
            log: self.key().name().to_owned(),
            submitted,
            kept: *committed.hash.as_bytes(),
            uid: committed.receipt.uid.clone().unwrap_or_default(),
            received: committed.receipt.t.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            // Of a record that came before, the receipt that it came with then is the one that counts.
            receipt: receipt.filter(|_| committed.kept == Kept::New),
            index: committed.place,
        };
        acknowledgement.sign(&self.key).to_string()
    }

    /// What lies at `path` below `/log/`, with its type; nothing where nothing does.
    pub(super) fn file(&self, path: &str) -> Result<Option<(&'static str, Vec<u8>)>, LogError> {
        const TEXT: &str = "text/plain; charset=utf-8";
        if path == "key" {
            return Ok(Some((TEXT, format!("{}\n", self.key()).into_bytes())));
        }
        if let Some(index) = path.strip_prefix("proof/") {
            let Some(index) = index.parse().ok() else { return Ok(None) };
            let proof = kua_archive::log::proof(&self.store, index, self.key())?;
            return Ok(proof.map(|proof| (TEXT, proof.to_string().into_bytes())));
        }
        let kind = if path == "checkpoint" { TEXT } else { "application/octet-stream" };
        let bytes = kua_archive::log::read(&self.store, path)?;
        Ok(bytes.map(|bytes| (kind, bytes.to_vec())))
    }

    /// Takes in and signs what waits; then it grows no more.
    pub fn end(&self) {
        self.shared.ending.store(true, Relaxed);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }

    /// Prometheus' text format.
    pub(super) fn metrics(&self) -> String {
        let (size, stopped) = (self.shared.size.load(Relaxed), self.shared.stopped.load(Relaxed));
        format!(
            "# HELP kua_log_entries Entries that the log has signed\n# TYPE kua_log_entries gauge\n\
             kua_log_entries {size}\n\
             # HELP kua_log_stopped Whether the log does not grow any more\n# TYPE kua_log_stopped gauge\n\
             kua_log_stopped {}\n",
            u8::from(stopped)
        )
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.end();
    }
}

fn of(hash: &[u8; 32], receipt: &Receipt) -> Entry {
    entry((*hash).into(), Some(receipt.text().as_bytes()))
}

/// The thread. `kept` is how far the archive lasts.
fn follow(
    shared: &Shared,
    mut log: Option<Log>,
    mut kept: u64,
    open: impl Fn() -> Result<Log, LogError>,
    say: &impl Fn(&str),
) {
    let mut next = Instant::now();
    loop {
        let ending = shared.ending.load(Relaxed);
        if Instant::now() < next && !ending {
            std::thread::sleep(TICK);
            continue;
        }
        let commits =
            std::mem::take(&mut *shared.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let ends = commits.iter().map(|(first, entries)| first + entries.len() as u64);
        kept = ends.max().unwrap_or(kept).max(kept);
        next = Instant::now() + PACE;
        match advance(log.take(), &commits, kept, &open) {
            Ok(grown) => {
                shared.size.store(grown.size(), Relaxed);
                log = Some(grown);
            }
            Err(error) => {
                let mut text = error.to_string();
                let mut cause = error.source();
                while let Some(error) = cause {
                    text.push_str(&format!(": {error}"));
                    cause = error.source();
                }
                if !matches!(error, LogError::Archive(_) | LogError::Key { .. }) {
                    shared.stopped.store(true, Relaxed);
                    say(&format!(
                        "error: THE LOG DOES NOT GROW ANY MORE: {text}; records are still kept. \
                         `kua-collector check` says more"
                    ));
                    return;
                }
                say(&format!("warning: the log is behind: {text}"));
                next = Instant::now() + SORE;
            }
        }
        if ending {
            return;
        }
    }
}

/// The log with all that lasts. After a failure it is opened anew, and the archive asked for what is missing.
fn advance(
    log: Option<Log>,
    commits: &[(u64, Vec<Entry>)],
    kept: u64,
    open: &impl Fn() -> Result<Log, LogError>,
) -> Result<Log, LogError> {
    let mut log = log.map_or_else(open, Ok)?;
    let first = commits.first().map_or(kept, |(first, _)| *first);
    if log.size() < first {
        log.catch_up(first)?;
    }
    log.append(commits)?;
    log.catch_up(kept)?;
    Ok(log)
}
