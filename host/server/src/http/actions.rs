//! `/{sessionId}/actions`: what an agent can do, how, and doing it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portcullis_core::action::ActionExample;
use portcullis_core::invocation::{DeniedReason, FailureCode, Invocation, InvocationStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::callers::{InSession, OwnSandbox};
use super::error::ApiError;
use super::extract::{JsonBody, PathParams};
use super::objects::InvocationObject;
use crate::actions::catalog::{self, CatalogAction, CatalogSource, SourceStatus};
use crate::actions::guide as guides;
use crate::actions::invoke as invoking;
use crate::gateway::Gateway;

/// Longer keys help nobody.
const MAX_IDEMPOTENCY_KEY: usize = 255;

#[derive(Serialize)]
pub(super) struct AvailableResponse {
    actions: Vec<ActionObject>,
    sources: Vec<SourceObject>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActionObject {
    source_id: String,
    action_id: String,
    name: String,
    title: String,
    description: String,
    risk_level: &'static str,
    mode: &'static str,
    mode_source: &'static str,
    drifted: bool,
    params: Value,
    result: Option<Value>,
    examples: Vec<ExampleObject>,
}

#[derive(Serialize)]
struct ExampleObject {
    title: String,
    params: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceObject {
    id: String,
    display_name: String,
    status: &'static str,
    message: Option<String>,
}

/// `GET /available`
pub(super) async fn available(
    State(gateway): State<Arc<Gateway>>,
    InSession(session): InSession,
) -> Result<Json<AvailableResponse>, ApiError> {
    let catalog = catalog::catalog(&gateway, &session).await?;
    Ok(Json(AvailableResponse {
        actions: catalog.actions.into_iter().map(action_object).collect(),
        sources: catalog.sources.into_iter().map(source_object).collect(),
    }))
}

fn action_object(action: CatalogAction) -> ActionObject {
    let definition = action.definition;
    ActionObject {
        name: format!("{}.{}", action.source, definition.id),
        source_id: action.source.to_string(),
        action_id: definition.id.to_string(),
        title: definition.title,
        description: definition.description,
        risk_level: definition.risk.as_str(),
        mode: action.decision.mode.as_str(),
        mode_source: action.decision.source.as_str(),
        drifted: false,
        params: definition.params_schema,
        result: definition.result_schema,
        examples: definition.examples.into_iter().map(example).collect(),
    }
}

fn example(example: ActionExample) -> ExampleObject {
    ExampleObject {
        title: example.title,
        params: example.params,
    }
}

fn source_object(source: CatalogSource) -> SourceObject {
    SourceObject {
        id: source.id.to_string(),
        display_name: source.display_name,
        status: match source.status {
            SourceStatus::Ok => "ok",
            SourceStatus::NeedsAuth => "needs_auth",
        },
        message: source.message,
    }
}

/// `GET /bootstrap`
pub(super) async fn bootstrap(InSession(_): InSession) -> Response {
    markdown(guides::BOOTSTRAP.to_owned())
}

/// `GET /guide/{sourceId}`
pub(super) async fn guide(
    State(gateway): State<Arc<Gateway>>,
    InSession(_): InSession,
    PathParams((_, source)): PathParams<(String, String)>,
) -> Result<Response, ApiError> {
    Ok(markdown(guides::guide(&gateway, &source)?))
}

fn markdown(text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/markdown; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InvokeBody {
    integration: String,
    action: String,
    params: Value,
}

/// `POST /invoke`
pub(super) async fn invoke(
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
    Ok(answer(&invocation))
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
fn answer(invocation: &Invocation) -> Response {
    let object = InvocationObject::from(invocation);
    match invocation.status {
        InvocationStatus::Completed => {
            Json(json!({"invocation": object, "result": invocation.result})).into_response()
        }
        InvocationStatus::Pending => {
            let message = format!(
                "{}.{} waits for approval; ask GET …/actions/invocations/{} how it went",
                invocation.source, invocation.action, invocation.id
            );
            accepted(&object, &message)
        }
        InvocationStatus::Executing => accepted(&object, "the action is still running"),
        InvocationStatus::Denied => refused(invocation, denial(invocation)),
        InvocationStatus::Expired => refused(
            invocation,
            ApiError::new(StatusCode::GONE, "expired", "nobody decided in time"),
        ),
        InvocationStatus::Failed => refused(invocation, failure(invocation)),
    }
}

fn accepted(invocation: &InvocationObject, message: &str) -> Response {
    let body = json!({"invocation": invocation, "message": message});
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

fn refused(invocation: &Invocation, error: ApiError) -> Response {
    let object = InvocationObject::from(invocation);
    ApiError {
        invocation: serde_json::to_value(object).ok(),
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
        Some(DeniedReason::Human) => "a person denied this".to_owned(),
        _ => format!(
            "the mode of {}.{} is deny ({}); do not retry, an admin can change it",
            invocation.source, invocation.action, invocation.mode_source
        ),
    };
    ApiError::new(StatusCode::FORBIDDEN, "denied", message)
}

fn failure(invocation: &Invocation) -> ApiError {
    let (code, message) = match &invocation.error {
        Some(error) => (error.code, error.message.clone()),
        None => (FailureCode::Internal, "the action failed".to_owned()),
    };
    let status = match code {
        FailureCode::DeadlineExceeded | FailureCode::Timeout => StatusCode::GATEWAY_TIMEOUT,
        FailureCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    };
    let mut error = ApiError::new(status, code.as_str(), message);
    if code == FailureCode::Busy {
        error.retry_after = Some(Duration::from_secs(1));
    }
    error
}
