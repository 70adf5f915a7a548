//! `/v1/plugins`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portcullis_runtime::Plugin;
use serde::Serialize;
use utoipa::ToSchema;

use super::callers::Operator;
use super::error::ApiError;
use super::openapi::Fails;
use crate::gateway::Gateway;
use crate::sources::FailedPlugin;

/// A plugin, or a file that is none.
#[derive(Serialize, ToSchema)]
#[schema(as = Plugin)]
pub(super) struct PluginObject {
    /// The provider's id; of a file that could not be loaded its name.
    #[schema(example = "linear")]
    id: String,
    /// Null when it could not be loaded.
    #[schema(required)]
    version: Option<String>,
    /// `sha256:` and 64 hex digits; null when it could not be read.
    #[schema(required, pattern = "^sha256:[0-9a-f]{64}$")]
    digest: Option<String>,
    /// `active`, or `failed`.
    #[schema(example = "active")]
    state: &'static str,
    /// Everything it can do, proved from what it imports.
    capabilities: Vec<String>,
    /// Why it could not be loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
}

impl From<&Plugin> for PluginObject {
    fn from(plugin: &Plugin) -> Self {
        Self {
            id: plugin.descriptor().id.to_string(),
            version: Some(plugin.descriptor().version.clone()),
            digest: Some(plugin.digest().to_string()),
            state: "active",
            capabilities: plugin.capabilities(),
            error: None,
        }
    }
}

impl From<&FailedPlugin> for PluginObject {
    fn from(failed: &FailedPlugin) -> Self {
        Self {
            id: failed.name.clone(),
            version: None,
            digest: failed.digest.map(|digest| digest.to_string()),
            state: "failed",
            capabilities: Vec::new(),
            error: Some(failed.reason.clone()),
        }
    }
}

/// Plugins.
#[derive(Serialize, ToSchema)]
#[schema(as = PluginList)]
pub(super) struct ListResponse {
    plugins: Vec<PluginObject>,
}

/// Lists the plugins that serve, then files that could not be loaded.
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
pub(super) async fn list_plugins(
    State(gateway): State<Arc<Gateway>>,
    _: Operator,
) -> Result<Json<ListResponse>, ApiError> {
    let (active, failed) = (gateway.sources.plugins(), gateway.sources.failed());
    let active = active.iter().map(PluginObject::from);
    Ok(Json(ListResponse {
        plugins: active.chain(failed.iter().map(PluginObject::from)).collect(),
    }))
}
