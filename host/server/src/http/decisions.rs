//! Deciding about what waits: approve, deny, cancel.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use portcullis_core::invocation::Invocation;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callers::{InvocationDecider, OwnSandbox};
use super::error::{ApiError, code};
use super::extract::{JsonBody, OptionalJsonBody, PathParams, one_of, parse_digest, parse_id};
use super::invoke::{CompletedResponse, answer};
use super::names::DefinitionDigest;
use super::objects::InvocationObject;
use super::openapi::{Execution, Fails};
use crate::actions::decide::{self, Approve, Reach};
use crate::gateway::Gateway;

/// What somebody can say in a sentence or two.
const MAX_REASON_CHARS: usize = 500;

/// How often an approval holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ApprovalMode {
    /// For this invocation.
    #[default]
    Once,
    /// Also for every later one, as long as the action's definition stays what it
    /// is.
    Always,
}

/// For whom an action is allowed from now on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ApprovalScope {
    /// For every session of the organization.
    #[default]
    Org,
    /// For every session of this session's automation.
    Automation,
}

impl From<ApprovalScope> for Reach {
    fn from(scope: ApprovalScope) -> Self {
        match scope {
            ApprovalScope::Org => Self::Organization,
            ApprovalScope::Automation => Self::Automation,
        }
    }
}

/// An approval.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Approval)]
pub(super) struct ApproveBody {
    /// Left out: once.
    #[serde(default, deserialize_with = "one_of")]
    mode: ApprovalMode,
    /// With `always`: for whom. Left out: the organization.
    #[serde(default, deserialize_with = "one_of")]
    scope: ApprovalScope,
    /// The `definitionDigest` of what was seen; refused when it is not the
    /// definition any more.
    #[schema(value_type = Option<DefinitionDigest>)]
    digest: Option<String>,
}

impl ApproveBody {
    fn parse(self) -> Result<Approve, ApiError> {
        let always = self.mode == ApprovalMode::Always;
        Ok(Approve {
            always: always.then(|| self.scope.into()),
            seen: self.digest.as_deref().map(parse_digest).transpose()?,
        })
    }
}

/// Why a decision can fail that was understood.
type DecisionFailures = (
    code::NotFound,
    code::AlreadyDecided,
    code::SessionClosed,
    code::Expired,
);

/// Approves a pending invocation, and runs it.
///
/// What runs are the exact params that were asked for, and only if the action's
/// definition, its mode, the connection, the session and the approver's role still
/// are what they were. With `always` the action's mode becomes `allow` in the same
/// step, for as long as its definition stays what it is. Of several decisions one
/// wins. The answer comes when the action has ended.
#[utoipa::path(
    post,
    path = "/invocations/{id}/approve",
    tag = "decisions",
    security(("userToken" = [])),
    params(
        InvocationDecider,
        ("id" = String, Path, description = "The invocation.", format = "uuid")
    ),
    request_body = ApproveBody,
    responses(
        (status = 200, description = "It ran and completed.", body = CompletedResponse),
        Fails<(
            InvocationDecider,
            JsonBody<ApproveBody>,
            DecisionFailures,
            (code::DefinitionChanged, code::ConnectionChanged, code::DeniedMeanwhile),
            code::ShuttingDown,
            Execution,
        )>,
    )
)]
pub(super) async fn approve_invocation(
    State(gateway): State<Arc<Gateway>>,
    InvocationDecider(decider): InvocationDecider,
    PathParams((_session, id)): PathParams<(String, String)>,
    JsonBody(body): JsonBody<ApproveBody>,
) -> Result<Response, ApiError> {
    let id = parse_id(&id, "invocation")?;
    let invocation = decide::approve(&gateway, decider, id, body.parse()?).await?;
    Ok(answer(invocation))
}

/// A refusal.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Refusal)]
pub(super) struct DenyBody {
    /// Why, for the agent and the record.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

impl DenyBody {
    fn parse(self) -> Result<Option<String>, ApiError> {
        let Some(reason) = self.reason.filter(|reason| !reason.trim().is_empty()) else {
            return Ok(None);
        };
        if reason.chars().count() > MAX_REASON_CHARS {
            let message = format!("a reason has at most {MAX_REASON_CHARS} characters");
            return Err(ApiError::invalid_field("/reason", "maxLength", message));
        }
        // Also because Postgres keeps no NUL in text.
        if reason.chars().any(|c| c.is_control() && c != '\n') {
            let message = "a reason has no control characters but line breaks";
            return Err(ApiError::invalid_field("/reason", "pattern", message));
        }
        Ok(Some(reason))
    }
}

/// An invocation as it stands after a decision.
#[derive(Serialize, ToSchema)]
#[schema(as = DecidedInvocation)]
pub(super) struct DecidedResponse {
    invocation: InvocationObject,
}

impl From<Invocation> for DecidedResponse {
    fn from(invocation: Invocation) -> Self {
        Self {
            invocation: InvocationObject::from(&invocation),
        }
    }
}

/// Denies a pending invocation.
#[utoipa::path(
    post,
    path = "/invocations/{id}/deny",
    tag = "decisions",
    security(("userToken" = [])),
    params(
        InvocationDecider,
        ("id" = String, Path, description = "The invocation.", format = "uuid")
    ),
    request_body(content = Option<DenyBody>, description = "May be left out."),
    responses(
        (status = 200, description = "It is denied.", body = DecidedResponse),
        Fails<(InvocationDecider, JsonBody<DenyBody>, DecisionFailures)>,
    )
)]
pub(super) async fn deny_invocation(
    State(gateway): State<Arc<Gateway>>,
    InvocationDecider(decider): InvocationDecider,
    PathParams((_session, id)): PathParams<(String, String)>,
    OptionalJsonBody(body): OptionalJsonBody<DenyBody>,
) -> Result<Json<DecidedResponse>, ApiError> {
    let id = parse_id(&id, "invocation")?;
    let denied = decide::deny(&gateway, &decider, id, body.parse()?).await?;
    Ok(Json(denied.into()))
}

/// Withdraws the agent's own pending invocation.
///
/// Nobody can approve it afterwards. It is denied, with the reason `cancelled`.
#[utoipa::path(
    post,
    path = "/invocations/{id}/cancel",
    tag = "agents",
    security(("sandboxToken" = [])),
    params(OwnSandbox, ("id" = String, Path, description = "The invocation.", format = "uuid")),
    responses(
        (status = 200, description = "It is withdrawn.", body = DecidedResponse),
        Fails<(OwnSandbox, DecisionFailures, code::OutcomeUnknown)>,
    )
)]
pub(super) async fn cancel_invocation(
    State(gateway): State<Arc<Gateway>>,
    OwnSandbox(agent): OwnSandbox,
    PathParams((_session, id)): PathParams<(String, String)>,
) -> Result<Json<DecidedResponse>, ApiError> {
    let id = parse_id(&id, "invocation")?;
    let cancelled = decide::cancel(&gateway, &agent, id).await?;
    Ok(Json(cancelled.into()))
}
