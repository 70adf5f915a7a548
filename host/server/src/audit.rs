//! The record of what happened.
//!
//! Whoever changes something adds an event to the same unit of work, so that
//! neither is kept without the other. [`chain`] gives events their places, a
//! moment later and apart from the changes, which therefore do not wait for each
//! other; [`verify`] tells whether all of it is still as it was written, and
//! [`export`] gives it away. What an event looks like, and what its codes cover, is in
//! `portcullis_core::audit`.

pub mod chain;
pub mod export;
mod key;
pub mod verify;

use portcullis_core::audit::{AuditChain, AuditEvent, AuditKind, AuditSubject};
use portcullis_core::id::{InvocationId, OrganizationId, SessionId};
use portcullis_core::invocation::{Invocation, InvocationStatus};
use portcullis_core::time::Timestamp;
use portcullis_storage::{AuditEntry, BoxUnitOfWork, ChangedInvocation, ModeScope};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::Actor;
use crate::error::Error;
use crate::gateway::Gateway;

pub use key::{AuditKey, KeyError};

/// Who did what no person and no agent did.
pub const GATEWAY: &str = "gateway";

/// Something that happened, to be recorded.
#[derive(Debug)]
pub struct Happened<'a> {
    /// Whose record it belongs to; `None`: the gateway's own.
    pub organization: Option<&'a OrganizationId>,
    /// What.
    pub kind: AuditKind,
    /// Who did it, as [`AuditEvent::actor`] has it.
    pub actor: &'a str,
    /// To what.
    pub subject: AuditSubject,
    /// What was and what is; without secrets.
    pub details: Value,
    /// When.
    pub at: Timestamp,
}

/// The event with its code, for those who write it themselves.
pub fn entry(gateway: &Gateway, happened: Happened<'_>) -> AuditEntry {
    let chain = happened.organization.cloned();
    gateway.audit.entry(AuditEvent {
        id: Uuid::new_v4(),
        chain: chain.map_or(AuditChain::Gateway, AuditChain::Organization),
        kind: happened.kind,
        actor: happened.actor.to_owned(),
        subject: happened.subject,
        details: happened.details,
        at: happened.at,
    })
}

/// Records what happened, together with the change.
pub async fn record(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    happened: Happened<'_>,
) -> Result<(), Error> {
    let entry = entry(gateway, happened);
    Ok(work.audit().add(&entry).await?)
}

/// A change that somebody makes.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Whose record it belongs to; `None`: the gateway's own.
    pub organization: Option<&'a OrganizationId>,
    /// Who makes it.
    pub actor: &'a Actor,
    /// When.
    pub at: Timestamp,
}

impl Change<'_> {
    /// Records what is changed, and to what, together with the change.
    pub async fn record(
        &self,
        gateway: &Gateway,
        work: &mut BoxUnitOfWork,
        kind: AuditKind,
        subject: AuditSubject,
        details: Value,
    ) -> Result<(), Error> {
        let happened = Happened {
            organization: self.organization,
            kind,
            actor: self.actor.as_str(),
            subject,
            details,
            at: self.at,
        };
        record(gateway, work, happened).await
    }
}

/// The name of a session's agent as an actor.
pub fn sandbox(session: SessionId) -> String {
    format!("sandbox:{session}")
}

/// What happened to an invocation.
pub fn invocation<'a>(
    kind: AuditKind,
    organization: &'a OrganizationId,
    id: InvocationId,
    actor: &'a str,
    details: Value,
    at: Timestamp,
) -> Happened<'a> {
    Happened {
        organization: Some(organization),
        kind,
        actor,
        subject: AuditSubject::from(&id),
        details,
        at,
    }
}

/// How invocations that nobody executes or decides about any more end.
#[derive(Debug, Clone, Copy)]
pub struct End {
    kind: AuditKind,
    before: InvocationStatus,
    after: InvocationStatus,
}

/// Nobody decided in time, or the session was closed.
pub const EXPIRED: End = End {
    kind: AuditKind::InvocationExpired,
    before: InvocationStatus::Pending,
    after: InvocationStatus::Expired,
};

/// The gateway that executed it is gone.
pub const INTERRUPTED: End = End {
    kind: AuditKind::InvocationFailed,
    before: InvocationStatus::Executing,
    after: InvocationStatus::Failed,
};

/// Records the end of each of these.
pub async fn record_ended(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    ended: &[ChangedInvocation],
    end: End,
    actor: &str,
    at: Timestamp,
) -> Result<(), Error> {
    for ChangedInvocation {
        id,
        organization_id,
    } in ended
    {
        let details = transition(end.before, end.after, []);
        let happened = invocation(end.kind, organization_id, *id, actor, details, at);
        record(gateway, work, happened).await?;
    }
    Ok(())
}

/// A change of an invocation's status as details of its event, with `more` members.
pub fn transition<const N: usize>(
    before: InvocationStatus,
    after: InvocationStatus,
    more: [(&str, Value); N],
) -> Value {
    let statuses = [
        ("before", json!(before.as_str())),
        ("after", json!(after.as_str())),
    ];
    let members = statuses.into_iter().chain(more);
    let object = members.map(|(name, value)| (name.to_owned(), value));
    Value::Object(object.collect())
}

/// What an invocation looked like when it was asked for: what was decided, and
/// the digests of all that an approval is bound to.
pub fn requested(invocation: &Invocation, params_digest: &str, version: Option<i64>) -> Value {
    json!({
        "before": null,
        "after": invocation.status.as_str(),
        "session": invocation.session_id.to_string(),
        "source": invocation.source.as_str(),
        "action": invocation.action.as_str(),
        "mode": invocation.mode.as_str(),
        "modeSource": invocation.mode_source.as_str(),
        "paramsDigest": params_digest,
        "drifted": invocation.drifted,
        "definitionDigest": invocation.definition_digest.map(|digest| digest.to_string()),
        "pluginDigest": invocation.plugin_digest.map(|digest| digest.to_string()),
        "connection": invocation.connection_id.map(|id| id.to_string()),
        "connectionVersion": version,
    })
}

/// The scope of a mode, as details of an event.
pub fn scope(scope: &ModeScope) -> Value {
    match scope {
        ModeScope::Organization(_) => json!("organization"),
        ModeScope::Automation(id) => json!(format!("automation:{id}")),
    }
}
