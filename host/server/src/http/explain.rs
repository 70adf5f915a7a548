//! `GET /{sessionId}/actions/explain`: why an action has the mode it has.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portcullis_core::modes::StepVerdict;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::callers::InSession;
use super::definitions::{DigestsObject, StampObject};
use super::error::{ApiError, code};
use super::extract::QueryParams;
use super::names;
use super::openapi::Fails;
use crate::actions::explain::{self, ExplainedAction, ExplainedGuard, ExplainedStep};
use crate::gateway::Gateway;

/// Which action.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ExplainQuery {
    /// The source.
    #[param(example = "linear")]
    integration: String,
    /// The action within the source.
    #[param(example = "create_issue")]
    action: String,
}

/// How the mode of an action came about.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Explanation)]
pub(super) struct ExplainResponse {
    #[schema(example = "linear")]
    source_id: String,
    #[schema(example = "create_issue")]
    action_id: String,
    /// The definition now.
    current: StampObject,
    /// The definition that the organization reviewed; null when it has not.
    #[schema(required)]
    reviewed: Option<StampObject>,
    /// The risk in force: the stricter of reviewed and current.
    #[schema(value_type = names::RiskLevel)]
    risk_level: &'static str,
    #[schema(value_type = names::TextChanges)]
    text_changes: &'static str,
    /// The cascade, in order: the first step that says anything decides.
    steps: Vec<StepObject>,
    guard: GuardObject,
    /// Why the action would fail all the same, as far as its connection goes; null
    /// when it would not.
    #[schema(required)]
    connection_message: Option<String>,
    outcome: OutcomeObject,
}

/// A step of the cascade.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ExplainedStep)]
struct StepObject {
    #[schema(value_type = names::ModeSource)]
    mode_source: &'static str,
    /// The value as it is stored; null when there is none, and for what is inferred.
    #[schema(required)]
    stored: Option<String>,
    /// The definition that it was set for; null when nobody saw one.
    #[schema(required)]
    pinned: Option<DigestsObject>,
    /// What it says; null when it says nothing.
    #[schema(required, value_type = Option<names::Mode>)]
    mode: Option<&'static str>,
    /// Whether it is the one that decides.
    decides: bool,
    message: String,
}

/// What the guard makes of what the cascade says: nothing ever becomes less strict.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ExplainedGuard)]
struct GuardObject {
    /// What the cascade says.
    #[schema(value_type = names::Mode)]
    before: &'static str,
    /// What is enforced.
    #[schema(value_type = names::Mode)]
    after: &'static str,
    /// The definition that it was said of: the one a mode was set for, or the one
    /// that was reviewed. Null when nobody saw one.
    #[schema(required)]
    seen: Option<DigestsObject>,
    #[schema(value_type = names::DefinitionChange)]
    change: &'static str,
    /// Whether the change counts.
    drifted: bool,
    message: String,
}

/// What is enforced.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ExplainedOutcome)]
struct OutcomeObject {
    #[schema(value_type = names::Mode)]
    mode: &'static str,
    #[schema(value_type = names::ModeSource)]
    mode_source: &'static str,
    drifted: bool,
    text_changed: bool,
    message: String,
}

impl From<ExplainedAction> for ExplainResponse {
    fn from(explained: ExplainedAction) -> Self {
        let outcome = explained.outcome;
        Self {
            source_id: explained.key.source.to_string(),
            action_id: explained.key.action.to_string(),
            current: explained.current.into(),
            reviewed: explained.reviewed.map(Into::into),
            risk_level: outcome.risk.as_str(),
            text_changes: explained.text_changes.as_str(),
            steps: explained.steps.into_iter().map(Into::into).collect(),
            guard: explained.guard.into(),
            connection_message: explained.obstacle,
            outcome: OutcomeObject {
                mode: outcome.mode.as_str(),
                mode_source: outcome.source.as_str(),
                drifted: outcome.drifted,
                text_changed: outcome.text_changed,
                message: explained.message,
            },
        }
    }
}

impl From<ExplainedStep> for StepObject {
    fn from(step: ExplainedStep) -> Self {
        Self {
            mode_source: step.source.as_str(),
            stored: step.stored,
            pinned: step.pin.map(Into::into),
            mode: step.mode.map(portcullis_core::modes::Mode::as_str),
            decides: step.verdict == StepVerdict::Decides,
            message: step.message,
        }
    }
}

impl From<ExplainedGuard> for GuardObject {
    fn from(guard: ExplainedGuard) -> Self {
        let ExplainedGuard { verdict, message } = guard;
        Self {
            before: verdict.before.as_str(),
            after: verdict.after.as_str(),
            seen: verdict.seen.map(Into::into),
            change: verdict.change.as_str(),
            drifted: verdict.drifted,
            message,
        }
    }
}

/// Explains the mode of an action.
///
/// The steps of the cascade, what the guard makes of them, and whether a connection
/// stands in the way: what would happen if the action was invoked at this moment.
#[utoipa::path(
    get,
    path = "/explain",
    tag = "agents",
    security(("sandboxToken" = []), ("userToken" = [])),
    params(InSession, ExplainQuery),
    responses(
        (status = 200, description = "How the mode came about.", body = ExplainResponse),
        Fails<(InSession, QueryParams<ExplainQuery>, code::UnknownSource, code::UnknownAction)>,
    )
)]
pub(super) async fn explain_action(
    State(gateway): State<Arc<Gateway>>,
    InSession(session): InSession,
    QueryParams(query): QueryParams<ExplainQuery>,
) -> Result<Json<ExplainResponse>, ApiError> {
    let explained =
        explain::explained(&gateway, &session, &query.integration, &query.action).await?;
    Ok(Json(explained.into()))
}
