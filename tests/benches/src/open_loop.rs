//! An open loop: calls are sent at fixed times, whether earlier ones have been
//! answered or not, and count from the time at which they should have been sent. So
//! a server that stalls is charged for everybody who had to wait.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// A call that has ended.
#[derive(Debug)]
pub struct Sent<T> {
    /// From the moment at which it was due to its end.
    pub took: Duration,
    /// What came of it.
    pub outcome: T,
}

/// Makes `count` calls, `rate` of them a second, and waits for the last to end.
pub async fn run<T, F>(
    rate: u32,
    count: u64,
    call: impl Fn() -> F + Send + 'static,
) -> anyhow::Result<Vec<Sent<T>>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let interval = Duration::from_secs(1) / rate;
    let runtime = Handle::current();
    // A thread and not a task: tokio's timer knows milliseconds only.
    let sender = thread::spawn(move || {
        let mut sent = JoinSet::new();
        let mut due = Instant::now();
        for _ in 0..count {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            sent.spawn_on(ended(due, call()), &runtime);
            due += interval;
        }
        sent
    });
    let sender = tokio::task::spawn_blocking(move || sender.join());
    let sent = sender.await?.ok().context("the sender panicked")?;
    Ok(sent.join_all().await)
}

async fn ended<T>(due: Instant, call: impl Future<Output = T>) -> Sent<T> {
    let outcome = call.await;
    Sent {
        took: due.elapsed(),
        outcome,
    }
}
