//! Showing one plugin.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::callers::Operator;
use super::super::error::{ApiError, code};
use super::super::extract::{PathParams, parse_id};
use super::super::openapi::{Fails, PluginPath};
use super::objects::VersionObject;
use crate::gateway::Gateway;
use crate::plugins;

/// A plugin.
#[derive(Serialize, ToSchema)]
#[schema(as = PluginHistory)]
pub(in crate::http) struct ShowResponse {
    #[schema(example = "linear")]
    id: String,
    /// The version that was changed last comes first.
    #[schema(max_items = 50)]
    versions: Vec<VersionObject>,
}

/// Shows a plugin with its versions, also those that are retired.
#[utoipa::path(
    get,
    path = "/plugins/{id}",
    tag = "operator",
    security(("operatorKey" = [])),
    params(PluginPath),
    responses(
        (status = 200, description = "The plugin.", body = ShowResponse),
        Fails<(Operator, PathParams<String>, code::NotFound)>,
    )
)]
pub(in crate::http) async fn get_plugin(
    State(gateway): State<Arc<Gateway>>,
    _: Operator,
    PathParams(id): PathParams<String>,
) -> Result<Json<ShowResponse>, ApiError> {
    let history = plugins::history(&gateway, &parse_id(&id, "plugin")?).await?;
    Ok(Json(ShowResponse {
        id: history.id.to_string(),
        versions: history.versions.iter().map(VersionObject::from).collect(),
    }))
}
