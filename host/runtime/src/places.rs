//! The places in which calls run: bounded, with a bounded wait for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How busy a sandbox is at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SandboxLoad {
    /// Calls that may run at the same time.
    pub places: usize,
    /// Calls that run.
    pub in_use: usize,
    /// Calls that wait for a place.
    pub waiting: usize,
    /// Calls that found no place in time, since the start.
    pub queue_timeouts: u64,
}

/// One permit for each call that may run, and who waits for one.
#[derive(Debug)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    all: usize,
    waiting: AtomicUsize,
    timeouts: AtomicU64,
}

impl Places {
    pub(crate) fn new(all: u32) -> Self {
        let all = all as usize;
        Self {
            free: Arc::new(Semaphore::new(all)),
            all,
            waiting: AtomicUsize::new(0),
            timeouts: AtomicU64::new(0),
        }
    }

    /// Waits a bounded time for a place; dropping the permit gives it back.
    pub(crate) async fn take(&self, patience: Duration) -> Option<OwnedSemaphorePermit> {
        let waiting = Waiting::begin(&self.waiting);
        let taken = timeout(patience, Arc::clone(&self.free).acquire_owned()).await;
        drop(waiting);
        if taken.is_err() {
            self.timeouts.fetch_add(1, Ordering::Relaxed);
        }
        taken.ok()?.ok()
    }

    pub(crate) fn load(&self) -> SandboxLoad {
        SandboxLoad {
            places: self.all,
            in_use: self.all.saturating_sub(self.free.available_permits()),
            waiting: self.waiting.load(Ordering::Relaxed),
            queue_timeouts: self.timeouts.load(Ordering::Relaxed),
        }
    }
}

/// Counts somebody who waits, until it is dropped: also when the wait is given
/// up half-way.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
