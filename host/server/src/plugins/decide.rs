//! What the operator decides: approving, rejecting, rolling back, removing.

use std::cmp::Reverse;
use std::sync::Arc;

use portcullis_core::audit::AuditKind;
use portcullis_core::id::SourceId;
use portcullis_core::plugin::{PluginDigest, PluginState};
use portcullis_storage::{BoxUnitOfWork, HintKind, PluginVersion, StateChange};
use serde_json::{Value, json};

use super::install::lost;
use super::loading::load;
use super::record::{Recorded, shown};
use super::switching::{Switch, publish, withdraw};
use super::{PluginError, show};
use crate::error::Error;
use crate::gateway::Gateway;

/// Among how many versions the one is looked for that served last.
const RECENT_VERSIONS: u32 = 1_000;

/// A staged version is to serve.
#[derive(Debug, Clone, Copy)]
pub struct Approve {
    /// The version whose difference was seen.
    pub digest: PluginDigest,
    /// The version that the difference was shown against. `None`: the one that was
    /// active when the version was staged.
    pub active: Option<PluginDigest>,
}

/// An earlier version is to serve.
#[derive(Debug, Clone, Copy, Default)]
pub struct RollBack {
    /// Which one; `None`: the one that served before.
    pub digest: Option<PluginDigest>,
}

/// A plugin is to serve no longer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Removal {
    /// Also when it is needed at this moment.
    pub force: bool,
}

/// Lets a staged version serve.
///
/// # Errors
///
/// [`PluginError::NotStaged`] when it is not, or not any more;
/// [`PluginError::ActiveChanged`] when what was seen is not the difference any more;
/// [`PluginError::Unloadable`] when it cannot be loaded, which leaves it staged.
pub async fn approve(
    gateway: &Arc<Gateway>,
    by: &str,
    id: &SourceId,
    approve: Approve,
) -> Result<PluginVersion, Error> {
    find_staged(gateway, id, approve.digest).await?;
    // Ready before the rows name it; what fails here changes nothing.
    let plugin = load(gateway, approve.digest).await?;
    let mut work = gateway.storage.write().await?;
    work.plugins().lock(id).await?;
    let staged = staged(&mut work, id, approve.digest).await?;
    let active = work.plugins().latest(id, PluginState::Active).await?;
    let active_digest = active.as_ref().map(|active| active.digest);
    if active_digest != approve.active.or(staged.replaced) {
        return Err(PluginError::ActiveChanged {
            plugin: id.clone(),
            active: active_digest,
        }
        .into());
    }
    work.plugins()
        .set_replaced(staged.digest, active_digest)
        .await?;
    let now = gateway.clock.now();
    let switch = Switch {
        plugin: id,
        before: active.as_ref(),
        before_becomes: PluginState::Retired,
        before_reason: "replaced",
        after: staged.digest,
        after_was: PluginState::Staged,
        reason: "approved",
        by,
        at: now,
    };
    let generation = switch.write(&mut work).await?.ok_or_else(lost)?;
    let details = json!({
        "before": shown(active.as_ref()),
        "after": shown(Some(&staged)),
        "origin": staged.origin,
        "signedBy": staged.signed_by,
        "reason": "approved",
    });
    let recorded = Recorded {
        kind: AuditKind::PluginActivated,
        plugin: id,
        by,
        at: now,
    };
    recorded.write(gateway, &mut work, details).await?;
    work.save().await?;
    publish(gateway, plugin, generation).await;
    show::version(gateway, staged.digest).await
}

/// Refuses a staged version; what serves is not touched.
pub async fn reject(
    gateway: &Arc<Gateway>,
    by: &str,
    id: &SourceId,
    digest: PluginDigest,
    reason: Option<&str>,
) -> Result<PluginVersion, Error> {
    let mut work = gateway.storage.write().await?;
    if !work.plugins().lock(id).await? {
        return Err(Error::NotFound("plugin"));
    }
    let rejected = staged(&mut work, id, digest).await?;
    let now = gateway.clock.now();
    let words = match reason {
        Some(reason) => format!("rejected: {reason}"),
        None => "rejected".to_owned(),
    };
    let change = StateChange {
        from: PluginState::Staged,
        to: PluginState::Retired,
        reason: Some(&words),
        by,
        at: now,
    };
    if !work.plugins().change(digest, change).await? {
        return Err(lost());
    }
    let recorded = Recorded {
        kind: AuditKind::PluginRejected,
        plugin: id,
        by,
        at: now,
    };
    let details = json!({ "version": shown(Some(&rejected)), "reason": reason });
    recorded.write(gateway, &mut work, details).await?;
    work.save().await?;
    tracing::info!(sourceId = %id, %digest, "a staged version is rejected");
    show::version(gateway, digest).await
}

/// Goes back to a version that served before.
///
/// # Errors
///
/// [`PluginError::NoEarlierVersion`] when there is none, or it never served;
/// [`PluginError::Unloadable`] when it cannot be loaded.
pub async fn roll_back(
    gateway: &Arc<Gateway>,
    by: &str,
    id: &SourceId,
    to: RollBack,
) -> Result<PluginVersion, Error> {
    let (_, target) = {
        let mut work = gateway.storage.read().await?;
        earlier(&mut work, id, to.digest).await?
    };
    let back = Back {
        gateway,
        by,
        id,
        target: target.digest,
        from: None,
        reason: "rolled back",
        becomes: PluginState::Retired,
        details: Value::Null,
    };
    back.run().await
}

/// The way back to a version that served before.
pub(super) struct Back<'a> {
    pub(super) gateway: &'a Arc<Gateway>,
    pub(super) by: &'a str,
    pub(super) id: &'a SourceId,
    pub(super) target: PluginDigest,
    /// The version that is to be active until then, if that matters.
    pub(super) from: Option<PluginDigest>,
    /// Why, for the version that serves no longer.
    pub(super) reason: &'a str,
    /// What that one becomes.
    pub(super) becomes: PluginState,
    /// What the record tells beside the versions.
    pub(super) details: Value,
}

impl Back<'_> {
    pub(super) async fn run(&self) -> Result<PluginVersion, Error> {
        let plugin = load(self.gateway, self.target).await?;
        let mut work = self.gateway.storage.write().await?;
        work.plugins().lock(self.id).await?;
        let (active, target) = earlier(&mut work, self.id, Some(self.target)).await?;
        let active_digest = active.as_ref().map(|active| active.digest);
        if self.from.is_some() && self.from != active_digest {
            return Err(PluginError::ActiveChanged {
                plugin: self.id.clone(),
                active: active_digest,
            }
            .into());
        }
        let now = self.gateway.clock.now();
        let switch = Switch {
            plugin: self.id,
            before: active.as_ref(),
            before_becomes: self.becomes,
            before_reason: self.reason,
            after: target.digest,
            after_was: target.state,
            reason: self.reason,
            by: self.by,
            at: now,
        };
        let generation = switch.write(&mut work).await?.ok_or_else(lost)?;
        let recorded = Recorded {
            kind: AuditKind::PluginRolledBack,
            plugin: self.id,
            by: self.by,
            at: now,
        };
        let details = json!({
            "before": shown(active.as_ref()),
            "after": shown(Some(&target)),
            "reason": self.reason,
            "seen": self.details,
        });
        recorded.write(self.gateway, &mut work, details).await?;
        work.save().await?;
        publish(self.gateway, plugin, generation).await;
        show::version(self.gateway, target.digest).await
    }
}

/// What serves, and the version to go back to: this one, or the one before.
pub(super) async fn earlier(
    work: &mut BoxUnitOfWork,
    id: &SourceId,
    to: Option<PluginDigest>,
) -> Result<(Option<PluginVersion>, PluginVersion), Error> {
    let refuse = |reason: &str| {
        Error::Plugin(PluginError::NoEarlierVersion {
            plugin: id.clone(),
            reason: reason.to_owned(),
        })
    };
    let active = work.plugins().latest(id, PluginState::Active).await?;
    let target = match (to, &active) {
        (Some(digest), _) => work.plugins().find(digest).await?,
        (None, Some(active)) => match active.replaced {
            Some(digest) => work.plugins().find(digest).await?,
            None => None,
        },
        (None, None) => served_last(work, id).await?,
    };
    let target = target.filter(|version| version.plugin == *id);
    let Some(target) = target else {
        if active.is_none() && work.plugins().versions(id, 1).await?.is_empty() {
            return Err(Error::NotFound("plugin"));
        }
        return Err(refuse(
            "no version served before; `portcullis plugin show` lists what there is",
        ));
    };
    if target.state == PluginState::Active {
        return Err(refuse("this version serves already"));
    }
    if target.activated_at.is_none() || target.state == PluginState::Staged {
        return Err(refuse(
            "this version has never served; install it and approve what it asks for",
        ));
    }
    if to.is_none() && target.state == PluginState::Failed {
        return Err(refuse(
            "the version before it failed; name the digest of one to go back to",
        ));
    }
    Ok((active, target))
}

/// Of a plugin that was removed, what served last: something that only waited may have
/// been retired with it.
async fn served_last(
    work: &mut BoxUnitOfWork,
    id: &SourceId,
) -> Result<Option<PluginVersion>, Error> {
    let versions = work.plugins().versions(id, RECENT_VERSIONS).await?;
    let retired = versions
        .into_iter()
        .filter(|version| version.state == PluginState::Retired && version.activated_at.is_some());
    Ok(retired.min_by_key(|version| Reverse(version.activated_at)))
}

/// Ends a plugin: nothing serves under its id any more, and nothing waits.
///
/// # Errors
///
/// [`PluginError::InUse`] when it is needed and force was not asked for.
pub async fn remove(
    gateway: &Arc<Gateway>,
    by: &str,
    id: &SourceId,
    removal: Removal,
) -> Result<(), Error> {
    let mut work = gateway.storage.write().await?;
    if !work.plugins().lock(id).await? {
        return Err(Error::NotFound("plugin"));
    }
    let mut ended = Vec::new();
    for state in [
        PluginState::Active,
        PluginState::Staged,
        PluginState::Failed,
    ] {
        ended.extend(in_state(&mut work, id, state).await?);
    }
    if ended.is_empty() {
        return Err(Error::NotFound("plugin"));
    }
    let now = gateway.clock.now();
    let needed = work.plugins().in_use(id, now).await?;
    if !removal.force && (needed.pending > 0 || needed.executing > 0) {
        return Err(PluginError::InUse {
            plugin: id.clone(),
            pending: needed.pending,
            executing: needed.executing,
        }
        .into());
    }
    for version in &ended {
        let change = StateChange {
            from: version.state,
            to: PluginState::Retired,
            reason: Some("removed"),
            by,
            at: now,
        };
        if !work.plugins().change(version.digest, change).await? {
            return Err(lost());
        }
    }
    let generation = work.plugins().advance(id).await?;
    let active = ended.iter().find(|one| one.state == PluginState::Active);
    let recorded = Recorded {
        kind: AuditKind::PluginRemoved,
        plugin: id,
        by,
        at: now,
    };
    let details = json!({
        "before": shown(active),
        "after": null,
        "pending": needed.pending,
        "executing": needed.executing,
    });
    recorded.write(gateway, &mut work, details).await?;
    work.save().await?;
    withdraw(gateway, id, generation);
    gateway.hint(HintKind::Plugins, id.as_str()).await;
    Ok(())
}

/// Every version of the plugin that is in this state.
async fn in_state(
    work: &mut BoxUnitOfWork,
    id: &SourceId,
    state: PluginState,
) -> Result<Vec<PluginVersion>, Error> {
    let all = work.plugins().list().await?;
    let of_plugin = |version: &PluginVersion| version.plugin == *id && version.state == state;
    Ok(all.into_iter().filter(of_plugin).collect())
}

async fn find_staged(
    gateway: &Gateway,
    id: &SourceId,
    digest: PluginDigest,
) -> Result<PluginVersion, Error> {
    let mut work = gateway.storage.read().await?;
    if work.plugins().versions(id, 1).await?.is_empty() {
        return Err(Error::NotFound("plugin"));
    }
    staged(&mut work, id, digest).await
}

/// The staged version, which has to be this one.
async fn staged(
    work: &mut BoxUnitOfWork,
    id: &SourceId,
    digest: PluginDigest,
) -> Result<PluginVersion, Error> {
    let staged = work.plugins().latest(id, PluginState::Staged).await?;
    staged
        .filter(|staged| staged.digest == digest)
        .ok_or_else(|| {
            Error::Plugin(PluginError::NotStaged {
                plugin: id.clone(),
                digest,
            })
        })
}
