//! Setting modes. What they decide is in `portcullis_core::modes`.

mod in_force;

use portcullis_core::audit::{AuditKind, AuditSubject};
use portcullis_core::canonical::JsonDigest;
use portcullis_core::definition::DefinitionDigests;
use portcullis_core::id::{ActionKey, OrganizationId};
use portcullis_core::modes::{Mode, PinnedMode, StoredMode, TextChanges};
use portcullis_core::time::Timestamp;
use portcullis_storage::{BoxUnitOfWork, HintKind, ModeOverride, ModeScope};
use serde_json::{Value, json};

use crate::access::Actor;
use crate::audit::{self, Happened};
use crate::error::Error;
use crate::gateway::Gateway;

pub(crate) use in_force::{StoredModes, text_changes};

/// A mode that was set, beside what its key names now.
#[derive(Debug)]
pub struct ListedMode {
    /// What was set.
    pub entry: ModeOverride,
    /// What identifies the action; `None` when no source has such an action:
    /// perhaps a misspelling, which would otherwise silently do nothing.
    pub current: Option<DefinitionDigests>,
    /// True when the action is not the one that the mode was set for, as far as the
    /// organization minds.
    pub drifted: bool,
}

impl ListedMode {
    fn new(gateway: &Gateway, entry: ModeOverride, text_changes: TextChanges) -> Self {
        let current = current_digests(gateway, &entry.key);
        let stored = &entry.stored;
        Self {
            drifted: current.is_some_and(|current| stored.has_drifted(current, text_changes)),
            current,
            entry,
        }
    }
}

/// Everything set in a scope of an organization.
pub async fn list(
    gateway: &Gateway,
    organization: &OrganizationId,
    scope: &ModeScope,
) -> Result<Vec<ListedMode>, Error> {
    let mut work = gateway.storage.read().await?;
    let text_changes = text_changes(&mut work, organization).await?;
    let overrides = work.modes().list(scope).await?;
    Ok(overrides
        .into_iter()
        .map(|entry| ListedMode::new(gateway, entry, text_changes))
        .collect())
}

/// A mode that somebody decided upon.
#[derive(Debug)]
pub struct NewMode {
    /// The action, which need not exist.
    pub key: ActionKey,
    /// The mode.
    pub mode: Mode,
    /// The contract digest of what was shown to them; `None` when they take the
    /// action for what it is now.
    pub seen: Option<JsonDigest>,
}

/// Sets the mode of an action, for its current definition.
///
/// # Errors
///
/// [`Error::DefinitionChanged`] when that is not the one that was seen.
pub async fn put(
    gateway: &Gateway,
    actor: &Actor,
    organization: &OrganizationId,
    scope: &ModeScope,
    new: NewMode,
) -> Result<ListedMode, Error> {
    let NewMode { key, mode, seen } = new;
    let current = current_digests(gateway, &key);
    if seen.is_some() && seen != current.map(|current| current.contract) {
        return Err(Error::DefinitionChanged(key));
    }
    let now = gateway.clock.now();
    let mut work = gateway.storage.write().await?;
    // Deciders rely on modes; none sees this one half.
    work.organizations().lock(organization).await?;
    let change = Change {
        organization,
        actor: actor.as_str(),
        scope,
        key: &key,
    };
    change.put(gateway, &mut work, mode, current, now).await?;
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
    Ok(ListedMode {
        entry: ModeOverride {
            key,
            stored: PinnedMode {
                mode: StoredMode::Known(mode),
                pin: current,
            },
            set_by: actor.as_str().to_owned(),
            set_at: now,
        },
        current,
        drifted: false,
    })
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
        pin: Option<DefinitionDigests>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let before = work.modes().find(self.scope, self.key).await?;
        work.modes()
            .put(self.scope, self.key, mode, pin, self.actor, now)
            .await?;
        let after = PinnedMode {
            mode: StoredMode::Known(mode),
            pin,
        };
        let modes = (before.as_ref(), Some(&after));
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
        (before, after): (Option<&PinnedMode>, Option<&PinnedMode>),
        at: Timestamp,
    ) -> Result<(), Error> {
        let happened = Happened {
            organization: Some(self.organization),
            kind,
            actor: self.actor,
            subject: AuditSubject::action(self.key),
            details: json!({
                "scope": audit::scope(self.scope),
                "before": before.map(shown),
                "after": after.map(shown),
            }),
            at,
        };
        audit::record(gateway, work, happened).await
    }
}

/// What the record keeps of a mode: the definition that was seen, as well.
fn shown(stored: &PinnedMode) -> Value {
    json!({
        "mode": stored.mode.as_str(),
        "digest": stored.pin.map(|pin| pin.contract.to_string()),
        "interfaceDigest": stored.pin.map(|pin| pin.interface.to_string()),
    })
}

/// What identifies an action as it is now; `None` when no source has it.
fn current_digests(gateway: &Gateway, key: &ActionKey) -> Option<DefinitionDigests> {
    let plugin = gateway.sources.plugin(&key.source)?;
    Some(plugin.action(&key.action)?.digests)
}
