//! Setting modes. What they decide is in `portcullis_core::modes`.

use portcullis_core::id::ActionKey;
use portcullis_core::modes::Mode;
use portcullis_storage::{HintKind, ModeOverride, ModeScope};

use crate::access::Actor;
use crate::error::Error;
use crate::gateway::Gateway;

/// A mode that was set, and whether its key names an action there is.
#[derive(Debug)]
pub struct ListedMode {
    /// What was set.
    pub entry: ModeOverride,
    /// False when no source has such an action: perhaps a misspelling, which
    /// would otherwise silently do nothing.
    pub matched: bool,
}

/// Everything set in a scope.
pub async fn list(gateway: &Gateway, scope: &ModeScope) -> Result<Vec<ListedMode>, Error> {
    let mut work = gateway.storage.read().await?;
    let overrides = work.modes().list(scope).await?;
    Ok(overrides
        .into_iter()
        .map(|entry| ListedMode {
            matched: is_known(gateway, &entry.key),
            entry,
        })
        .collect())
}

/// Sets the mode of an action, and says whether there is such an action.
pub async fn put(
    gateway: &Gateway,
    actor: &Actor,
    scope: &ModeScope,
    key: &ActionKey,
    mode: Mode,
) -> Result<bool, Error> {
    let mut work = gateway.storage.write().await?;
    work.modes()
        .put(scope, key, mode, actor.as_str(), gateway.clock.now())
        .await?;
    work.save().await?;
    gateway.hint(HintKind::Modes, &scope.owner()).await;
    tracing::info!(
        sourceId = %key.source,
        actionId = %key.action,
        mode = %mode,
        scope = ?scope,
        actor = actor.as_str(),
        "mode set"
    );
    Ok(is_known(gateway, key))
}

/// Leaves an action to the next step of the cascade.
pub async fn remove(
    gateway: &Gateway,
    actor: &Actor,
    scope: &ModeScope,
    key: &ActionKey,
) -> Result<(), Error> {
    let mut work = gateway.storage.write().await?;
    let is_removed = work.modes().remove(scope, key).await?;
    // Also where there is none: that others removed it may not be committed yet.
    work.save().await?;
    if !is_removed {
        return Err(Error::NotFound("mode"));
    }
    gateway.hint(HintKind::Modes, &scope.owner()).await;
    tracing::info!(
        sourceId = %key.source,
        actionId = %key.action,
        scope = ?scope,
        actor = actor.as_str(),
        "mode removed"
    );
    Ok(())
}

fn is_known(gateway: &Gateway, key: &ActionKey) -> bool {
    gateway
        .sources
        .plugin(&key.source)
        .is_some_and(|plugin| plugin.action(&key.action).is_some())
}
