//! Listing what there is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::callers::Operator;
use super::super::error::ApiError;
use super::super::openapi::Fails;
use super::objects::{EntryObject, FileObject, VersionObject};
use crate::gateway::Gateway;
use crate::plugins;

/// Plugins.
#[derive(Serialize, ToSchema)]
#[schema(as = PluginList)]
pub(in crate::http) struct ListResponse {
    plugins: Vec<EntryObject>,
}

/// Lists the versions of plugins that serve, wait for the operator or have failed.
///
/// By plugin, and of each the active version first. Files of the gateway's directory
/// that could not be installed follow. Versions that are retired are shown by
/// `GET /v1/plugins/{id}`.
#[utoipa::path(
    get,
    path = "/plugins",
    tag = "operator",
    security(("operatorKey" = [])),
    responses(
        (status = 200, description = "All plugins.", body = ListResponse),
        Fails<Operator>,
    )
)]
pub(in crate::http) async fn list_plugins(
    State(gateway): State<Arc<Gateway>>,
    _: Operator,
) -> Result<Json<ListResponse>, ApiError> {
    let versions = plugins::list(&gateway).await?;
    let failed = gateway.sources.failed();
    let version = |version| EntryObject::Version(Box::new(VersionObject::from(version)));
    let file = |failed| EntryObject::File(FileObject::from(failed));
    let all = versions.iter().map(version).chain(failed.iter().map(file));
    Ok(Json(ListResponse {
        plugins: all.collect(),
    }))
}
