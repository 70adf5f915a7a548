//! The calls of a version that serves no longer: they end by themselves, or at the
//! end of their time.

use std::sync::Arc;

use portcullis_runtime::Plugin;
use tokio::time::sleep;

use crate::gateway::Gateway;

/// Lets a version finish what has begun with it, and ends what takes longer than
/// `plugins.drain_seconds`.
///
/// Whoever looked it up keeps it: requests that have not reached the sandbox yet as
/// well as calls. So it is freed with the last of them, and not kept for the wait.
pub(super) fn drain(gateway: &Arc<Gateway>, plugin: Plugin) {
    let patience = gateway.config.plugins.drain();
    let weak = plugin.downgrade();
    drop(plugin);
    tokio::spawn(async move {
        sleep(patience).await;
        let Some(plugin) = weak.upgrade() else {
            return;
        };
        tracing::warn!(
            sourceId = %plugin.descriptor().id,
            digest = %plugin.digest(),
            calls = plugin.running_calls(),
            "calls of a version that serves no longer are ended"
        );
        plugin.end_calls();
    });
}
