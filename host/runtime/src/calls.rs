//! The calls of one version of a plugin: how many run, and how they are ended when
//! another version has taken its place.

use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_core::invocation::FailureCode;
use tokio_util::sync::CancellationToken;

use crate::outcome::Outcome;

/// What the calls of a version have in common.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    running: AtomicUsize,
    ended: CancellationToken,
}

impl Calls {
    /// Counts a call in until what is returned is dropped.
    pub(crate) fn begin(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::SeqCst);
        Running(self)
    }

    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }

    /// Ends every call, also those that begin later.
    pub(crate) fn end(&self) {
        self.ended.cancel();
    }

    /// Runs a call unless, and until, all are ended.
    pub(crate) async fn run<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        self.ended.run_until_cancelled(call).await
    }
}

/// A call that runs.
pub(crate) struct Running<'a>(&'a Calls);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The outcome of a call that was ended because its version serves no longer.
pub(crate) fn ended() -> Outcome {
    Outcome::stopped(
        FailureCode::DeadlineExceeded,
        "another version of the plugin has taken over, and the call did not end within \
         plugins.drain_seconds; whether the upstream acted is unknown",
    )
}

#[cfg(test)]
mod tests {
    use futures_util::future::poll_immediate;

    use super::*;

    #[test]
    fn calls_are_counted_while_they_run() {
        let calls = Calls::default();
        let first = calls.begin();
        let second = calls.begin();
        assert_eq!(calls.running(), 2);
        drop(first);
        drop(second);
        assert_eq!(calls.running(), 0);
    }

    #[tokio::test]
    async fn what_is_ended_runs_no_longer() {
        let calls = Calls::default();
        assert_eq!(calls.run(async { 1 }).await, Some(1));
        let mut waiting = std::pin::pin!(calls.run(std::future::pending::<()>()));
        assert_eq!(poll_immediate(waiting.as_mut()).await, None);
        calls.end();
        assert_eq!(waiting.await, None);
        assert_eq!(calls.run(std::future::pending::<()>()).await, None);
    }
}
