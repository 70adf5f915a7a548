//! The change of the active version: first in rows, then in this gateway.

use std::sync::Arc;

use portcullis_core::id::SourceId;
use portcullis_core::plugin::{PluginDigest, PluginState};
use portcullis_core::time::Timestamp;
use portcullis_runtime::Plugin;
use portcullis_storage::{BoxUnitOfWork, HintKind, PluginVersion, StateChange};

use super::draining::drain;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::reviews;

/// Components of versions that were replaced and are kept, for those who go back.
const KEPT_COMPONENTS: u32 = 5;

/// A version takes the place of another.
pub(super) struct Switch<'a> {
    pub(super) plugin: &'a SourceId,
    /// What serves, in a row that is locked.
    pub(super) before: Option<&'a PluginVersion>,
    /// What it becomes.
    pub(super) before_becomes: PluginState,
    /// Why it serves no longer.
    pub(super) before_reason: &'a str,
    pub(super) after: PluginDigest,
    /// What that is at this moment.
    pub(super) after_was: PluginState,
    /// Why it serves.
    pub(super) reason: &'a str,
    pub(super) by: &'a str,
    pub(super) at: Timestamp,
}

impl Switch<'_> {
    /// Changes both rows; the new generation, or `None` when one of them is not what
    /// it was taken for, and the unit of work is to be cancelled.
    pub(super) async fn write(&self, work: &mut BoxUnitOfWork) -> Result<Option<u64>, Error> {
        let mut plugins = work.plugins();
        if let Some(before) = self.before {
            let ended = StateChange {
                from: PluginState::Active,
                to: self.before_becomes,
                reason: Some(self.before_reason),
                by: self.by,
                at: self.at,
            };
            if !plugins.change(before.digest, ended).await? {
                return Ok(None);
            }
        }
        let begun = StateChange {
            from: self.after_was,
            to: PluginState::Active,
            reason: Some(self.reason),
            by: self.by,
            at: self.at,
        };
        if !plugins.change(self.after, begun).await? {
            return Ok(None);
        }
        plugins
            .prune_components(self.plugin, KEPT_COMPONENTS)
            .await?;
        Ok(Some(plugins.advance(self.plugin).await?))
    }
}

/// Serves a version that the rows name by now, and lets every gateway know.
pub(super) async fn publish(gateway: &Arc<Gateway>, plugin: Plugin, generation: u64) {
    serve(gateway, &plugin, generation);
    begin_reviews(gateway, &plugin).await;
    let id = &plugin.descriptor().id;
    gateway.hint(HintKind::Plugins, id.as_str()).await;
}

/// Serves a version in this gateway.
pub(super) fn serve(gateway: &Arc<Gateway>, plugin: &Plugin, generation: u64) {
    let descriptor = plugin.descriptor();
    tracing::info!(
        sourceId = %descriptor.id,
        version = descriptor.version,
        digest = %plugin.digest(),
        generation,
        "plugin serves; it can only: {}",
        plugin.capabilities().join("; ")
    );
    gateway.sources.clear_failed(descriptor.id.as_str());
    if let Some(before) = gateway.sources.serve(plugin.clone(), generation) {
        drain(gateway, before);
    }
}

/// Serves nothing under this id any more.
pub(super) fn withdraw(gateway: &Arc<Gateway>, id: &SourceId, generation: u64) {
    gateway.sources.clear_failed(id.as_str());
    if let Some(before) = gateway.sources.withdraw(id, generation) {
        tracing::info!(sourceId = %id, generation, "plugin is withdrawn");
        drain(gateway, before);
    }
}

/// Organizations that can use it from now on take it as it is for reviewed. What
/// fails here is done at the next start, and until then its actions wait for people.
async fn begin_reviews(gateway: &Arc<Gateway>, plugin: &Plugin) {
    if let Err(error) = reviews::begin_with(gateway, plugin).await {
        tracing::error!(
            sourceId = %plugin.descriptor().id,
            error = &error as &dyn std::error::Error,
            "organizations could not take the plugin for reviewed; its actions wait for a person"
        );
    }
}
