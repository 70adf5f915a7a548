//! `/v1/plugins`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portcullis_runtime::Plugin;
use serde::Serialize;

use super::callers::Operator;
use super::error::ApiError;
use crate::gateway::Gateway;
use crate::sources::FailedPlugin;

#[derive(Serialize)]
pub(super) struct PluginObject {
    id: String,
    version: Option<String>,
    digest: Option<String>,
    state: &'static str,
    capabilities: Vec<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
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

#[derive(Serialize)]
pub(super) struct ListResponse {
    plugins: Vec<PluginObject>,
}

/// `GET /v1/plugins`: those that serve, then files that could not be loaded.
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Operator(_): Operator,
) -> Result<Json<ListResponse>, ApiError> {
    let active = gateway.sources.plugins().map(PluginObject::from);
    let failed = gateway.sources.failed().iter().map(PluginObject::from);
    Ok(Json(ListResponse {
        plugins: active.chain(failed).collect(),
    }))
}
