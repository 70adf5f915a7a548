//! Approving: what was asked for runs, exactly as it was asked for.

use std::sync::Arc;

use portcullis_core::audit::AuditKind;
use portcullis_core::canonical::JsonDigest;
use portcullis_core::id::{ActionKey, InvocationId};
use portcullis_core::invocation::{Invocation, InvocationStatus};
use portcullis_core::modes::Mode;
use portcullis_core::time::Timestamp;
use portcullis_storage::{
    Approval, BoxUnitOfWork, Connection, HintKind, ModeScope, WaitingInvocation,
};
use serde_json::{Value, json};
use tracing::Instrument as _;

use super::{check_role, count, find_waiting, lost, settle, undecided};
use crate::access::{Agent, Decider, session_connections};
use crate::actions::admission::{
    Admission, Request, admission_query, chosen, current_connections, decide_mode,
    likely_connection, open, params_place,
};
use crate::actions::execution::{Execution, execute_held};
use crate::actions::leases;
use crate::actions::observed::Observed;
use crate::audit;
use crate::connections::{Missing, OpenConnection};
use crate::error::{Error, Undecided};
use crate::gateway::Gateway;
use crate::metrics::Decision;
use crate::modes;

/// What the person says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approve {
    /// Also allows the action from now on, and for whom; `None`: this once.
    pub always: Option<Reach>,
    /// The contract digest of the definition the person saw; `None` when they take
    /// it as the invocation has it.
    pub seen: Option<JsonDigest>,
}

/// For whom an action is allowed from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Every session of the organization.
    Organization,
    /// Every session of the invocation's automation.
    Automation,
}

/// Approves a pending invocation, runs it, and returns it as it ended.
///
/// # Errors
///
/// [`Error::Undecided`] when it does not wait any more, or when what it was asked
/// under has changed; it then goes on waiting.
pub async fn approve(
    gateway: &Arc<Gateway>,
    decider: Decider,
    id: InvocationId,
    approve: Approve,
) -> Result<Invocation, Error> {
    let _counted = gateway.executions.token();
    if gateway.executions.is_closed() {
        return Err(Error::ShuttingDown);
    }
    let task = approve_and_execute(Arc::clone(gateway), decider, id, approve);
    // A task of its own: between the commit and the execution nobody may hang up
    // on us.
    gateway
        .executions
        .spawn(task.in_current_span())
        .await
        .unwrap_or_else(|panic| Err(Error::Internal(panic.to_string())))
}

async fn approve_and_execute(
    gateway: Arc<Gateway>,
    decider: Decider,
    id: InvocationId,
    approve: Approve,
) -> Result<Invocation, Error> {
    let begun = begin(&gateway, &decider, id, &approve).await;
    let approved = begun.as_ref();
    let approved = approved.map(|(_, admission)| &admission.invocation);
    count(&gateway, Decision::Approve, approved);
    let (request, admission) = begun?;
    let invocation = &admission.invocation;
    let observed = Observed::begin(
        &gateway,
        invocation.session_id,
        invocation.source.as_str(),
        invocation.action.as_str(),
    );
    tracing::info!(
        invocationId = %id,
        organizationId = %decider.session.organization_id,
        approvedBy = %decider.user,
        always = ?approve.always,
        "invocation approved"
    );
    let execution = Execution {
        admission,
        plugin: request.plugin,
        action: request.action,
        params: request.params,
    };
    let span = observed.span();
    let ended = execute_held(&gateway, execution).instrument(span).await;
    let ended = ended.inspect_err(|error| observed.unrecorded(error))?;
    observed.ended(&ended);
    Ok(ended)
}

async fn read(
    gateway: &Gateway,
    decider: &Decider,
    id: InvocationId,
) -> Result<(WaitingInvocation, Vec<Connection>), Error> {
    let mut work = gateway.storage.read().await?;
    let session = &decider.session;
    let waiting = find_waiting(&mut work, session.id, id, gateway.clock.now()).await?;
    let connections = session_connections(&mut work, session).await?;
    Ok((waiting, connections))
}

/// The request as it was made, against the definitions that are served now.
fn asked(
    gateway: &Gateway,
    decider: &Decider,
    waiting: &WaitingInvocation,
    connections: Vec<Connection>,
    approve: &Approve,
) -> Result<Request, Error> {
    let invocation = &waiting.invocation;
    let changed = || undecided(invocation.clone(), Undecided::DefinitionChanged);
    let plugin = gateway.sources.plugin(&invocation.source);
    let plugin = plugin.ok_or_else(changed)?;
    let action = plugin.action(&invocation.action).ok_or_else(changed)?;
    let current = action.digests.contract;
    // Of a row without a digest nobody knows what was seen.
    if invocation.definition_digest != Some(current)
        || approve.seen.is_some_and(|seen| seen != current)
    {
        return Err(changed());
    }
    if approve.always == Some(Reach::Automation) && decider.session.automation_id.is_none() {
        return Err(Error::InvalidField {
            path: "/scope".to_owned(),
            rule: "automation",
            message: "the session runs for no automation; use the scope `org`".to_owned(),
        });
    }
    Ok(Request {
        action: action.definition.clone(),
        digests: action.digests,
        params: exact_params(gateway, waiting)?,
        idempotency_key: None,
        agent: Arc::new(Agent {
            session: decider.session.clone(),
            connections,
        }),
        plugin,
    })
}

/// The params as they were asked for, which is what the digest says.
fn exact_params(gateway: &Gateway, waiting: &WaitingInvocation) -> Result<Value, Error> {
    let invocation = &waiting.invocation;
    let missing = || Error::Internal("a pending invocation has no params".to_owned());
    let sealed = waiting.sealed_params.as_ref().ok_or_else(missing)?;
    let row = invocation.id.to_string();
    let place = params_place(&row, &invocation.organization_id);
    let opened = gateway.vault.open(&place, sealed)?;
    let params: Value = serde_json::from_slice(&opened)
        .map_err(|_| Error::Internal("sealed params are not JSON".to_owned()))?;
    if JsonDigest::of(&params).to_string() != waiting.params_digest {
        let message = "sealed params are not those that were asked for";
        return Err(Error::Internal(message.to_owned()));
    }
    Ok(params)
}

/// Makes the invocation an executing one, if all that it was asked under still
/// holds.
async fn begin(
    gateway: &Arc<Gateway>,
    decider: &Decider,
    id: InvocationId,
    approve: &Approve,
) -> Result<(Request, Admission), Error> {
    let (waiting, connections) = read(gateway, decider, id).await?;
    let request = asked(gateway, decider, &waiting, connections, approve)?;
    let likely = likely_connection(gateway, &request);
    let mut work = gateway.storage.write().await?;
    let weighed = weigh(gateway, &mut work, decider, &request, id, approve, likely).await;
    let admission = settle(work, weighed).await?;
    gateway.announce([id]);
    if let Some(scope) = scope(decider, approve) {
        gateway.hint(HintKind::Modes, &scope.owner()).await;
    }
    Ok((request, admission))
}

async fn weigh(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    decider: &Decider,
    request: &Request,
    id: InvocationId,
    approve: &Approve,
    likely: Option<Result<OpenConnection, Missing>>,
) -> Result<Admission, Error> {
    let session = &decider.session;
    let organization = &session.organization_id;
    if approve.always.is_some() {
        work.organizations().lock(organization).await?;
    } else {
        work.organizations().share(organization).await?;
    }
    let query = admission_query(request, gateway.clock.now());
    let facts = work.admission().weigh(&query).await?;
    let facts = facts.ok_or(Error::NotFound("session"))?;
    // From this moment, since locks may have been waited for.
    let now = gateway.clock.now();
    check_role(work, decider).await?;
    let waiting = find_waiting(work, session.id, id, now).await?;
    let refuse = |why| Err(undecided(waiting.invocation.clone(), why));
    if facts.is_closed {
        return refuse(Undecided::SessionClosed);
    }
    if decide_mode(&facts, request).mode == Mode::Deny {
        return refuse(Undecided::DeniedMeanwhile);
    }
    let connections = current_connections(work, &request.agent, &facts).await?;
    let connection = chosen(request, &connections);
    let current = connection.ok().map(|row| (row.id, row.version));
    let asked = (waiting.invocation.connection_id).zip(waiting.connection_version);
    if current != asked {
        return refuse(Undecided::ConnectionChanged);
    }
    let likely = likely.and_then(Result::ok);
    let opened = match (connection, likely) {
        (Ok(row), Some(likely)) => likely.with_row(row),
        _ => None,
    };
    let opened = match opened {
        Some(opened) => Ok(opened),
        None => open(gateway, connection)?,
    };
    let invocation = start(gateway, work, decider, waiting, now).await?;
    if let Some(scope) = scope(decider, approve) {
        allow(gateway, work, decider, request, &scope, now).await?;
    }
    Ok(Admission {
        invocation,
        connection: opened,
        granted_origins: facts.granted_origins,
    })
}

/// The conditional update, and its event.
async fn start(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    decider: &Decider,
    waiting: WaitingInvocation,
    now: Timestamp,
) -> Result<Invocation, Error> {
    let WaitingInvocation {
        invocation,
        params_digest,
        connection_version,
        ..
    } = waiting;
    let approval = Approval {
        approved_by: decider.user.clone(),
        approved_at: now,
        node: gateway.node.clone(),
        lease_expires_at: leases::ends_at(gateway, now),
    };
    let is_started = work.invocations().approve(invocation.id, &approval).await?;
    if !is_started {
        return Err(lost(work, invocation.session_id, invocation.id, now).await);
    }
    let digest = invocation.definition_digest;
    let details = audit::transition(
        InvocationStatus::Pending,
        InvocationStatus::Executing,
        [
            ("paramsDigest", json!(params_digest)),
            (
                "definitionDigest",
                json!(digest.map(|digest| digest.to_string())),
            ),
            ("connectionVersion", json!(connection_version)),
        ],
    );
    let actor = decider.actor();
    let happened = audit::invocation(
        AuditKind::InvocationApproved,
        &invocation.organization_id,
        invocation.id,
        &actor,
        details,
        now,
    );
    audit::record(gateway, work, happened).await?;
    Ok(Invocation {
        status: InvocationStatus::Executing,
        approved_by: Some(approval.approved_by),
        approved_at: Some(now),
        ..invocation
    })
}

/// Whose mode "always" sets.
fn scope(decider: &Decider, approve: &Approve) -> Option<ModeScope> {
    let session = &decider.session;
    match approve.always? {
        Reach::Organization => Some(ModeScope::Organization(session.organization_id.clone())),
        Reach::Automation => session.automation_id.map(ModeScope::Automation),
    }
}

/// Allows the action from now on, for as long as its definition is the one that
/// was seen.
async fn allow(
    gateway: &Gateway,
    work: &mut BoxUnitOfWork,
    decider: &Decider,
    request: &Request,
    scope: &ModeScope,
    now: Timestamp,
) -> Result<(), Error> {
    let actor = decider.actor();
    let change = modes::Change {
        organization: &decider.session.organization_id,
        actor: &actor,
        scope,
        key: &ActionKey {
            source: request.plugin.descriptor().id.clone(),
            action: request.action.id.clone(),
        },
    };
    let pin = Some(request.digests);
    change.put(gateway, work, Mode::Allow, pin, now).await
}
