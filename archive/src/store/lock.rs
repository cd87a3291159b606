//! One writer: a lock on a file, or a lease in an object that is renewed while its holder works.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use object_store::PutMode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::bucket::{Bucket, Version};
use super::directory::{Directory, make_directory};
use crate::{ArchiveError, Place};

const LOCK: &str = "lock";

/// How long a lease lasts without being renewed.
const LEASE: Duration = Duration::from_secs(60);

/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(15);

/// How far the clocks of two machines may differ.
const SKEW: Duration = Duration::from_secs(30);

/// Held by the one writer; dropping it lets the next one write.
#[derive(Debug)]
pub(crate) enum Lock {
    File { _file: File },
    Lease(Lease),
}

impl Lock {
    pub(super) fn of_directory(
        directory: &Directory,
        place: &Place,
        name: &str,
    ) -> Result<Self, ArchiveError> {
        make_directory(directory.path())?;
        let path = directory.path().join(LOCK);
        let fails = |doing| ArchiveError::io(doing, path.display());
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let mut file = file.map_err(fails("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).ok().map(|name| name.trim().to_owned());
                let holder = holder.filter(|name| !name.is_empty());
                return Err(ArchiveError::Busy { place: place.to_string(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(fails("lock")(error)),
        }
        // A disk that is full must not keep anybody from reading why: the name is a courtesy.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{name}"));
        Ok(Self::File { _file: file })
    }

    pub(super) fn of_bucket(
        bucket: &Bucket,
        place: &Place,
        name: &str,
    ) -> Result<Self, ArchiveError> {
        Lease::take(bucket, place, name).map(Self::Lease)
    }

    /// Whether it is still held. A lock on a file ends with its process only.
    pub(crate) fn check(&self, place: &Place) -> Result<(), ArchiveError> {
        match self {
            Self::File { .. } => Ok(()),
            Self::Lease(lease) if now() < lease.until.load(Ordering::Acquire) => Ok(()),
            Self::Lease(_) => Err(ArchiveError::LeaseLost { place: place.to_string() }),
        }
    }
}

/// What the object says.
#[derive(Serialize, Deserialize)]
struct Claim {
    holder: String,
    /// Unix seconds.
    until: i64,
}

#[derive(Debug)]
pub(crate) struct Lease {
    /// Unix seconds; in the past once it is lost.
    until: Arc<AtomicI64>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lease {
    fn take(bucket: &Bucket, place: &Place, name: &str) -> Result<Self, ArchiveError> {
        let mode = match bucket.read_version(LOCK) {
            Ok((text, version)) => {
                let claim = serde_json::from_slice::<Claim>(&text).ok();
                let skew = SKEW.as_secs().cast_signed();
                if let Some(claim) = claim.filter(|claim| claim.until + skew > now()) {
                    let holder = Some(claim.holder);
                    return Err(ArchiveError::Busy { place: place.to_string(), holder });
                }
                PutMode::Update(version)
            }
            Err(ArchiveError::Missing { .. }) => PutMode::Create,
            Err(error) => return Err(error),
        };
        let (until, version) = match write(bucket, name, LEASE, mode) {
            Ok(written) => written,
            // Another was faster.
            Err(ArchiveError::AlreadyThere { .. }) => {
                return Err(ArchiveError::Busy { place: place.to_string(), holder: None });
            }
            Err(error) => return Err(error),
        };
        let until = Arc::new(AtomicI64::new(until));
        let (stop, stopped) = mpsc::channel();
        let renewing = Renewing {
            bucket: bucket.clone(),
            name: name.into(),
            until: until.clone(),
            version,
            stopped,
        };
        let thread = std::thread::Builder::new().name("lease".into());
        let thread = thread.spawn(move || renewing.run());
        let thread = Some(thread.map_err(ArchiveError::io("lock", place))?);
        Ok(Self { until, stop: Some(stop), thread })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It never panics; and there is nobody to tell.
            let _ = thread.join();
        }
    }
}

struct Renewing {
    bucket: Bucket,
    name: String,
    until: Arc<AtomicI64>,
    version: Version,
    stopped: mpsc::Receiver<()>,
}

impl Renewing {
    fn run(mut self) {
        while let Err(mpsc::RecvTimeoutError::Timeout) = self.stopped.recv_timeout(RENEWAL) {
            let mode = PutMode::Update(self.version.clone());
            match write(&self.bucket, &self.name, LEASE, mode) {
                Ok((until, version)) => {
                    self.version = version;
                    self.until.store(until, Ordering::Release);
                }
                Err(ArchiveError::AlreadyThere { .. } | ArchiveError::Missing { .. }) => {
                    self.until.store(0, Ordering::Release);
                    return;
                }
                // The store may answer again before the lease ends.
                Err(_) => {}
            }
        }
        // Over at once, so that the next writer need not wait; otherwise it ends by itself.
        let mode = PutMode::Update(self.version.clone());
        let over = Duration::ZERO;
        let _ = write(&self.bucket, &self.name, over, mode);
    }
}

fn write(
    bucket: &Bucket,
    name: &str,
    lasting: Duration,
    mode: PutMode,
) -> Result<(i64, Version), ArchiveError> {
    let until = if lasting.is_zero() { 0 } else { now() + lasting.as_secs().cast_signed() };
    let claim = Claim { holder: name.into(), until };
    // A text and a number always serialise.
    let text = serde_json::to_vec(&claim).unwrap_or_default();
    let version = bucket.put_as(LOCK, Bytes::from(text), mode)?;
    Ok((until, version))
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}
