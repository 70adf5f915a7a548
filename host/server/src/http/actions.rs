//! `/{sessionId}/actions`: what an agent can do, and how. Doing it is in `invoke`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use portcullis_core::action::ActionExample;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::callers::InSession;
use super::error::{ApiError, code};
use super::extract::PathParams;
use super::names;
use super::openapi::{Fails, SourcePath};
use crate::actions::catalog::{self, CatalogAction, CatalogSource, SourceStatus};
use crate::actions::guide as guides;
use crate::gateway::Gateway;

/// What a session can do.
#[derive(Serialize, ToSchema)]
#[schema(as = Catalog)]
pub(super) struct AvailableResponse {
    /// By source, then in the source's own order.
    actions: Vec<ActionObject>,
    /// By id; also those whose actions are absent.
    sources: Vec<SourceObject>,
}

/// An action, and what happens when it is invoked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Action)]
struct ActionObject {
    /// For `integration` of an invocation.
    #[schema(example = "linear")]
    source_id: String,
    /// For `action` of an invocation.
    #[schema(example = "create_issue")]
    action_id: String,
    /// Both, for people.
    #[schema(example = "linear.create_issue")]
    name: String,
    title: String,
    /// What an agent must know before it invokes the action.
    description: String,
    /// The stricter of what was reviewed and what the source says now.
    #[schema(value_type = names::RiskLevel)]
    risk_level: &'static str,
    #[schema(value_type = names::Mode)]
    mode: &'static str,
    #[schema(value_type = names::ModeSource)]
    mode_source: &'static str,
    /// True when the definition is not the one that somebody decided about or
    /// reviewed; `allow` is `require_approval` then.
    drifted: bool,
    /// True when the definition reads differently than the one that somebody decided
    /// about, and is called the same way.
    text_changed: bool,
    /// Changes with everything that is shown of the definition.
    #[schema(value_type = names::DefinitionDigest)]
    digest: String,
    /// JSON Schema 2020-12 of the params.
    #[schema(value_type = Object)]
    params: Value,
    /// JSON Schema of the result; null where the source tells nothing.
    #[schema(required, value_type = Option<Object>)]
    result: Option<Value>,
    examples: Vec<ExampleObject>,
}

/// An invocation to learn from.
#[derive(Serialize, ToSchema)]
#[schema(as = ActionExample)]
struct ExampleObject {
    /// What it is good for.
    title: String,
    /// Params that satisfy the action's schema.
    #[schema(value_type = Object)]
    params: Value,
}

/// What lists and executes actions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Source)]
struct SourceObject {
    #[schema(example = "linear")]
    id: String,
    /// The name people know.
    #[schema(example = "Linear")]
    display_name: String,
    #[schema(value_type = names::SourceStatus)]
    status: &'static str,
    /// What to do; null when the source can be used.
    #[schema(required)]
    message: Option<String>,
}

/// Lists what the session can do.
///
/// The catalog: every action that the session's connections make usable, with the
/// JSON Schema of its params and the mode in force at this moment.
#[utoipa::path(
    get,
    path = "/available",
    tag = "agents",
    security(("sandboxToken" = []), ("userToken" = [])),
    params(InSession),
    responses(
        (status = 200, description = "Actions and sources.", body = AvailableResponse),
        Fails<InSession>,
    )
)]
pub(super) async fn list_actions(
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
        risk_level: action.decision.risk.as_str(),
        mode: action.decision.mode.as_str(),
        mode_source: action.decision.source.as_str(),
        drifted: action.decision.drifted,
        text_changed: action.decision.text_changed,
        digest: action.digest.to_string(),
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

/// Tells an agent how to work with the gateway.
///
/// Markdown to be put into an agent's context before anything else.
#[utoipa::path(
    get,
    path = "/bootstrap",
    tag = "agents",
    security(("sandboxToken" = []), ("userToken" = [])),
    params(InSession),
    responses(
        (status = 200, description = "What to read first.", body = String, content_type = "text/markdown"),
        Fails<InSession>,
    )
)]
pub(super) async fn get_bootstrap(_: InSession) -> Response {
    markdown(guides::BOOTSTRAP.to_owned())
}

/// Shows the guide of the session.
///
/// Markdown for the agent: every action that the session can use, with the mode
/// in force, its params and examples. At most about 256 KiB; what does not fit is
/// named at the end.
#[utoipa::path(
    get,
    path = "/guide",
    tag = "agents",
    security(("sandboxToken" = []), ("userToken" = [])),
    params(InSession),
    responses(
        (status = 200, description = "The guide.", body = String, content_type = "text/markdown"),
        Fails<InSession>,
    )
)]
pub(super) async fn get_session_guide(
    State(gateway): State<Arc<Gateway>>,
    InSession(session): InSession,
) -> Result<Response, ApiError> {
    Ok(markdown(guides::session_guide(&gateway, &session).await?))
}

/// Shows the guide of one source.
///
/// Markdown: the source's own words about how its actions belong together, then
/// what the session can do with it.
#[utoipa::path(
    get,
    path = "/guide/{source_id}",
    tag = "agents",
    security(("sandboxToken" = []), ("userToken" = [])),
    params(InSession, SourcePath),
    responses(
        (status = 200, description = "The guide.", body = String, content_type = "text/markdown"),
        Fails<(InSession, code::UnknownSource)>,
    )
)]
pub(super) async fn get_guide(
    State(gateway): State<Arc<Gateway>>,
    InSession(session): InSession,
    PathParams((_session, source)): PathParams<(String, String)>,
) -> Result<Response, ApiError> {
    let guide = guides::source_guide(&gateway, &session, &source).await?;
    Ok(markdown(guide))
}

fn markdown(text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/markdown; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}
