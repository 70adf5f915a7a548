//! Serving what the rows say, at the start and ever after.
//!
//! Rows are read when a hint says that a plugin has changed, and once a second, since
//! a hint may be lost. Each plugin has a generation that grows, so what is read late
//! never replaces what is known already.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use portcullis_core::id::SourceId;
use portcullis_core::plugin::PluginDigest;
use portcullis_core::time::Timestamp;
use portcullis_storage::{HintKind, Noted, ServedPlugin};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::loading::load;
use super::switching::{serve, withdraw};
use crate::error::Error;
use crate::gateway::Gateway;
use crate::sources::FailedPlugin;

/// How often rows are read without a hint: gateways agree within a second.
const READ_EVERY: Duration = Duration::from_millis(500);

/// After which a version is tried again that could not be loaded.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// Plugins that are loaded at the same time; compiling has a bound of its own.
const LOADS_AT_ONCE: usize = 4;

/// What this gateway has tried.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// Versions that could not be loaded, and when.
    failed: BTreeMap<PluginDigest, Timestamp>,
    /// Staged versions that are compiled already, or cannot be.
    prepared: BTreeSet<PluginDigest>,
}

/// Serves what the rows say until `stop`.
pub async fn keep_until(gateway: Arc<Gateway>, stop: CancellationToken) {
    let mut hints = gateway.storage.hints();
    let mut ticks = interval(READ_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
            () = news(&mut hints) => {}
        }
        if let Err(error) = converge(&gateway).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "which plugins to serve could not be read; what serves serves on"
            );
        }
    }
}

/// Returns when plugins may have changed.
async fn news(hints: &mut Receiver<Noted>) {
    loop {
        match hints.recv().await {
            Ok(Noted::Changed(hint)) if hint.kind != HintKind::Plugins => {}
            Ok(_) | Err(RecvError::Lagged(_)) => return,
            // Nothing more will be heard; the ticks remain.
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// Serves what the rows say at this moment.
///
/// A version that cannot be loaded here leaves what served before, and is tried again
/// half a minute later.
///
/// # Errors
///
/// When the rows cannot be read.
pub async fn converge(gateway: &Arc<Gateway>) -> Result<(), Error> {
    let mut work = gateway.storage.read().await?;
    let served = work.plugins().served().await?;
    drop(work);
    let news: Vec<_> = served
        .iter()
        .filter(|row| gateway.sources.generation(&row.plugin) != Some(row.generation))
        .collect();
    stream::iter(news)
        .for_each_concurrent(LOADS_AT_ONCE, |row| adopt(gateway, row))
        .await;
    prepare(gateway, &served).await;
    Ok(())
}

/// Makes this gateway serve what a row says.
async fn adopt(gateway: &Arc<Gateway>, row: &ServedPlugin) {
    let Some(digest) = row.active else {
        return withdraw(gateway, &row.plugin, row.generation);
    };
    let tried = &gateway.plugins.tried;
    if is_to_be_left(tried, digest, gateway.clock.now()) {
        return;
    }
    match load(gateway, digest).await {
        Ok(plugin) if plugin.descriptor().id == row.plugin => {
            serve(gateway, &plugin, row.generation);
        }
        Ok(_) => fail(gateway, &row.plugin, digest, "it says it is another plugin"),
        Err(error) => fail(gateway, &row.plugin, digest, &error.to_string()),
    }
}

fn is_to_be_left(tried: &Mutex<Tried>, digest: PluginDigest, now: Timestamp) -> bool {
    let tried = lock(tried);
    let failed_at = tried.failed.get(&digest);
    failed_at.is_some_and(|at| now < at.saturating_add(RETRY_AFTER))
}

fn fail(gateway: &Gateway, id: &SourceId, digest: PluginDigest, reason: &str) {
    let mut tried = lock(&gateway.plugins.tried);
    tried.failed.insert(digest, gateway.clock.now());
    drop(tried);
    gateway.sources.report(FailedPlugin {
        name: id.to_string(),
        digest: Some(digest),
        reason: reason.to_owned(),
    });
}

/// Compiles what may serve soon, so that it serves at once when it may.
async fn prepare(gateway: &Arc<Gateway>, served: &[ServedPlugin]) {
    let staged: BTreeSet<_> = served.iter().filter_map(|row| row.staged).collect();
    let new: Vec<_> = {
        let mut tried = lock(&gateway.plugins.tried);
        tried.prepared.retain(|digest| staged.contains(digest));
        staged.difference(&tried.prepared).copied().collect()
    };
    for digest in new {
        if let Err(error) = load(gateway, digest).await {
            tracing::warn!(
                %digest,
                error = &error as &dyn std::error::Error,
                "a version that waits for the operator cannot be loaded at this gateway"
            );
        }
        lock(&gateway.plugins.tried).prepared.insert(digest);
    }
}

fn lock(tried: &Mutex<Tried>) -> MutexGuard<'_, Tried> {
    tried.lock().unwrap_or_else(PoisonError::into_inner)
}
