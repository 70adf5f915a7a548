//! An action from request to answer.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::foreign;
use portcullis_core::id::{ActionId, InvocationId, SessionId, SourceId};
use portcullis_core::invocation::{Invocation, InvocationStatus};
use portcullis_runtime::{Plugin, PluginAction};
use serde_json::Value;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;
use tracing::Instrument as _;

use super::admission::{Admitted, Request, admit};
use super::execution::{Execution, execute_held};
use super::observed::Observed;
use crate::access::Agent;
use crate::error::Error;
use crate::gateway::Gateway;

/// What an agent asks for, not yet validated.
#[derive(Debug, Clone)]
pub struct InvokeRequest {
    /// The source.
    pub integration: String,
    /// The action within it.
    pub action: String,
    /// Its params.
    pub params: Value,
    /// The client's key for this request.
    pub idempotency_key: Option<String>,
}

/// Invokes an action for a session whose sandbox has been authenticated.
///
/// Returns the invocation as it stands: completed or failed when it ran, pending
/// when it waits for a person, denied when the mode says so. Errors mean that
/// there is no invocation.
pub async fn invoke(
    gateway: &Arc<Gateway>,
    agent: Arc<Agent>,
    request: InvokeRequest,
) -> Result<Invocation, Error> {
    // Taken before the look at whether the gateway is shutting down: a shutdown
    // that begins after the look waits for this request.
    let _counted = gateway.executions.token();
    if gateway.executions.is_closed() {
        return Err(Error::ShuttingDown);
    }
    let observed = Observed::begin(
        gateway,
        agent.session.id,
        &request.integration,
        &request.action,
    );
    let request = validate(gateway, agent, request).inspect_err(|error| observed.refused(error))?;
    let span = observed.span();
    let task = admit_and_execute(Arc::clone(gateway), request, observed);
    // A task of its own from here on: between the commit of the row and its
    // execution nobody may hang up on us.
    gateway
        .executions
        .spawn(task.instrument(span).in_current_span())
        .await
        .unwrap_or_else(|panic| Err(Error::Internal(panic.to_string())))
}

/// Finds source and action and checks the params.
fn validate(
    gateway: &Gateway,
    agent: Arc<Agent>,
    request: InvokeRequest,
) -> Result<Request, Error> {
    let plugin = find_plugin(gateway, &request.integration)?;
    let action = find_action(&plugin, &request.action)?;
    if foreign::is_too_deep(&request.params) {
        return Err(Error::InvalidField {
            path: "/params".to_owned(),
            rule: "maxDepth",
            message: format!("params may be nested {} levels deep", foreign::MAX_DEPTH),
        });
    }
    action
        .validator
        .validate(&request.params)
        .map_err(Error::InvalidParams)?;
    Ok(Request {
        agent,
        action: action.definition.clone(),
        digests: action.digests,
        params: request.params,
        idempotency_key: request.idempotency_key,
        plugin,
    })
}

/// Finds the version that serves a source, by the name that a client gives. Whoever
/// has it keeps it until they are done, whatever serves meanwhile.
pub(super) fn find_plugin(gateway: &Gateway, integration: &str) -> Result<Plugin, Error> {
    let unknown = || Error::UnknownSource(integration.chars().take(128).collect());
    let source: SourceId = integration.parse().map_err(|_| unknown())?;
    gateway.sources.plugin(&source).ok_or_else(unknown)
}

/// Finds an action of it by the name that a client gives.
pub(super) fn find_action<'a>(plugin: &'a Plugin, action: &str) -> Result<&'a PluginAction, Error> {
    let id = action.parse().ok();
    let found = id.and_then(|id| plugin.action(&id));
    found.ok_or_else(|| Error::UnknownAction {
        source_id: plugin.descriptor().id.clone(),
        action: action.chars().take(128).collect(),
        known: known_actions(plugin),
    })
}

fn known_actions(plugin: &Plugin) -> Vec<ActionId> {
    let actions = plugin.actions().iter();
    actions.map(|action| action.definition.id.clone()).collect()
}

async fn admit_and_execute(
    gateway: Arc<Gateway>,
    request: Request,
    observed: Observed,
) -> Result<Invocation, Error> {
    let session_id = request.agent.session.id;
    let admitted = admit(&gateway, &request).await;
    let admission = match admitted.inspect_err(|error| observed.refused(error))? {
        Admitted::Earlier(id) => {
            observed.repeated();
            return wait_for_end(&gateway, session_id, id).await;
        }
        Admitted::New(admission) => *admission,
    };
    let invocation = if admission.invocation.status == InvocationStatus::Executing {
        let execution = Execution {
            admission,
            plugin: request.plugin,
            action: request.action,
            params: request.params,
        };
        let ended = execute_held(&gateway, execution).await;
        ended.inspect_err(|error| observed.unrecorded(error))?
    } else {
        admission.invocation
    };
    log(&invocation);
    observed.ended(&invocation);
    Ok(invocation)
}

/// How often a waiter looks at the row: another gateway may be executing, whose
/// endings are not told here, or the lease may have ended it.
const LOOK_AGAIN_EVERY: Duration = Duration::from_millis(200);

/// Waits for the end of an invocation that another request started.
///
/// One that waits for a person is returned as it stands; so is one that is still
/// executing when its deadline has long passed.
async fn wait_for_end(
    gateway: &Gateway,
    session_id: SessionId,
    id: InvocationId,
) -> Result<Invocation, Error> {
    // Subscribed before the row is read: an end in between is not missed.
    let mut endings = gateway.endings.subscribe();
    let patience = gateway.sandbox.config().longest_deadline() * 2;
    let ended = timeout(patience, async {
        loop {
            let invocation = find(gateway, session_id, id).await?;
            if invocation.status != InvocationStatus::Executing {
                return Ok(invocation);
            }
            let told = until_told(&mut endings, id);
            // Told or not, the row says.
            let _ = timeout(LOOK_AGAIN_EVERY, told).await;
        }
    })
    .await;
    match ended {
        Ok(invocation) => invocation,
        Err(_elapsed) => find(gateway, session_id, id).await,
    }
}

/// Returns when this invocation may have ended: when it was named, or when so
/// many have ended meanwhile that it may have been missed.
async fn until_told(endings: &mut Receiver<InvocationId>, id: InvocationId) {
    loop {
        match endings.recv().await {
            Ok(ended) if ended != id => {}
            Ok(_) | Err(RecvError::Lagged(_) | RecvError::Closed) => return,
        }
    }
}

async fn find(
    gateway: &Gateway,
    session_id: SessionId,
    id: InvocationId,
) -> Result<Invocation, Error> {
    let mut work = gateway.storage.read().await?;
    let invocation = work.invocations().find(id, session_id).await?;
    invocation
        .map(|invocation| invocation.as_of(gateway.clock.now()))
        .ok_or(Error::NotFound("invocation"))
}

fn log(invocation: &Invocation) {
    tracing::info!(
        invocationId = %invocation.id,
        sessionId = %invocation.session_id,
        organizationId = %invocation.organization_id,
        sourceId = %invocation.source,
        actionId = %invocation.action,
        mode = %invocation.mode,
        modeSource = %invocation.mode_source,
        status = %invocation.status,
        durationMs = invocation.duration_ms,
        errorCode = invocation.error.as_ref().map(|error| error.code.as_str()),
        "invocation {}",
        invocation.status
    );
}
