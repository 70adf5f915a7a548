//! Admission: the one transaction in which a request becomes a row.
//!
//! The session is locked first, so that everything counted afterwards is
//! exact: of any number of concurrent requests precisely as many are admitted as
//! the limits allow. Once the row is committed the action may run; not before.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use portcullis_core::action::ActionDefinition;
use portcullis_core::audit::AuditKind;
use portcullis_core::canonical::JsonDigest;
use portcullis_core::definition::{DefinitionDigests, DefinitionStamp};
use portcullis_core::id::{ActionKey, InvocationId, OrganizationId};
use portcullis_core::invocation::{DeniedReason, Invocation, InvocationStatus};
use portcullis_core::modes::{Mode, ModeDecision, ModeInputs, decide};
use portcullis_core::redact::Redactor;
use portcullis_core::time::Timestamp;
use portcullis_core::truncate::{MAX_RESULT_BYTES, truncate};
use portcullis_runtime::Plugin;
use portcullis_storage::{
    AdmissionFacts, AdmissionQuery, AuditEntry, BoxUnitOfWork, Connection, ConnectionStamp,
    NewInvocation, Sealed, SealedColumn, Session,
};
use serde_json::Value;
use uuid::Uuid;

use super::leases;
use crate::access::{Agent, session_connections};
use crate::audit;
use crate::connections::{Missing, OpenConnection, choose};
use crate::error::Error;
use crate::gateway::Gateway;
use crate::metrics::Stage;
use crate::vault::Place;

/// The window of the rate limit.
const RATE_WINDOW: Duration = Duration::from_mins(1);

/// When to ask again when too many requests wait for a person. A person decides
/// in minutes; asking every half minute costs little.
const PENDING_RETRY: Duration = Duration::from_secs(30);

/// How long an idempotency key is honoured.
pub(super) const IDEMPOTENCY_LIFE: Duration = Duration::from_hours(24);

/// A validated request that asks to be admitted.
#[derive(Debug, Clone)]
pub struct Request {
    /// The agent that asks.
    pub agent: Arc<Agent>,
    /// The plugin version that will execute it.
    pub plugin: Plugin,
    /// The action.
    pub action: ActionDefinition,
    /// What identifies its definition.
    pub digests: DefinitionDigests,
    /// Params that satisfy the action's schema.
    pub params: Value,
    /// The client's key for this request.
    pub idempotency_key: Option<String>,
}

impl Request {
    /// As much of the definition as modes depend on.
    const fn stamp(&self) -> DefinitionStamp {
        DefinitionStamp {
            digests: self.digests,
            risk: self.action.risk,
        }
    }
}

/// What is computed from the params before the transaction begins: while that
/// runs, no other session can be admitted.
struct Digested {
    /// Of all the client asked for, spelled however it liked.
    body: String,
    /// Of the exact params.
    params: String,
    /// Redacted and truncated, for display. The exact ones are sealed where they
    /// are needed.
    shown: Value,
}

impl Digested {
    fn of(request: &Request, redactor: &Redactor) -> Self {
        let body = serde_json::json!({
            "integration": request.plugin.descriptor().id.as_str(),
            "action": request.action.id.as_str(),
            "params": request.params,
        });
        Self {
            body: JsonDigest::of(&body).to_string(),
            params: JsonDigest::of(&request.params).to_string(),
            shown: shown_params(request, redactor),
        }
    }
}

/// What became of a request.
pub(super) enum Admitted {
    /// A new row; its status says what happens next.
    New(Box<Admission>),
    /// The row of an earlier request with the same idempotency key.
    Earlier(InvocationId),
}

/// A row that was written, and what its transaction found for the execution.
pub(super) struct Admission {
    /// The row.
    pub(super) invocation: Invocation,
    /// The connection it uses, or why there is none.
    pub(super) connection: Result<OpenConnection, Missing>,
    /// Origins that operators granted.
    pub(super) granted_origins: Vec<String>,
}

/// Decides about a request and writes its row.
#[tracing::instrument(name = "admission", level = "debug", skip_all)]
pub(super) async fn admit(gateway: &Arc<Gateway>, request: &Request) -> Result<Admitted, Error> {
    let source = request.plugin.descriptor().id.as_str();
    let _timed = gateway.metrics.time(source, Stage::Admission);
    let likely = likely_connection(gateway, request);
    let opened = likely.as_ref().and_then(|likely| likely.as_ref().ok());
    let digested = Digested::of(request, &params_redactor(opened));
    let organization = &request.agent.session.organization_id;
    let _turn = gateway.writers.turn(organization).await;
    let mut work = gateway.storage.write().await?;
    let now = gateway.clock.now();
    let (facts, decision) = match weigh(gateway, &mut work, request, &digested, now).await {
        Ok(Weighed::Admissible(facts, decision)) => (facts, decision),
        Ok(Weighed::Earlier(earlier)) => {
            work.save().await?;
            return Ok(Admitted::Earlier(earlier));
        }
        Err(failed @ Error::Storage(_)) => return Err(failed),
        // What it rests on may have been saved by others and not yet be committed.
        Err(refusal) => {
            work.save().await?;
            return Err(refusal);
        }
    };
    let connections = current_connections(&mut work, &request.agent, &facts).await?;
    let connection = chosen(request, &connections);
    let (opened, shown) = match (connection, likely) {
        (Err(missing), Some(Err(_))) => (Err(missing), digested.shown),
        (Ok(row), Some(Ok(likely))) => match likely.with_row(row) {
            Some(opened) => (Ok(opened), digested.shown),
            None => open_anew(gateway, request, connection)?,
        },
        (connection, _) => open_anew(gateway, request, connection)?,
    };

    let invocation = Invocation {
        connection_id: opened.as_ref().ok().map(|opened| opened.connection.id),
        params: shown,
        ..decided(gateway, request, decision, &facts, now)
    };
    let version = opened.as_ref().ok().map(|opened| opened.connection.version);
    let new = new_row(gateway, request, invocation, digested.params, version)?;
    work.invocations()
        .add(&new, &requested(gateway, &new))
        .await?;
    if let Some(key) = &request.idempotency_key {
        work.idempotency_keys()
            .add(
                new.invocation.session_id,
                key,
                &digested.body,
                new.invocation.id,
                now,
            )
            .await?;
    }
    work.save().await?;
    gateway.announce([new.invocation.id]);
    Ok(Admitted::New(Box::new(Admission {
        invocation: new.invocation,
        connection: opened,
        granted_origins: facts.granted_origins,
    })))
}

/// What a transaction finds about a request.
enum Weighed {
    Admissible(Box<AdmissionFacts>, ModeDecision),
    /// The row of an earlier request with the same idempotency key.
    Earlier(InvocationId),
}

/// Locks the session, counts and decides; an error other than that of the database
/// is a refusal.
async fn weigh(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    request: &Request,
    digested: &Digested,
    now: Timestamp,
) -> Result<Weighed, Error> {
    let query = admission_query(request, now);
    let facts = work.admission().weigh(&query).await?;
    let facts = facts.ok_or(Error::NotFound("session"))?;
    if facts.is_closed {
        return Err(Error::SessionClosed);
    }
    if let Some(earlier) = find_earlier(work, request, digested, now).await? {
        return Ok(Weighed::Earlier(earlier));
    }
    check_rate(gateway, work, &facts, &query).await?;
    let decision = decide_mode(&facts, request);
    if decision.mode == Mode::RequireApproval {
        check_pending(gateway, &facts)?;
    }
    Ok(Weighed::Admissible(Box::new(facts), decision))
}

/// The connection that will probably be used, opened before the transaction
/// begins. What counts is what the transaction finds, so one that does not open
/// is nothing yet.
pub(super) fn likely_connection(
    gateway: &Gateway,
    request: &Request,
) -> Option<Result<OpenConnection, Missing>> {
    let agent = &request.agent;
    open(gateway, chosen(request, &agent.connections)).ok()
}

/// The connections of the session as the transaction finds them: those that the
/// request came with, unless one of them has changed.
pub(super) async fn current_connections<'a>(
    work: &mut BoxUnitOfWork,
    agent: &'a Agent,
    facts: &AdmissionFacts,
) -> Result<Cow<'a, [Connection]>, Error> {
    if are_same(&agent.connections, &facts.connections) {
        return Ok(Cow::Borrowed(&agent.connections));
    }
    let read = session_connections(work, &agent.session).await?;
    Ok(Cow::Owned(read))
}

fn are_same(copies: &[Connection], stamps: &[ConnectionStamp]) -> bool {
    let is_same = |copy: &Connection| {
        stamps.iter().any(|stamp| {
            (stamp.id, stamp.version, stamp.status) == (copy.id, copy.version, copy.status)
        })
    };
    copies.len() == stamps.len() && copies.iter().all(is_same)
}

pub(super) fn chosen<'a>(
    request: &Request,
    connections: &'a [Connection],
) -> Result<&'a Connection, Missing> {
    let source = &request.plugin.descriptor().id;
    let user = request.agent.session.user_id.as_ref();
    choose(connections, source, request.action.credential, user)
}

pub(super) fn open(
    gateway: &Gateway,
    chosen: Result<&Connection, Missing>,
) -> Result<Result<OpenConnection, Missing>, Error> {
    match chosen {
        Ok(connection) => OpenConnection::open(gateway, connection).map(Ok),
        Err(missing) => Ok(Err(missing)),
    }
}

/// What finds the credential this request would use: an agent that has got hold
/// of it may hand it back as a param, and rows are no place for it.
fn params_redactor(connection: Option<&OpenConnection>) -> Arc<Redactor> {
    match connection {
        Some(open) => Arc::clone(&open.opened.redactor),
        None => Arc::new(Redactor::keys_only()),
    }
}

/// For the rare case that a connection was rotated or removed between the
/// arrival of a request and its transaction: its credential, and the params
/// without it.
fn open_anew(
    gateway: &Gateway,
    request: &Request,
    connection: Result<&Connection, Missing>,
) -> Result<(Result<OpenConnection, Missing>, Value), Error> {
    let opened = open(gateway, connection)?;
    let shown = shown_params(request, &params_redactor(opened.as_ref().ok()));
    Ok((opened, shown))
}

/// Params for display: redacted and truncated.
fn shown_params(request: &Request, redactor: &Redactor) -> Value {
    truncate(
        redactor.redact_value(request.params.clone()),
        MAX_RESULT_BYTES,
    )
    .value
}

/// A session's organization, user and automation are for good, so those of the
/// copy are right.
pub(super) fn admission_query(request: &Request, now: Timestamp) -> AdmissionQuery {
    let session = &request.agent.session;
    AdmissionQuery {
        session_id: session.id,
        organization_id: session.organization_id.clone(),
        automation_id: session.automation_id,
        key: ActionKey {
            source: request.plugin.descriptor().id.clone(),
            action: request.action.id.clone(),
        },
        rate_since: now.saturating_sub(RATE_WINDOW),
        now,
    }
}

async fn find_earlier(
    work: &mut BoxUnitOfWork,
    request: &Request,
    digested: &Digested,
    now: Timestamp,
) -> Result<Option<InvocationId>, Error> {
    let Some(key) = &request.idempotency_key else {
        return Ok(None);
    };
    // A key that is a day old is free, whether or not it has been tidied away.
    work.idempotency_keys()
        .remove_if_older_than(
            request.agent.session.id,
            key,
            now.saturating_sub(IDEMPOTENCY_LIFE),
        )
        .await?;
    let earlier = work
        .idempotency_keys()
        .find(request.agent.session.id, key)
        .await?;
    match earlier {
        None => Ok(None),
        Some(record) if record.body_digest == digested.body => Ok(Some(record.invocation_id)),
        Some(_) => Err(Error::IdempotencyKeyReused),
    }
}

async fn check_rate(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    facts: &AdmissionFacts,
    query: &AdmissionQuery,
) -> Result<(), Error> {
    let limit = gateway.config.admission.invocations_per_minute;
    if facts.recent < limit {
        return Ok(());
    }
    let oldest = work
        .invocations()
        .oldest_since(query.session_id, query.rate_since)
        .await?;
    let free_at = oldest.unwrap_or(query.now).saturating_add(RATE_WINDOW);
    Err(Error::RateLimited {
        limit,
        retry_after: free_at.since(query.now),
    })
}

fn check_pending(gateway: &Gateway, facts: &AdmissionFacts) -> Result<(), Error> {
    let limit = gateway.config.admission.pending_per_session;
    if facts.pending < limit {
        return Ok(());
    }
    Err(Error::TooManyPending {
        limit,
        retry_after: PENDING_RETRY,
    })
}

/// The cascade, over what is stored at this moment.
pub(super) fn decide_mode(facts: &AdmissionFacts, request: &Request) -> ModeDecision {
    let inputs = ModeInputs {
        automation_override: facts.automation_mode.clone(),
        org_default: facts.organization_mode.clone(),
        connector_override: None,
        reviewed: facts.reviewed,
        text_changes: facts.text_changes,
    };
    decide(&inputs, request.stamp())
}

/// The invocation that a decision makes, without connection and params.
fn decided(
    gateway: &Gateway,
    request: &Request,
    decision: ModeDecision,
    facts: &AdmissionFacts,
    now: Timestamp,
) -> Invocation {
    let session = &request.agent.session;
    let status = match decision.mode {
        Mode::Allow => InvocationStatus::Executing,
        Mode::RequireApproval => InvocationStatus::Pending,
        Mode::Deny => InvocationStatus::Denied,
    };
    let denied_reason = match decision.unknown_value {
        Some(value) => DeniedReason::UnknownMode(value),
        None => DeniedReason::Policy,
    };
    let denied = status == InvocationStatus::Denied;
    let pending = status == InvocationStatus::Pending;
    Invocation {
        id: InvocationId::new(Uuid::new_v4()),
        session_id: session.id,
        organization_id: session.organization_id.clone(),
        connection_id: None,
        source: request.plugin.descriptor().id.clone(),
        action: request.action.id.clone(),
        risk: decision.risk,
        mode: decision.mode,
        mode_source: decision.source,
        drifted: decision.drifted,
        params: Value::Null,
        definition_digest: Some(request.digests.contract),
        plugin_digest: Some(request.plugin.digest()),
        status,
        result: None,
        result_truncated: false,
        full_result: None,
        error: None,
        denied_reason: denied.then_some(denied_reason),
        decision_reason: None,
        duration_ms: None,
        approved_by: None,
        approved_at: None,
        completed_at: denied.then_some(now),
        expires_at: pending.then(|| now.saturating_add(approval_time(gateway, session, facts))),
        created_at: now,
    }
}

/// The row, with what only the gateway sees: a lease for what executes, the
/// exact params for what waits.
fn new_row(
    gateway: &Gateway,
    request: &Request,
    invocation: Invocation,
    params_digest: String,
    connection_version: Option<i64>,
) -> Result<NewInvocation, Error> {
    let executing = invocation.status == InvocationStatus::Executing;
    let pending = invocation.status == InvocationStatus::Pending;
    // From this moment, since the session's lock may have been waited for.
    let lease_expires_at = leases::ends_at(gateway, gateway.clock.now());
    Ok(NewInvocation {
        sealed_params: pending
            .then(|| seal_params(gateway, &invocation, &request.params))
            .transpose()?,
        params_digest,
        connection_version,
        node: executing.then(|| gateway.node.clone()),
        lease_expires_at: executing.then_some(lease_expires_at),
        invocation,
    })
}

/// How long a request waits for a person: nobody may be watching a run.
fn approval_time(gateway: &Gateway, session: &Session, facts: &AdmissionFacts) -> Duration {
    let approvals = &gateway.config.approvals;
    let usual = if session.automation_id.is_some() {
        approvals.automation_seconds
    } else {
        approvals.interactive_seconds
    };
    Duration::from_secs(facts.approval_seconds.map_or(usual, u64::from))
}

/// The event of a request.
fn requested(gateway: &Gateway, new: &NewInvocation) -> AuditEntry {
    let invocation = &new.invocation;
    let agent = audit::sandbox(invocation.session_id);
    let details = audit::requested(invocation, &new.params_digest, new.connection_version);
    let happened = audit::invocation(
        AuditKind::InvocationRequested,
        &invocation.organization_id,
        invocation.id,
        &agent,
        details,
        invocation.created_at,
    );
    audit::entry(gateway, happened)
}

/// Where the exact params of an invocation stand.
pub(super) fn params_place<'a>(row: &'a str, organization: &'a OrganizationId) -> Place<'a> {
    Place {
        column: SealedColumn::Params,
        row,
        organization,
    }
}

/// Keeps the exact params for the moment somebody approves: what people are
/// shown is redacted, and would be the wrong thing to execute.
fn seal_params(
    gateway: &Gateway,
    invocation: &Invocation,
    params: &Value,
) -> Result<Sealed, Error> {
    let row = invocation.id.to_string();
    let place = params_place(&row, &invocation.organization_id);
    Ok(gateway.vault.seal(&place, params.to_string().as_bytes())?)
}
