//! Events take their places.
//!
//! One sequencer at a time for each chain, whichever gateway that is: it holds the
//! chain's checkpoint while it binds the events that wait to all before them. So
//! changes do not wait for each other, and an event stands in its chain within a
//! second.

use std::sync::Arc;
use std::time::Duration;

use portcullis_storage::{AuditCheckpoint, AuditLink, BoxUnitOfWork, StoredEvent};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::gateway::Gateway;

/// How often events that wait are looked for.
const EVERY: Duration = Duration::from_millis(500);

/// Chains that are looked after in one round.
const CHAINS: u32 = 256;

/// Events that take their places in one transaction: others wait for it on SQLite.
const BATCH: u32 = 200;

/// Gives events their places until `stop`, and once more then.
pub async fn keep_until(gateway: Arc<Gateway>, stop: CancellationToken) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_last = tokio::select! {
            () = stop.cancelled() => true,
            _ = ticks.tick() => false,
        };
        if let Err(error) = extend_all(&gateway).await {
            gateway.metrics.chain_failed();
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "events wait for their places in the audit chain; the next attempt follows"
            );
        }
        if is_last {
            return;
        }
    }
}

/// Gives every event that waits its place, unless another gateway is about to.
pub async fn extend_all(gateway: &Gateway) -> Result<(), Error> {
    let mut work = gateway.storage.read().await?;
    let chains = work.audit().chains_waiting(CHAINS).await?;
    drop(work);
    for chain in chains {
        while extend(gateway, &chain).await? == Extended::More {}
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Extended {
    /// As far as there are events, or as they are ours to place.
    All,
    /// There may be more.
    More,
}

async fn extend(gateway: &Gateway, chain: &str) -> Result<Extended, Error> {
    let mut work = gateway.storage.write().await?;
    let Some(checkpoint) = hold(gateway, &mut work, chain).await? else {
        work.cancel().await?;
        return Ok(Extended::All);
    };
    if !gateway.audit.is_sealed(&checkpoint) {
        return Err(Error::Internal(format!(
            "the audit checkpoint of chain `{}` was not written by a gateway; \
             `portcullis audit verify` tells more",
            chain.escape_debug()
        )));
    }
    let waiting = work.audit().waiting(chain, BATCH).await?;
    let is_full = waiting.len() >= BATCH as usize;
    let (genuine, forged): (Vec<_>, Vec<_>) = waiting
        .into_iter()
        .partition(|event| gateway.audit.is_genuine(event));
    dismiss(&mut work, &forged).await?;
    let (links, head) = bind(gateway, checkpoint, &genuine);
    if !links.is_empty() {
        work.audit().link(chain, &links).await?;
        work.audit().advance(&head).await?;
    }
    work.save().await?;
    gateway.metrics.linked(links.len());
    Ok(if is_full {
        Extended::More
    } else {
        Extended::All
    })
}

/// The chain's checkpoint, made if it is missing; `None` while another gateway
/// holds it.
async fn hold(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    chain: &str,
) -> Result<Option<AuditCheckpoint>, Error> {
    if let Some(held) = work.audit().lock_checkpoint(chain).await? {
        return Ok(Some(held));
    }
    let now = gateway.clock.now().as_micros();
    let empty = gateway.audit.checkpoint(chain, 0, Vec::new(), now);
    work.audit().begin_chain(&empty).await?;
    Ok(work.audit().lock_checkpoint(chain).await?)
}

/// What no gateway wrote gets no place, and stays for the verification to name.
async fn dismiss(work: &mut BoxUnitOfWork, forged: &[StoredEvent]) -> Result<(), Error> {
    if forged.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = forged.iter().map(|event| event.id.as_str()).collect();
    tracing::error!(
        events = ?ids,
        "audit events that no gateway wrote get no place in the chain"
    );
    Ok(work.audit().dismiss(&ids).await?)
}

/// The places of events, and the checkpoint after them.
fn bind(
    gateway: &Gateway,
    checkpoint: AuditCheckpoint,
    events: &[StoredEvent],
) -> (Vec<AuditLink>, AuditCheckpoint) {
    let AuditCheckpoint {
        chain,
        mut position,
        mut mac,
        ..
    } = checkpoint;
    let links = events
        .iter()
        .map(|event| {
            position = position.saturating_add(1);
            mac = gateway.audit.link(&chain, position, &mac, &event.mac);
            AuditLink {
                position,
                event_id: event.id.clone(),
                mac: mac.clone(),
            }
        })
        .collect();
    let now = gateway.clock.now().as_micros();
    (links, gateway.audit.checkpoint(&chain, position, mac, now))
}
