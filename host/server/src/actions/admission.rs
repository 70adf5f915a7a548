//! Admission: the one transaction in which a request becomes a row.
//!
//! The session's row is locked first, so that everything counted afterwards is
//! exact: of any number of concurrent requests precisely as many are admitted as
//! the limits allow. Once the row is committed the action may run; not before.

use std::time::Duration;

use portcullis_core::action::ActionDefinition;
use portcullis_core::canonical::JsonDigest;
use portcullis_core::id::{ActionKey, InvocationId, SessionId};
use portcullis_core::invocation::{DeniedReason, Invocation, InvocationStatus};
use portcullis_core::modes::{Mode, ModeDecision, ModeInputs, decide};
use portcullis_core::redact::Redactor;
use portcullis_core::time::Timestamp;
use portcullis_runtime::Plugin;
use portcullis_storage::{BoxUnitOfWork, Connection, ModeScope, NewInvocation, Sealed, Session};
use serde_json::Value;
use uuid::Uuid;

use super::catalog::session_connections;
use crate::connections::select;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::vault::Place;

/// The window of the rate limit.
const RATE_WINDOW: Duration = Duration::from_mins(1);

/// When to ask again when too many requests wait for a person. A person decides
/// in minutes; asking every half minute costs little.
const PENDING_RETRY: Duration = Duration::from_secs(30);

/// Beyond the deadline of a call, the time a node has to persist its outcome
/// before others may call it lost.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// A validated request that asks to be admitted.
#[derive(Debug, Clone)]
pub struct Request {
    /// The session that asks.
    pub session_id: SessionId,
    /// The plugin version that will execute it.
    pub plugin: Plugin,
    /// The action.
    pub action: ActionDefinition,
    /// Params that satisfy the action's schema.
    pub params: Value,
    /// The client's key for this request.
    pub idempotency_key: Option<String>,
}

/// What became of a request.
#[derive(Debug)]
pub enum Admitted {
    /// A new row; its status says what happens next.
    New {
        /// The row.
        invocation: Box<Invocation>,
        /// The connection it uses.
        connection: Option<Connection>,
    },
    /// The row of an earlier request with the same idempotency key.
    Earlier(InvocationId),
}

/// Decides about a request and writes its row.
pub async fn admit(gateway: &Gateway, request: &Request) -> Result<Admitted, Error> {
    let now = gateway.clock.now();
    let mut work = gateway.storage.write().await?;
    let session = work
        .sessions()
        .lock(request.session_id)
        .await?
        .ok_or(Error::NotFound("session"))?;
    if session.closed_at.is_some() {
        return Err(Error::SessionClosed);
    }
    if let Some(earlier) = find_earlier(&mut work, request).await? {
        return Ok(Admitted::Earlier(earlier));
    }
    check_rate(gateway, &mut work, session.id, now).await?;
    let decision = decide_mode(&mut work, &session, request).await?;
    if decision.mode == Mode::RequireApproval {
        check_pending(gateway, &mut work, session.id, now).await?;
    }
    let connection = find_connection(&mut work, &session, request).await?;

    let new = new_invocation(
        gateway,
        request,
        &session,
        decision,
        connection.as_ref(),
        now,
    )?;
    work.invocations().add(&new).await?;
    if let Some(key) = &request.idempotency_key {
        let digest = body_digest(request).to_string();
        work.idempotency_keys()
            .add(session.id, key, &digest, new.invocation.id, now)
            .await?;
    }
    work.save().await?;
    Ok(Admitted::New {
        invocation: Box::new(new.invocation),
        connection,
    })
}

async fn find_earlier(
    work: &mut BoxUnitOfWork,
    request: &Request,
) -> Result<Option<InvocationId>, Error> {
    let Some(key) = &request.idempotency_key else {
        return Ok(None);
    };
    let earlier = work
        .idempotency_keys()
        .find(request.session_id, key)
        .await?;
    match earlier {
        None => Ok(None),
        Some(record) if record.body_digest == body_digest(request).to_string() => {
            Ok(Some(record.invocation_id))
        }
        Some(_) => Err(Error::IdempotencyKeyReused),
    }
}

/// The digest of what the client asked for, spelled however it liked.
fn body_digest(request: &Request) -> JsonDigest {
    JsonDigest::of(&serde_json::json!({
        "integration": request.plugin.descriptor().id.as_str(),
        "action": request.action.id.as_str(),
        "params": request.params,
    }))
}

async fn check_rate(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    session: SessionId,
    now: Timestamp,
) -> Result<(), Error> {
    let limit = gateway.config.admission.invocations_per_minute;
    let since = now.saturating_sub(RATE_WINDOW);
    if work.invocations().count_since(session, since).await? < limit {
        return Ok(());
    }
    let oldest = work.invocations().oldest_since(session, since).await?;
    let free_at = oldest.unwrap_or(now).saturating_add(RATE_WINDOW);
    Err(Error::RateLimited {
        limit,
        retry_after: free_at.since(now),
    })
}

async fn check_pending(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    session: SessionId,
    now: Timestamp,
) -> Result<(), Error> {
    let limit = gateway.config.admission.pending_per_session;
    if work.invocations().count_pending(session, now).await? < limit {
        return Ok(());
    }
    Err(Error::TooManyPending {
        limit,
        retry_after: PENDING_RETRY,
    })
}

/// The cascade, over what is stored at this moment.
async fn decide_mode(
    work: &mut BoxUnitOfWork,
    session: &Session,
    request: &Request,
) -> Result<ModeDecision, Error> {
    let key = ActionKey {
        source: request.plugin.descriptor().id.clone(),
        action: request.action.id.clone(),
    };
    let organization = ModeScope::Organization(session.organization_id.clone());
    let inputs = ModeInputs {
        automation_override: match session.automation_id {
            Some(id) => work.modes().find(&ModeScope::Automation(id), &key).await?,
            None => None,
        },
        org_default: work.modes().find(&organization, &key).await?,
        connector_override: None,
    };
    Ok(decide(&inputs, request.action.risk))
}

async fn find_connection(
    work: &mut BoxUnitOfWork,
    session: &Session,
    request: &Request,
) -> Result<Option<Connection>, Error> {
    let connections = session_connections(work, session).await?;
    let source = &request.plugin.descriptor().id;
    let user = session.user_id.as_ref();
    Ok(select(&connections, source, request.action.credential, user).cloned())
}

fn new_invocation(
    gateway: &Gateway,
    request: &Request,
    session: &Session,
    decision: ModeDecision,
    connection: Option<&Connection>,
    now: Timestamp,
) -> Result<NewInvocation, Error> {
    let id = InvocationId::new(Uuid::new_v4());
    let status = match decision.mode {
        Mode::Allow => InvocationStatus::Executing,
        Mode::RequireApproval => InvocationStatus::Pending,
        Mode::Deny => InvocationStatus::Denied,
    };
    let denied = status == InvocationStatus::Denied;
    let executing = status == InvocationStatus::Executing;
    let pending = status == InvocationStatus::Pending;
    let invocation = Invocation {
        id,
        session_id: session.id,
        organization_id: session.organization_id.clone(),
        connection_id: connection.map(|connection| connection.id),
        source: request.plugin.descriptor().id.clone(),
        action: request.action.id.clone(),
        risk: request.action.risk,
        mode: decision.mode,
        mode_source: decision.source,
        drifted: false,
        params: Redactor::keys_only().redact_value(request.params.clone()),
        plugin_digest: Some(request.plugin.digest()),
        status,
        result: None,
        result_truncated: false,
        error: None,
        denied_reason: denied.then_some(match decision.unknown_value {
            Some(value) => DeniedReason::UnknownMode(value),
            None => DeniedReason::Policy,
        }),
        duration_ms: None,
        approved_by: None,
        approved_at: None,
        completed_at: denied.then_some(now),
        expires_at: pending.then(|| now.saturating_add(approval_time(gateway, session))),
        created_at: now,
    };
    Ok(NewInvocation {
        sealed_params: pending
            .then(|| seal_params(gateway, &invocation, &request.params))
            .transpose()?,
        params_digest: JsonDigest::of(&request.params).to_string(),
        definition_digest: None,
        node: executing.then(|| gateway.node.clone()),
        lease_expires_at: executing.then(|| now.saturating_add(lease_time(gateway))),
        invocation,
    })
}

/// How long a request waits for a person: nobody may be watching a run.
fn approval_time(gateway: &Gateway, session: &Session) -> Duration {
    let approvals = &gateway.config.approvals;
    Duration::from_secs(if session.automation_id.is_some() {
        approvals.automation_seconds
    } else {
        approvals.interactive_seconds
    })
}

fn lease_time(gateway: &Gateway) -> Duration {
    Duration::from_millis(gateway.config.sandbox.deadline_ms)
        + Duration::from_millis(gateway.config.sandbox.queue_timeout_ms)
        + LEASE_MARGIN
}

/// Keeps the exact params for the moment somebody approves: what people are
/// shown is redacted, and would be the wrong thing to execute.
fn seal_params(
    gateway: &Gateway,
    invocation: &Invocation,
    params: &Value,
) -> Result<Sealed, Error> {
    let row = invocation.id.to_string();
    let place = Place {
        table: "action_invocations",
        column: "params_encrypted",
        row: &row,
        organization: &invocation.organization_id,
    };
    Ok(gateway.vault.seal(&place, params.to_string().as_bytes())?)
}
