//! How many bytes may be on their way from the reader to the writer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Most bytes, unless one block alone is longer.
const MOST: usize = 64 << 20;

/// The bytes on their way.
#[derive(Debug, Default)]
pub(super) struct Room {
    taken: Mutex<Taken>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Taken {
    bytes: usize,
    closed: bool,
}

impl Room {
    /// Waits until there is room for `bytes`; `false` where nobody wants them any more.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let full = |taken: &mut Taken| {
            !taken.closed && taken.bytes > 0 && taken.bytes.saturating_add(bytes) > MOST
        };
        let taken = self.changed.wait_while(self.lock(), full);
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        taken.bytes += bytes;
        !taken.closed
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.lock().bytes -= bytes;
        self.changed.notify_all();
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
