//! A request's body in memory: within its length, its time, and what all bodies may take together.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use super::limits::Limits;
use super::metrics::Metrics;
use super::reply::Refused;

/// The memory that bodies share is counted in pieces of this many bytes.
const PIECE: usize = 1 << 10;

/// The memory that all bodies share.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<Semaphore>);

/// Bytes, and the part of the budget that they take until they are dropped.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / PIECE).min(Semaphore::MAX_PERMITS))))
    }

    pub(super) fn nothing(&self) -> Held {
        Held { bytes: Vec::new(), permit: None }
    }

    /// Bytes that are free.
    pub(super) fn free(&self) -> usize {
        self.0.available_permits() * PIECE
    }

    /// Adds to what is held; never waits.
    pub(super) fn add(&self, held: &mut Held, more: &[u8]) -> Result<(), Refused> {
        self.room(held, held.bytes.len() + more.len())?;
        held.bytes.extend_from_slice(more);
        Ok(())
    }

    /// Takes what `length` bytes will need: room grows by doubling, so twice what is there.
    fn room(&self, held: &mut Held, length: usize) -> Result<(), Refused> {
        let has = held.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let needs = (2 * length).div_ceil(PIECE);
        if needs > has {
            let more = u32::try_from(needs - has).map_err(|_| Refused::Busy)?;
            let more = Arc::clone(&self.0).try_acquire_many_owned(more);
            let more = more.map_err(|_| Refused::Busy)?;
            match &mut held.permit {
                Some(permit) => permit.merge(more),
                none => *none = Some(more),
            }
        }
        Ok(())
    }
}

impl Held {
    /// The part of the budget, to be kept for what was made of the bytes.
    pub(super) fn into_permit(self) -> Option<OwnedSemaphorePermit> {
        self.permit
    }
}

/// Reads the body, which is `length` bytes long if the client says so.
pub(super) async fn read(
    mut body: Body,
    length: Option<u64>,
    limits: &Limits,
    budget: &Budget,
    metrics: &Metrics,
) -> Result<Held, Refused> {
    let limit = limits.body;
    let mut held = budget.nothing();
    if let Some(length) = length {
        let length = usize::try_from(length).ok().filter(|length| *length <= limit);
        let length = length.ok_or(Refused::TooLong { limit })?;
        // Room is made as bytes come, not because somebody says that they will: but without any
        // room left, none needs to come.
        if budget.free() < length {
            return Err(Refused::Busy);
        }
    }
    let begun = Instant::now();
    loop {
        let allowed = limits.body_within.as_secs_f64()
            + held.bytes.len() as f64 / limits.slowest.max(1) as f64;
        let deadline = begun + std::time::Duration::from_secs_f64(allowed);
        let frame = match timeout_at(deadline.into(), body.frame()).await {
            Err(_) => return Err(Refused::Slow),
            Ok(None) => return Ok(held),
            Ok(Some(Err(_))) => return Err(Refused::Broken),
            Ok(Some(Ok(frame))) => frame,
        };
        // Trailers say nothing here.
        let Ok(data) = frame.into_data() else { continue };
        if held.bytes.len() + data.len() > limit {
            return Err(Refused::TooLong { limit });
        }
        metrics.received(data.len());
        budget.add(&mut held, &data)?;
    }
}
