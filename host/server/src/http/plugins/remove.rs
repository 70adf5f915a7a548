//! Removing a plugin.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::callers::Operator;
use super::super::error::{ApiError, code};
use super::super::extract::{PathParams, QueryParams, parse_id};
use super::super::openapi::{Fails, PluginPath};
use crate::gateway::Gateway;
use crate::plugins::{self, Removal};

/// How.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct RemoveQuery {
    /// Also when invocations of the plugin wait for a person or run: those that run
    /// end, those that wait can only be denied.
    #[serde(default)]
    #[param(required = false, default = false)]
    force: bool,
}

/// Removes a plugin: nothing of it serves any more, and nothing waits.
///
/// Its versions are retired, and going back to one brings the plugin back.
#[utoipa::path(
    delete,
    path = "/plugins/{id}",
    tag = "operator",
    security(("operatorKey" = [])),
    params(PluginPath, RemoveQuery),
    responses(
        (status = 204, description = "It is gone."),
        Fails<(
            Operator,
            PathParams<String>,
            QueryParams<RemoveQuery>,
            (code::NotFound, code::PluginInUse, code::OutcomeUnknown),
        )>,
    )
)]
pub(in crate::http) async fn remove_plugin(
    State(gateway): State<Arc<Gateway>>,
    Operator(actor): Operator,
    PathParams(id): PathParams<String>,
    QueryParams(query): QueryParams<RemoveQuery>,
) -> Result<StatusCode, ApiError> {
    let id = parse_id(&id, "plugin")?;
    let removal = Removal { force: query.force };
    plugins::remove(&gateway, actor.as_str(), &id, removal).await?;
    Ok(StatusCode::NO_CONTENT)
}
