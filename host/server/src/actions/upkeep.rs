//! Tidying: what was interrupted, what has expired.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::invocation::{FailureCode, InvocationError};
use portcullis_storage::Interrupted;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::admission::IDEMPOTENCY_LIFE;
use crate::error::Error;
use crate::gateway::Gateway;

/// How often rows are tidied. Expiry itself is judged by comparing times.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// Ends what an earlier process left behind.
///
/// To be called once, before serving. A gateway that has its database for itself,
/// as on SQLite, knows that whatever is executing at this moment was interrupted;
/// for the same reason nothing is interrupted later on, whatever the clock says.
/// On a database that others use as well, only an expired lease says so.
pub async fn recover(gateway: &Gateway) -> Result<(), Error> {
    let unknown = InvocationError {
        code: FailureCode::OutcomeUnknown,
        message: "the gateway stopped while this ran; whether the upstream acted is unknown. \
             Check before you repeat it"
            .to_owned(),
    };
    let scope = if gateway.storage.is_exclusive() {
        Interrupted::AllExecuting
    } else {
        Interrupted::LeaseExpired
    };
    let mut work = gateway.storage.write().await?;
    let failed = work
        .invocations()
        .fail_interrupted(gateway.clock.now(), &unknown, scope)
        .await?;
    work.save().await?;
    if failed > 0 {
        tracing::warn!(failed, "interrupted invocations: their outcome is unknown");
    }
    Ok(())
}

/// Tidies every minute until `stop`.
pub async fn sweep_until(gateway: Arc<Gateway>, stop: CancellationToken) {
    let mut ticks = interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = sweep(&gateway).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "rows could not be tidied; the next attempt is in a minute"
            );
        }
    }
}

async fn sweep(gateway: &Gateway) -> Result<(), Error> {
    let now = gateway.clock.now();
    let mut work = gateway.storage.write().await?;
    let expired = work.invocations().expire_pending(now).await?;
    work.idempotency_keys()
        .remove_older_than(now.saturating_sub(IDEMPOTENCY_LIFE))
        .await?;
    work.save().await?;
    if expired > 0 {
        tracing::info!(expired, "invocations expired that nobody decided about");
    }
    Ok(())
}
