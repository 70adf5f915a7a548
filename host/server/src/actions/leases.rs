//! Leases: how gateways on one database tell who still works.
//!
//! What executes is leased to its gateway, which renews the lease again and
//! again. A gateway that died renews nothing, so after the lease another one says
//! what is true: the outcome is unknown. Nobody ends what a gateway executes that
//! lives and reaches the database, and nobody repeats anything.
//!
//! A living gateway renews what it executes and nothing else. What it admitted
//! without learning of it, or ended without being able to write it down, is lost
//! like what a dead one left; also on a database that no other gateway can use.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portcullis_core::id::InvocationId;
use portcullis_core::invocation::{FailureCode, InvocationError};
use portcullis_core::time::Timestamp;
use portcullis_storage::Interrupted;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::audit::{self, GATEWAY};
use crate::clock::{self, MAX_SKEW};
use crate::error::Error;
use crate::gateway::Gateway;

/// How often a lease is renewed within its time: two attempts may fail.
const RENEWALS: u32 = 3;

/// What is ended in one transaction; others wait for it on SQLite.
const AT_ONCE: u32 = 100;

/// What a gateway executes at this moment.
#[derive(Debug, Default)]
pub struct Running(Mutex<HashSet<InvocationId>>);

impl Running {
    /// Counts an invocation in until what is returned is dropped.
    pub(super) fn hold(&self, id: InvocationId) -> Held<'_> {
        self.ids().insert(id);
        Held { running: self, id }
    }

    fn ids(&self) -> MutexGuard<'_, HashSet<InvocationId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An invocation that is being executed.
pub(super) struct Held<'a> {
    running: &'a Running,
    id: InvocationId,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.running.ids().remove(&self.id);
    }
}

/// When a lease that begins now ends.
pub(super) fn ends_at(gateway: &Gateway, now: Timestamp) -> Timestamp {
    now.saturating_add(length(gateway))
}

fn length(gateway: &Gateway) -> Duration {
    Duration::from_secs(gateway.config.storage.lease_seconds)
}

/// Ends what an earlier process left behind.
///
/// To be called once, before serving. A gateway that has its database for itself,
/// as on SQLite, knows that whatever is executing at this moment was interrupted.
/// On a database that others use as well, only an expired lease says so.
pub async fn recover(gateway: &Arc<Gateway>) -> Result<(), Error> {
    if gateway.storage.is_exclusive() {
        return end(gateway, Interrupted::AllExecuting).await;
    }
    end_expired(gateway).await
}

/// Renews and looks for expired leases until `stop`, which is to come after the
/// last execution.
pub async fn tend_until(gateway: Arc<Gateway>, stop: CancellationToken) {
    let mut ticks = interval(length(&gateway) / RENEWALS);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        // A connection that went silent must not keep another from renewing.
        match timeout(length(&gateway) / RENEWALS, tend(&gateway)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "leases could not be renewed; the next attempt follows"
            ),
            Err(_elapsed) => {
                tracing::error!("leases were not renewed in time; the next attempt follows");
            }
        }
    }
}

/// Renews this gateway's leases, then ends what others have lost.
///
/// In this order: after a long pause its own leases may have expired as well, and
/// it is the one who knows that they are alive.
pub async fn tend(gateway: &Arc<Gateway>) -> Result<(), Error> {
    let running: Vec<_> = gateway.running.ids().iter().copied().collect();
    if !running.is_empty() {
        renew(gateway, &running).await?;
    }
    end_expired(gateway).await
}

async fn renew(gateway: &Gateway, running: &[InvocationId]) -> Result<(), Error> {
    let until = ends_at(gateway, gateway.clock.now());
    let mut work = gateway.storage.write().await?;
    work.invocations()
        .renew_leases(running, &gateway.node, until)
        .await?;
    Ok(work.save().await?)
}

/// Leases are times of other gateways' clocks, so a gateway whose own clock is
/// off ends nothing.
async fn end_expired(gateway: &Arc<Gateway>) -> Result<(), Error> {
    let skew = clock::skew(&*gateway.clock, &*gateway.storage).await?;
    if skew > MAX_SKEW {
        tracing::error!(
            skewSeconds = skew.as_secs(),
            "this gateway's clock is off its database's; it judges no leases"
        );
        return Ok(());
    }
    end(gateway, Interrupted::LeaseExpired).await
}

async fn end(gateway: &Arc<Gateway>, scope: Interrupted) -> Result<(), Error> {
    while end_some(gateway, scope).await? == AT_ONCE as usize {}
    Ok(())
}

async fn end_some(gateway: &Arc<Gateway>, scope: Interrupted) -> Result<usize, Error> {
    let unknown = InvocationError {
        code: FailureCode::OutcomeUnknown,
        message: "the gateway stopped while this ran, or could not record how it ended; whether \
             the upstream acted is unknown. Check before you repeat it"
            .to_owned(),
    };
    let now = gateway.clock.now();
    let mut work = gateway.storage.write().await?;
    let failed = work
        .invocations()
        .fail_interrupted(now, &unknown, scope, AT_ONCE)
        .await?;
    audit::record_ended(
        gateway,
        &mut work,
        &failed,
        audit::INTERRUPTED,
        GATEWAY,
        now,
    )
    .await?;
    work.save().await?;
    gateway.announce(failed.iter().map(|invocation| invocation.id));
    if !failed.is_empty() {
        let failed = failed.len();
        tracing::warn!(failed, "interrupted invocations: their outcome is unknown");
    }
    Ok(failed.len())
}
