//! Open and closed loops.
//!
//! A **closed** loop sends the next call when the last one has been answered, and
//! shows how many there can be; what an open one is, says [`open_loop`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use portcullis_benches::latency::Latencies;
use portcullis_benches::open_loop;
use portcullis_benches::wire::{Connection, Pool};
use tokio::task::JoinSet;

use crate::target::Target;

/// Which loop.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Load {
    /// So many calls a second.
    Open(u32),
    /// So many connections.
    Closed(usize),
}

/// What came of a loop.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// Of the calls that succeeded.
    pub(crate) latencies: Latencies,
    /// Calls that did not.
    pub(crate) errors: u64,
    /// From the first call to the last answer.
    pub(crate) elapsed: Duration,
    /// CPU time of the gateway meanwhile.
    pub(crate) cpu_time: Duration,
}

impl Measured {
    pub(crate) fn calls(&self) -> u64 {
        self.latencies.count() + self.errors
    }

    fn count(&mut self, started: Instant, outcome: anyhow::Result<()>) {
        match outcome {
            Ok(()) => self.latencies.record(started.elapsed()),
            Err(error) => self.count_error(&error),
        }
    }

    /// One error is told; the others are alike.
    fn count_error(&mut self, error: &anyhow::Error) {
        if self.errors == 0 {
            eprintln!("a call failed: {error:#}");
        }
        self.errors += 1;
    }

    fn merge(&mut self, other: &Self) {
        self.latencies.merge(&other.latencies);
        self.errors += other.errors;
    }
}

/// Sends `rate` calls a second.
pub(crate) async fn open(
    target: &Arc<Target>,
    rate: u32,
    length: Duration,
) -> anyhow::Result<Measured> {
    let started = Instant::now();
    let pool = Arc::new(Pool::new(target.address));
    let target = Arc::clone(target);
    let call = move || {
        let (target, pool) = (Arc::clone(&target), Arc::clone(&pool));
        async move { target.call_over(&pool).await }
    };
    let sent = open_loop::run(rate, u64::from(rate) * length.as_secs(), call).await?;
    let mut measured = Measured::default();
    for call in sent {
        match call.outcome {
            Ok(()) => measured.latencies.record(call.took),
            Err(error) => measured.count_error(&error),
        }
    }
    measured.elapsed = started.elapsed();
    Ok(measured)
}

/// Sends over `connections` connections for a while.
pub(crate) async fn closed(
    target: &Arc<Target>,
    connections: usize,
    length: Duration,
) -> anyhow::Result<Measured> {
    let end = Instant::now() + length;
    each(target, connections, move || Instant::now() < end).await
}

/// Sends so many calls over `connections` connections.
pub(crate) async fn exactly(
    target: &Arc<Target>,
    connections: usize,
    calls: u64,
) -> anyhow::Result<Measured> {
    let left = Arc::new(AtomicU64::new(calls));
    let take = move || {
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        });
        taken.is_ok()
    };
    each(target, connections, take).await
}

/// Each connection sends for as long as `more` says so.
async fn each(
    target: &Arc<Target>,
    connections: usize,
    more: impl Fn() -> bool + Clone + Send + 'static,
) -> anyhow::Result<Measured> {
    let started = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..connections {
        let mut connection = Connection::open(target.address).await?;
        let (target, more) = (Arc::clone(target), more.clone());
        senders.spawn(async move {
            let mut measured = Measured::default();
            while more() {
                let started = Instant::now();
                let outcome = target.call(&mut connection).await;
                measured.count(started, outcome);
            }
            measured
        });
    }
    let mut all = Measured::default();
    while let Some(measured) = senders.join_next().await {
        all.merge(&measured?);
    }
    all.elapsed = started.elapsed();
    Ok(all)
}
