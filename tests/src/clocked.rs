//! A database whose clock is the tests', and that tells who comes to write.

use std::sync::Arc;

use async_trait::async_trait;
use portcullis_core::id::InvocationId;
use portcullis_core::time::Timestamp;
use portcullis_storage::{AuditEntry, BoxUnitOfWork, Completion, Error, Hint, Noted, Storage};
use tokio::sync::{broadcast, watch};

use crate::clock::ManualClock;

/// Counts units of work that are asked for, so that a test knows that somebody has
/// come so far.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(watch::Sender<u64>);

impl Arrivals {
    pub(crate) fn count(&self) -> u64 {
        *self.0.borrow()
    }

    /// Returns when so many have come.
    pub(crate) async fn wait_for(&self, count: u64) {
        let mut arrivals = self.0.subscribe();
        let arrived = arrivals.wait_for(|arrived| *arrived >= count).await;
        arrived.map(drop).expect("the counter is there");
    }
}

/// A real database in everything but the time, and maybe hints.
pub(crate) struct ClockedStorage {
    pub(crate) inner: Arc<dyn Storage>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) arrivals: Arc<Arrivals>,
    /// Whether nobody hears a hint.
    pub(crate) hints_are_lost: bool,
}

#[async_trait]
impl Storage for ClockedStorage {
    async fn write(&self) -> Result<BoxUnitOfWork, Error> {
        self.arrivals.0.send_modify(|count| *count += 1);
        self.inner.write().await
    }

    async fn read(&self) -> Result<BoxUnitOfWork, Error> {
        self.inner.read().await
    }

    async fn finish(
        &self,
        id: InvocationId,
        node: &str,
        completion: &Completion,
        entry: &AuditEntry,
    ) -> Result<bool, Error> {
        self.inner.finish(id, node, completion, entry).await
    }

    async fn ping(&self) -> Result<(), Error> {
        self.inner.ping().await
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn is_exclusive(&self) -> bool {
        self.inner.is_exclusive()
    }

    async fn time(&self) -> Result<Option<Timestamp>, Error> {
        let theirs = self.inner.time().await?;
        Ok(theirs.map(|_| self.clock.database_now()))
    }

    async fn hint(&self, hints: &[Hint]) -> Result<(), Error> {
        if self.hints_are_lost {
            return Ok(());
        }
        self.inner.hint(hints).await
    }

    fn hints(&self) -> broadcast::Receiver<Noted> {
        self.inner.hints()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
