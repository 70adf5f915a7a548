//! The calls of a version that serves no longer: they end by themselves, or at the
//! end of their time.

use std::sync::Arc;

use portcullis_runtime::Plugin;
use tokio::time::timeout;

use crate::gateway::Gateway;

/// Lets a version finish its calls, and ends those that take longer than
/// `plugins.drain_seconds`. It is freed when its last call is done.
pub(super) fn drain(gateway: &Arc<Gateway>, plugin: Plugin) {
    let patience = gateway.config.plugins.drain();
    tokio::spawn(async move {
        if timeout(patience, plugin.idle()).await.is_err() {
            tracing::warn!(
                sourceId = %plugin.descriptor().id,
                digest = %plugin.digest(),
                calls = plugin.running_calls(),
                "calls of a version that serves no longer are ended"
            );
        }
        // Also when none runs: one may have been admitted and not have begun yet, and
        // has had as much time as the others.
        plugin.end_calls();
    });
}
