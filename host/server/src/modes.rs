//! Setting modes. What they decide is in `portcullis_core::modes`.

use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_core::id::{ActionKey, OrganizationId};
use portcullis_core::modes::{Mode, StoredMode};
use portcullis_core::time::Timestamp;
use portcullis_storage::{BoxUnitOfWork, HintKind, ModeOverride, ModeScope};
use serde_json::json;

use crate::access::Actor;
use crate::audit::{self, Happened};
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
    organization: &OrganizationId,
    scope: &ModeScope,
    key: &ActionKey,
    mode: Mode,
) -> Result<bool, Error> {
    let mut work = gateway.storage.write().await?;
    // Deciders rely on modes; none sees this one half.
    work.organizations().lock(organization).await?;
    let change = Change {
        organization,
        actor: actor.as_str(),
        scope,
        key,
    };
    change
        .put(gateway, &mut work, mode, gateway.clock.now())
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
    organization: &OrganizationId,
    scope: &ModeScope,
    key: &ActionKey,
) -> Result<(), Error> {
    let mut work = gateway.storage.write().await?;
    work.organizations().lock(organization).await?;
    let change = Change {
        organization,
        actor: actor.as_str(),
        scope,
        key,
    };
    let is_removed = change
        .remove(gateway, &mut work, gateway.clock.now())
        .await?;
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

/// A change of one mode, by somebody.
pub(crate) struct Change<'a> {
    pub(crate) organization: &'a OrganizationId,
    pub(crate) actor: &'a str,
    pub(crate) scope: &'a ModeScope,
    pub(crate) key: &'a ActionKey,
}

impl Change<'_> {
    /// Sets the mode and records it. The organization is to be locked.
    pub(crate) async fn put(
        &self,
        gateway: &Gateway,
        work: &mut BoxUnitOfWork,
        mode: Mode,
        now: Timestamp,
    ) -> Result<(), Error> {
        let before = work.modes().find(self.scope, self.key).await?;
        work.modes()
            .put(self.scope, self.key, mode, self.actor, now)
            .await?;
        let modes = (before.as_ref(), Some(mode));
        self.record(gateway, work, AuditKind::ModeSet, modes, now)
            .await
    }

    async fn remove(
        &self,
        gateway: &Gateway,
        work: &mut BoxUnitOfWork,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let before = work.modes().find(self.scope, self.key).await?;
        if !work.modes().remove(self.scope, self.key).await? {
            return Ok(false);
        }
        let modes = (before.as_ref(), None);
        self.record(gateway, work, AuditKind::ModeRemoved, modes, now)
            .await?;
        Ok(true)
    }

    async fn record(
        &self,
        gateway: &Gateway,
        work: &mut BoxUnitOfWork,
        kind: AuditKind,
        (before, after): (Option<&StoredMode>, Option<Mode>),
        at: Timestamp,
    ) -> Result<(), Error> {
        let happened = Happened {
            organization: Some(self.organization),
            kind,
            actor: self.actor,
            subject: AuditSubject::action(self.key),
            details: json!({
                "scope": audit::scope(self.scope),
                "before": before.map(StoredMode::as_str),
                "after": after.map(Mode::as_str),
            }),
            at,
        };
        audit::record(gateway, work, happened).await
    }
}

fn is_known(gateway: &Gateway, key: &ActionKey) -> bool {
    gateway
        .sources
        .plugin(&key.source)
        .is_some_and(|plugin| plugin.action(&key.action).is_some())
}
