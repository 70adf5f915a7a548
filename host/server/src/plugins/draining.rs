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
            plugin.end_calls();
        }
        // Otherwise nothing is ended: a call may have taken this version and not have
        // begun yet. It has the deadline of every call.
    });
}
