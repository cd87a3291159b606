//! The one writer and the queue before it: what came together is made durable together, and only
//! then answered.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kua::intake::Record;
use kua_archive::Receipt;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::keeping::{Committed, Keep, KeepError};
use super::limits::Limits;
use super::metrics::Metrics;
use super::reply::Refused;

/// How often the writer looks whether there is anything to do but records.
const TICK: Duration = Duration::from_millis(100);

/// How long after a failure the archive counts as not writable; then a client may try.
const SORE: Duration = Duration::from_secs(10);

/// What is told after each commit, on the writer's thread, before anybody is answered.
pub type OnCommit = Box<dyn FnMut(&[Committed]) + Send>;

/// A record on its way to the writer.
struct Waiting {
    record: Record,
    receipt: Receipt,
    answer: oneshot::Sender<Result<Committed, KeepError>>,
    /// The memory that it takes.
    _room: Option<OwnedSemaphorePermit>,
}

/// Takes records to the writer.
pub(super) struct Desk {
    queue: SyncSender<Waiting>,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
}

/// How the writer is.
#[derive(Default)]
pub(super) struct Health {
    failed: Mutex<Option<Instant>>,
    /// How many batches last, and since when the last one does.
    commits: Mutex<(u64, Option<Instant>)>,
    /// No more records come.
    closing: AtomicBool,
    ended: AtomicBool,
}

impl Health {
    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Relaxed)
    }

    pub(super) fn commits(&self) -> (u64, Option<Instant>) {
        *self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn committed(&self, lasts: bool) {
        let failed = (!lasts).then(Instant::now);
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
        if lasts {
            let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
            *commits = (commits.0 + 1, Some(Instant::now()));
        }
    }
}

impl Desk {
    pub(super) fn start<K: Keep>(
        keeper: K,
        limits: Limits,
        metrics: &Arc<Metrics>,
        on_commit: OnCommit,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (queue, waiting) = sync_channel(limits.waiting);
        let health = Arc::new(Health::default());
        let mut writer = Writer {
            keeper,
            limits,
            waiting,
            on_commit,
            health: Arc::clone(&health),
            metrics: Arc::clone(metrics),
        };
        let thread = std::thread::Builder::new().name("writer".into()).spawn(move || {
            let _ended = Ended(Arc::clone(&writer.health));
            writer.run();
        })?;
        Ok((Self { queue, health, metrics: Arc::clone(metrics) }, thread))
    }

    /// Gives the record to the writer, and comes back when it lasts.
    pub(super) async fn keep(
        &self,
        record: Record,
        receipt: Receipt,
        room: Option<OwnedSemaphorePermit>,
    ) -> Result<Committed, Refused> {
        if self.health.is_closing() {
            return Err(Refused::Failed);
        }
        let (answer, answered) = oneshot::channel();
        // Counted before the writer can take it out again.
        self.metrics.waiting.fetch_add(1, Relaxed);
        let sent = self.queue.try_send(Waiting { record, receipt, answer, _room: room });
        if let Err(error) = sent {
            self.metrics.waiting.fetch_sub(1, Relaxed);
            return Err(match error {
                TrySendError::Full(_) => Refused::Busy,
                TrySendError::Disconnected(_) => Refused::Failed,
            });
        }
        answered.await.map_err(|_| Refused::Failed)?.map_err(Refused::from)
    }

    /// Whether a record would be kept now, as far as is known.
    pub(super) fn is_ready(&self) -> bool {
        let failed = *self.health.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = self.health.is_closing() || self.health.ended.load(Relaxed);
        !closed && failed.is_none_or(|failed| failed.elapsed() > SORE)
    }

    pub(super) fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }

    /// What waits is still kept; then the writer's thread ends.
    pub(super) fn close(&self) {
        self.health.closing.store(true, Relaxed);
    }
}

/// Tells that the writer's thread has ended, however it did.
struct Ended(Arc<Health>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.ended.store(true, Relaxed);
    }
}

struct Writer<K> {
    keeper: K,
    limits: Limits,
    waiting: Receiver<Waiting>,
    on_commit: OnCommit,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
}

impl<K: Keep> Writer<K> {
    fn run(&mut self) {
        loop {
            match self.waiting.recv_timeout(TICK) {
                Ok(first) => self.keep(first),
                Err(RecvTimeoutError::Timeout) if self.health.is_closing() => return,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Keeps a record and those that come right after it, and answers all.
    fn keep(&mut self, first: Waiting) {
        let deadline = Instant::now() + self.limits.linger;
        let mut bytes = first.record.raw.len();
        let mut batch = vec![first];
        while batch.len() < self.limits.batch_records && bytes < self.limits.batch_bytes {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(next) = self.waiting.recv_timeout(left) else { break };
            bytes += next.record.raw.len();
            batch.push(next);
        }
        self.metrics.waiting.fetch_sub(batch.len() as u64, Relaxed);
        let begun = Instant::now();
        let kept = self.commit(&batch);
        self.metrics.committed(begun.elapsed());
        self.health.committed(kept.is_ok());
        match kept {
            Err(error) => {
                for waiting in batch {
                    // Who has gone away comes again.
                    let _ = waiting.answer.send(Err(error.clone()));
                }
            }
            Ok(each) => {
                let lasts: Vec<_> = each.iter().flatten().cloned().collect();
                (self.on_commit)(&lasts);
                for (waiting, kept) in batch.into_iter().zip(each) {
                    let _ = waiting.answer.send(kept);
                }
            }
        }
    }

    /// What became of each record; `Err` where nothing of the batch lasts.
    fn commit(
        &mut self,
        batch: &[Waiting],
    ) -> Result<Vec<Result<Committed, KeepError>>, KeepError> {
        let mut each = Vec::with_capacity(batch.len());
        for Waiting { record, receipt, .. } in batch {
            each.push(match self.keeper.keep(record, receipt) {
                Ok((kept, place)) => {
                    Ok(Committed { hash: record.hash, receipt: receipt.clone(), kept, place })
                }
                Err(KeepError::NotARecord) => Err(KeepError::NotARecord),
                Err(error) => return Err(error),
            });
        }
        self.keeper.commit()?;
        Ok(each)
    }
}
