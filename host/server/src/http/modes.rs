//! `/v1/orgs/{orgId}/modes`, and the same under `/automations/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_core::id::{ActionKey, AutomationId, OrganizationId};
use portcullis_core::modes::Mode;
use portcullis_storage::ModeScope;
use serde::{Deserialize, Serialize};

use super::callers::{OrgManager, OrgReader};
use super::error::ApiError;
use super::extract::{JsonBody, PathParams, one_of, parse_id};
use crate::access::Actor;
use crate::gateway::Gateway;
use crate::modes::ListedMode;
use crate::{automations, modes};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModeObject {
    source_id: String,
    action_id: String,
    mode: String,
    matched: bool,
}

impl From<&ListedMode> for ModeObject {
    fn from(listed: &ListedMode) -> Self {
        Self {
            source_id: listed.entry.key.source.to_string(),
            action_id: listed.entry.key.action.to_string(),
            mode: listed.entry.mode.as_str().to_owned(),
            matched: listed.matched,
        }
    }
}

#[derive(Serialize)]
pub(super) struct ListResponse {
    modes: Vec<ModeObject>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PutBody {
    #[serde(deserialize_with = "one_of")]
    mode: ModeName,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ModeName {
    Allow,
    Deny,
    RequireApproval,
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Allow => Self::Allow,
            ModeName::Deny => Self::Deny,
            ModeName::RequireApproval => Self::RequireApproval,
        }
    }
}

/// `GET /modes`
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
) -> Result<Json<ListResponse>, ApiError> {
    list_scope(&gateway, &ModeScope::Organization(org)).await
}

/// `PUT /modes/{sourceId}/{actionId}`
pub(super) async fn put(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_, source, action)): PathParams<(String, String, String)>,
    JsonBody(body): JsonBody<PutBody>,
) -> Result<Json<ModeObject>, ApiError> {
    let scope = ModeScope::Organization(org);
    put_scope(&gateway, &actor, &scope, &key(&source, &action)?, body).await
}

/// `DELETE /modes/{sourceId}/{actionId}`
pub(super) async fn remove(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_, source, action)): PathParams<(String, String, String)>,
) -> Result<StatusCode, ApiError> {
    let scope = ModeScope::Organization(org);
    modes::remove(&gateway, &actor, &scope, &key(&source, &action)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /automations/{id}/modes`
pub(super) async fn list_of_automation(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
    PathParams((_, automation)): PathParams<(String, String)>,
) -> Result<Json<ListResponse>, ApiError> {
    let scope = automation_scope(&gateway, &org, &automation).await?;
    list_scope(&gateway, &scope).await
}

/// `PUT /automations/{id}/modes/{sourceId}/{actionId}`
pub(super) async fn put_of_automation(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_, automation, source, action)): PathParams<(String, String, String, String)>,
    JsonBody(body): JsonBody<PutBody>,
) -> Result<Json<ModeObject>, ApiError> {
    let scope = automation_scope(&gateway, &org, &automation).await?;
    put_scope(&gateway, &actor, &scope, &key(&source, &action)?, body).await
}

/// `DELETE /automations/{id}/modes/{sourceId}/{actionId}`
pub(super) async fn remove_of_automation(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_, automation, source, action)): PathParams<(String, String, String, String)>,
) -> Result<StatusCode, ApiError> {
    let scope = automation_scope(&gateway, &org, &automation).await?;
    modes::remove(&gateway, &actor, &scope, &key(&source, &action)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn automation_scope(
    gateway: &Gateway,
    org: &OrganizationId,
    automation: &str,
) -> Result<ModeScope, ApiError> {
    let id: AutomationId = parse_id(automation, "automation")?;
    automations::check_exists(gateway, org, id).await?;
    Ok(ModeScope::Automation(id))
}

fn key(source: &str, action: &str) -> Result<ActionKey, ApiError> {
    Ok(ActionKey {
        source: source
            .parse()
            .map_err(|error| ApiError::invalid_field("/sourceId", "format", format!("{error}")))?,
        action: action
            .parse()
            .map_err(|error| ApiError::invalid_field("/actionId", "format", format!("{error}")))?,
    })
}

async fn list_scope(gateway: &Gateway, scope: &ModeScope) -> Result<Json<ListResponse>, ApiError> {
    let modes = modes::list(gateway, scope).await?;
    Ok(Json(ListResponse {
        modes: modes.iter().map(ModeObject::from).collect(),
    }))
}

async fn put_scope(
    gateway: &Gateway,
    actor: &Actor,
    scope: &ModeScope,
    key: &ActionKey,
    body: PutBody,
) -> Result<Json<ModeObject>, ApiError> {
    let mode = Mode::from(body.mode);
    let matched = modes::put(gateway, actor, scope, key, mode).await?;
    Ok(Json(ModeObject {
        source_id: key.source.to_string(),
        action_id: key.action.to_string(),
        mode: mode.as_str().to_owned(),
        matched,
    }))
}
