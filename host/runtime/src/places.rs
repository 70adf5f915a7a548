//! The places in which calls run: bounded, with a bounded wait for one and a bounded
//! number of those who wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

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
    /// Calls that were turned away at once, since the start: too many waited already.
    pub queue_overflows: u64,
}

/// Who waits, and who did so in vain, over any number of [`Places`].
#[derive(Debug, Default)]
pub(crate) struct QueueCounts {
    waiting: AtomicUsize,
    timeouts: AtomicU64,
    overflows: AtomicU64,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// None became free in time.
    TimedOut,
    /// As many wait already as may.
    QueueFull,
}

/// One permit for each call that may run, and who waits for one.
#[derive(Debug)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    all: u32,
    /// How many may wait.
    queue: u32,
    waiting: AtomicUsize,
    counts: Arc<QueueCounts>,
}

impl Places {
    pub(crate) fn new(all: u32, queue: u32, counts: Arc<QueueCounts>) -> Self {
        Self {
            free: Arc::new(Semaphore::new(all as usize)),
            all,
            queue,
            waiting: AtomicUsize::new(0),
            counts,
        }
    }

    /// How many calls may run.
    pub(crate) const fn all(&self) -> u32 {
        self.all
    }

    /// Waits for a place until then, unless too many wait already; dropping the
    /// permit gives it back. First come, first served.
    pub(crate) async fn take(&self, until: Instant) -> Result<OwnedSemaphorePermit, NoPlace> {
        if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(permit);
        }
        let Some(waiting) = Waiting::begin(self) else {
            self.counts.overflows.fetch_add(1, Ordering::Relaxed);
            return Err(NoPlace::QueueFull);
        };
        let taken = timeout_at(until, Arc::clone(&self.free).acquire_owned()).await;
        drop(waiting);
        // The semaphore is never closed.
        taken.ok().and_then(Result::ok).ok_or_else(|| {
            self.counts.timeouts.fetch_add(1, Ordering::Relaxed);
            NoPlace::TimedOut
        })
    }

    pub(crate) fn load(&self) -> SandboxLoad {
        let all = self.all as usize;
        SandboxLoad {
            places: all,
            in_use: all.saturating_sub(self.free.available_permits()),
            waiting: self.counts.waiting.load(Ordering::Relaxed),
            queue_timeouts: self.counts.timeouts.load(Ordering::Relaxed),
            queue_overflows: self.counts.overflows.load(Ordering::Relaxed),
        }
    }
}

/// Counts somebody who waits, until it is dropped: also when the wait is given
/// up half-way.
struct Waiting<'a>(&'a Places);

impl<'a> Waiting<'a> {
    /// `None` where as many wait already as may.
    fn begin(places: &'a Places) -> Option<Self> {
        let before = places.waiting.fetch_add(1, Ordering::Relaxed);
        places.counts.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Self(places);
        (before < places.queue as usize).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.counts.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
