//! Tidying: what has expired.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::admission::IDEMPOTENCY_LIFE;
use crate::audit::{self, GATEWAY};
use crate::error::Error;
use crate::gateway::Gateway;

/// How often rows are tidied. Expiry itself is judged by comparing times.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// What expires in one transaction; others wait for it on SQLite.
const AT_ONCE: u32 = 100;

/// Full results that are removed in one transaction: each may take a megabyte.
const RESULTS_AT_ONCE: u32 = 20;

/// Tidies every minute until `stop`.
pub async fn sweep_until(gateway: Arc<Gateway>, stop: CancellationToken) {
    let mut ticks = interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        gateway.agents.tidy(gateway.clock.now());
        gateway.opened.tidy(gateway.clock.now());
        if let Err(error) = sweep(&gateway).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "rows could not be tidied; the next attempt is in a minute"
            );
        }
    }
}

/// Tidies once.
pub async fn sweep(gateway: &Arc<Gateway>) -> Result<(), Error> {
    while expire_some(gateway).await? == AT_ONCE as usize {}
    while remove_results(gateway).await? == u64::from(RESULTS_AT_ONCE) {}
    let now = gateway.clock.now();
    let mut work = gateway.storage.write().await?;
    work.idempotency_keys()
        .remove_older_than(now.saturating_sub(IDEMPOTENCY_LIFE))
        .await?;
    work.event_tickets().remove_expired(now).await?;
    Ok(work.save().await?)
}

/// Removes full results whose time is over; how many.
async fn remove_results(gateway: &Gateway) -> Result<u64, Error> {
    let now = gateway.clock.now();
    let mut work = gateway.storage.write().await?;
    let removed = work
        .full_results()
        .remove_expired(now, RESULTS_AT_ONCE)
        .await?;
    work.save().await?;
    Ok(removed)
}

/// Expires what nobody decided in time, and tells those who wait for it.
async fn expire_some(gateway: &Arc<Gateway>) -> Result<usize, Error> {
    let now = gateway.clock.now();
    let mut work = gateway.storage.write().await?;
    let expired = work.invocations().expire_pending(now, AT_ONCE).await?;
    audit::record_ended(gateway, &mut work, &expired, audit::EXPIRED, GATEWAY, now).await?;
    work.save().await?;
    gateway.announce(expired.iter().map(|invocation| invocation.id));
    gateway.metrics.expired(expired.len());
    if !expired.is_empty() {
        let expired = expired.len();
        tracing::info!(expired, "invocations expired that nobody decided about");
    }
    Ok(expired.len())
}
