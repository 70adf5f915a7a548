//! `POST /{sessionId}/actions/invoke`: doing it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use portcullis_core::invocation::{DeniedReason, FailureCode, Invocation, InvocationStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::callers::OwnSandbox;
use super::error::{ApiError, Code, code};
use super::extract::JsonBody;
use super::objects::{FullResultObject, InvocationObject};
use super::openapi::{Execution, Fails, IdempotencyKey};
use crate::actions::invoke as invoking;
use crate::gateway::Gateway;

/// Longer keys help nobody.
pub(super) const MAX_IDEMPOTENCY_KEY: usize = 255;

/// A request for an action.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvokeRequest)]
pub(super) struct InvokeBody {
    /// The source.
    #[schema(example = "linear")]
    integration: String,
    /// The action within the source.
    #[schema(example = "list_issues")]
    action: String,
    /// What satisfies the action's schema, as the catalog has it.
    #[schema(value_type = Object, example = json!({"first": 3}))]
    params: Value,
}

/// An invocation that has completed, and its result.
#[derive(Serialize, ToSchema)]
#[schema(as = CompletedInvocation)]
pub(super) struct CompletedResponse {
    invocation: InvocationObject,
    /// What the action answered, redacted and truncated to 10,240 bytes.
    #[schema(required)]
    result: Option<Value>,
    /// Where the whole result can be read; only when it was truncated and is kept.
    #[serde(rename = "fullResult", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    full_result: Option<FullResultObject>,
}

/// An invocation that goes on.
#[derive(Serialize, ToSchema)]
#[schema(as = AcceptedInvocation)]
pub(super) struct AcceptedResponse {
    invocation: InvocationObject,
    /// What it waits for, and where to ask how it went.
    message: String,
}

/// What the use case adds to the failures of the extractors.
type InvokeFailures = (
    (
        code::InvalidParams,
        code::UnknownSource,
        code::UnknownAction,
    ),
    (code::Denied, code::Expired, code::SessionClosed),
    (code::IdempotencyKeyReused, code::Conflict),
    (code::RateLimited, code::TooManyPending, code::ShuttingDown),
    Execution,
);

/// Invokes an action.
///
/// Its mode decides: `allow` executes it and answers with the result,
/// `require_approval` records it and answers 202, `deny` refuses it. Whatever
/// happens to an admitted request, its invocation stands in the answer and in the
/// session's list. Nothing is ever repeated by the gateway itself.
#[utoipa::path(
    post,
    path = "/invoke",
    tag = "agents",
    security(("sandboxToken" = [])),
    params(OwnSandbox, IdempotencyKey),
    request_body = InvokeBody,
    responses(
        (status = 200, description = "The action completed.", body = CompletedResponse),
        (
            status = 202,
            description = "It waits for a person, or an earlier request with this key still runs.",
            body = AcceptedResponse
        ),
        Fails<(OwnSandbox, JsonBody<InvokeBody>, InvokeFailures)>,
    )
)]
pub(super) async fn invoke_action(
    State(gateway): State<Arc<Gateway>>,
    OwnSandbox(agent): OwnSandbox,
    headers: HeaderMap,
    JsonBody(body): JsonBody<InvokeBody>,
) -> Result<Response, ApiError> {
    let request = invoking::InvokeRequest {
        integration: body.integration,
        action: body.action,
        params: body.params,
        idempotency_key: idempotency_key(&headers)?,
    };
    let invocation = invoking::invoke(&gateway, agent, request).await?;
    Ok(answer(invocation))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = value
        .to_str()
        .ok()
        .filter(|key| (1..=MAX_IDEMPOTENCY_KEY).contains(&key.len()));
    match (key, values.next()) {
        (Some(key), None) => Ok(Some(key.to_owned())),
        _ => Err(ApiError::invalid_field(
            "/headers/idempotency-key",
            "format",
            "Idempotency-Key must be sent once, with 1 to 255 visible ASCII characters",
        )),
    }
}

/// The answer for an invocation as it stands.
pub(super) fn answer(mut invocation: Invocation) -> Response {
    match invocation.status {
        InvocationStatus::Completed => Json(CompletedResponse {
            result: invocation.result.take(),
            full_result: FullResultObject::of(&invocation),
            invocation: InvocationObject::from(&invocation),
        })
        .into_response(),
        InvocationStatus::Pending => {
            let message = format!(
                "{}.{} waits for approval; ask GET …/actions/invocations/{} how it went",
                invocation.source, invocation.action, invocation.id
            );
            accepted(&invocation, message)
        }
        InvocationStatus::Executing => {
            accepted(&invocation, "the action is still running".to_owned())
        }
        InvocationStatus::Denied => refused(&invocation, denial(&invocation)),
        InvocationStatus::Expired => refused(
            &invocation,
            ApiError::new(Code::Expired, "nobody decided in time"),
        ),
        InvocationStatus::Failed => refused(&invocation, failure(&invocation)),
    }
}

fn accepted(invocation: &Invocation, message: String) -> Response {
    let invocation = InvocationObject::from(invocation);
    let body = AcceptedResponse {
        invocation,
        message,
    };
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

fn refused(invocation: &Invocation, error: ApiError) -> Response {
    ApiError {
        invocation: Some(Box::new(InvocationObject::from(invocation))),
        ..error
    }
    .into_response()
}

fn denial(invocation: &Invocation) -> ApiError {
    let message = match &invocation.denied_reason {
        Some(DeniedReason::UnknownMode(value)) => format!(
            "the mode stored for this action, `{value}`, is none of allow, deny and \
             require_approval, and therefore denies; an admin can set it anew"
        ),
        Some(DeniedReason::Human) => match &invocation.decision_reason {
            Some(reason) => format!("a person denied this: {reason}"),
            None => "a person denied this".to_owned(),
        },
        Some(DeniedReason::Cancelled) => "the agent withdrew this".to_owned(),
        _ => format!(
            "the mode of {}.{} is deny ({}); do not retry, an admin can change it",
            invocation.source, invocation.action, invocation.mode_source
        ),
    };
    ApiError::new(Code::Denied, message)
}

fn failure(invocation: &Invocation) -> ApiError {
    let (code, message) = match &invocation.error {
        Some(error) => (error.code, error.message.clone()),
        None => (FailureCode::Internal, "the action failed".to_owned()),
    };
    let mut error = ApiError::new(code, message);
    if code == FailureCode::Busy {
        error.retry_after = Some(Duration::from_secs(1));
    }
    error
}
