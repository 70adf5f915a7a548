//! Taking back a version whose calls trap.
//!
//! Each gateway judges by what it has executed itself. What it finds is a reason to go
//! back and no more: the rows change only if the version still serves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_core::id::{SessionId, SourceId};
use portcullis_core::invocation::FailureCode;
use portcullis_core::plugin::{Judgement, PluginDigest, PluginState, TrapRule, TrapWatch};
use portcullis_runtime::{Outcome, Plugin};
use serde_json::json;

use super::PluginError;
use super::decide::{Back, earlier};
use crate::audit::GATEWAY;
use crate::config::PluginsConfig;
use crate::error::Error;
use crate::gateway::Gateway;

/// How the calls of what serves have ended.
#[derive(Debug)]
pub(super) struct Health {
    /// `None`: nothing is ever taken back by itself.
    rule: Option<TrapRule>,
    watches: Mutex<HashMap<SourceId, Watched>>,
}

#[derive(Debug)]
struct Watched {
    digest: PluginDigest,
    /// `None` once it was judged.
    watch: Option<TrapWatch>,
}

impl Health {
    pub(super) fn new(config: &PluginsConfig) -> Self {
        Self {
            rule: config.rollback.rule(),
            watches: Mutex::default(),
        }
    }

    fn watches(&self) -> MutexGuard<'_, HashMap<SourceId, Watched>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how a call ended, and judges the version.
    fn note(&self, plugin: &Plugin, note: impl FnOnce(&mut TrapWatch) -> Judgement) -> Judgement {
        let Some(rule) = self.rule else {
            return Judgement::Keep;
        };
        let mut watches = self.watches();
        let new = || Watched {
            digest: plugin.digest(),
            watch: Some(TrapWatch::new(rule)),
        };
        let id = plugin.descriptor().id.clone();
        let entry = watches.entry(id).or_insert_with(new);
        if entry.digest != plugin.digest() {
            *entry = new();
        }
        let judgement = entry.watch.as_mut().map_or(Judgement::Keep, note);
        if judgement != Judgement::Keep {
            entry.watch = None;
        }
        judgement
    }

    /// Watches a version anew that was judged and serves on.
    fn forget(&self, id: &SourceId) {
        self.watches().remove(id);
    }
}

/// Notes how a call of a version ended, and takes the version back when that was the
/// last straw.
pub fn observe(gateway: &Arc<Gateway>, plugin: &Plugin, session: SessionId, outcome: &Outcome) {
    let serving = gateway.sources.plugin(&plugin.descriptor().id);
    if serving.is_none_or(|serving| serving.digest() != plugin.digest()) {
        // It has been replaced meanwhile; nobody needs to know any more.
        return;
    }
    let (trapped, now) = (is_trap(outcome), gateway.clock.now());
    let note = |watch: &mut TrapWatch| watch.record(session, trapped, now);
    let judgement = gateway.plugins.health.note(plugin, note);
    if judgement != Judgement::Keep {
        tokio::spawn(take_back(Arc::clone(gateway), plugin.clone(), judgement));
    }
}

/// Whether the sandbox had to end the guest for what it did.
fn is_trap(outcome: &Outcome) -> bool {
    let Outcome::Stopped { code, .. } = outcome else {
        return false;
    };
    matches!(
        code,
        FailureCode::Trapped | FailureCode::CpuExceeded | FailureCode::MemoryExceeded
    )
}

async fn take_back(gateway: Arc<Gateway>, plugin: Plugin, judgement: Judgement) {
    let id = &plugin.descriptor().id;
    match go_back(&gateway, &plugin, judgement).await {
        Ok(()) => {}
        Err(Error::Plugin(refused)) => tracing::error!(
            sourceId = %id,
            digest = %plugin.digest(),
            ?judgement,
            "calls of the active version trap, and it cannot be taken back: {refused}"
        ),
        Err(error) => {
            gateway.plugins.health.forget(id);
            tracing::error!(
                sourceId = %id,
                digest = %plugin.digest(),
                error = &error as &dyn std::error::Error,
                "calls of the active version trap, and it could not be taken back; it will be \
                 tried again"
            );
        }
    }
}

async fn go_back(
    gateway: &Arc<Gateway>,
    plugin: &Plugin,
    judgement: Judgement,
) -> Result<(), Error> {
    let Judgement::RollBack {
        calls,
        trapped,
        sessions,
    } = judgement
    else {
        return Ok(());
    };
    let id = &plugin.descriptor().id;
    let (active, target) = {
        let mut work = gateway.storage.read().await?;
        earlier(&mut work, id, None).await?
    };
    let active = active.map(|active| active.digest);
    if active != Some(plugin.digest()) {
        return Err(PluginError::ActiveChanged {
            plugin: id.clone(),
            active,
        }
        .into());
    }
    let reason = format!("{trapped} of its {calls} latest calls trapped, in {sessions} sessions");
    let back = Back {
        gateway,
        by: GATEWAY,
        id,
        target: target.digest,
        from: Some(plugin.digest()),
        reason: &reason,
        becomes: PluginState::Failed,
        details: json!({ "calls": calls, "trapped": trapped, "sessions": sessions }),
    };
    back.run().await?;
    tracing::error!(
        sourceId = %id,
        from = %plugin.digest(),
        to = %target.digest,
        "the active version was taken back by itself: {reason}"
    );
    Ok(())
}
