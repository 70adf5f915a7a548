//! `/v1/orgs/{orgId}/modes`, and the same under `/automations/{id}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_core::id::{ActionKey, AutomationId, OrganizationId};
use portcullis_core::modes::Mode;
use portcullis_storage::ModeScope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callers::{OrgManager, OrgReader};
use super::error::{ApiError, code};
use super::extract::{JsonBody, PathParams, one_of, parse_digest, parse_id};
use super::names;
use super::openapi::{ActionPath, Fails, SourcePath};
use crate::access::Actor;
use crate::gateway::Gateway;
use crate::modes::{ListedMode, NewMode};
use crate::{automations, modes};

/// The mode that somebody set for an action.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ActionMode)]
pub(super) struct ModeObject {
    #[schema(example = "linear")]
    source_id: String,
    #[schema(example = "create_issue")]
    action_id: String,
    /// `allow`, `deny` or `require_approval`. Anything else was not set through
    /// this API, is shown as it is stored, and denies.
    #[schema(example = "allow")]
    mode: String,
    /// False when no source has such an action.
    matched: bool,
    /// The definition it was set for, as in the catalog; null when no source had
    /// such an action.
    #[schema(required, value_type = Option<names::DefinitionDigest>)]
    digest: Option<String>,
    /// True when the action is called differently now, or was not there when the
    /// mode was set, or reads differently and the organization minds; `allow` is
    /// `require_approval` then, until somebody sets it again or confirms the action.
    drifted: bool,
}

impl From<&ListedMode> for ModeObject {
    fn from(listed: &ListedMode) -> Self {
        Self {
            source_id: listed.entry.key.source.to_string(),
            action_id: listed.entry.key.action.to_string(),
            mode: listed.entry.stored.mode.as_str().to_owned(),
            matched: listed.current.is_some(),
            digest: listed.entry.stored.pin.map(|pin| pin.contract.to_string()),
            drifted: listed.drifted,
        }
    }
}

/// Modes that somebody set.
#[derive(Serialize, ToSchema)]
#[schema(as = ActionModeList)]
pub(super) struct ListResponse {
    modes: Vec<ModeObject>,
}

/// A mode to be set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewActionMode)]
pub(super) struct PutBody {
    #[serde(deserialize_with = "one_of")]
    #[schema(value_type = names::Mode)]
    mode: ModeName,
    /// The `digest` that the catalog showed with the action: the mode is set for
    /// that definition or not at all. Without it, for whatever the action is now.
    #[schema(value_type = Option<names::DefinitionDigest>)]
    digest: Option<String>,
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

/// Lists the modes the organization has set.
#[utoipa::path(
    get,
    path = "/modes",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgReader),
    responses(
        (status = 200, description = "All modes that were set.", body = ListResponse),
        Fails<OrgReader>,
    )
)]
pub(super) async fn list_modes(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
) -> Result<Json<ListResponse>, ApiError> {
    list_scope(&gateway, &org, &ModeScope::Organization(org.clone())).await
}

/// Sets an action's mode for the organization.
///
/// It is set for the action's definition: when the action is called differently
/// one day, `allow` is `require_approval` until somebody sets it again. An action
/// that does not exist is no error: look at `matched`.
#[utoipa::path(
    put,
    path = "/modes/{source_id}/{action_id}",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager, SourcePath, ActionPath),
    request_body = PutBody,
    responses(
        (status = 200, description = "The mode.", body = ModeObject),
        Fails<(OrgManager, JsonBody<PutBody>, code::Conflict, code::DefinitionChanged)>,
    )
)]
pub(super) async fn put_mode(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_org, source, action)): PathParams<(String, String, String)>,
    JsonBody(body): JsonBody<PutBody>,
) -> Result<Json<ModeObject>, ApiError> {
    let scope = ModeScope::Organization(org.clone());
    put_scope(&gateway, &actor, &org, &scope, key(&source, &action)?, body).await
}

/// Takes back the mode the organization set for an action.
#[utoipa::path(
    delete,
    path = "/modes/{source_id}/{action_id}",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager, SourcePath, ActionPath),
    responses(
        (status = 204, description = "The next step of the cascade decides."),
        Fails<OrgManager>,
    )
)]
pub(super) async fn remove_mode(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_org, source, action)): PathParams<(String, String, String)>,
) -> Result<StatusCode, ApiError> {
    let scope = ModeScope::Organization(org.clone());
    modes::remove(&gateway, &actor, &org, &scope, &key(&source, &action)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the modes set for an automation.
#[utoipa::path(
    get,
    path = "/automations/{id}/modes",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgReader, ("id" = String, Path, description = "The automation.", format = "uuid")),
    responses(
        (status = 200, description = "All modes that were set.", body = ListResponse),
        Fails<OrgReader>,
    )
)]
pub(super) async fn list_automation_modes(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
    PathParams((_org, automation)): PathParams<(String, String)>,
) -> Result<Json<ListResponse>, ApiError> {
    let scope = automation_scope(&gateway, &org, &automation).await?;
    list_scope(&gateway, &org, &scope).await
}

/// Sets an action's mode for an automation.
///
/// It comes before the organization's, and is set for the action's definition as
/// that one is. An action that does not exist is no error: look at `matched`.
#[utoipa::path(
    put,
    path = "/automations/{id}/modes/{source_id}/{action_id}",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager, ("id" = String, Path, description = "The automation.", format = "uuid"), SourcePath, ActionPath),
    request_body = PutBody,
    responses(
        (status = 200, description = "The mode.", body = ModeObject),
        Fails<(OrgManager, JsonBody<PutBody>, code::Conflict, code::DefinitionChanged)>,
    )
)]
pub(super) async fn put_automation_mode(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_org, automation, source, action)): PathParams<(String, String, String, String)>,
    JsonBody(body): JsonBody<PutBody>,
) -> Result<Json<ModeObject>, ApiError> {
    let scope = automation_scope(&gateway, &org, &automation).await?;
    put_scope(&gateway, &actor, &org, &scope, key(&source, &action)?, body).await
}

/// Takes back the mode set for an automation's action.
#[utoipa::path(
    delete,
    path = "/automations/{id}/modes/{source_id}/{action_id}",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager, ("id" = String, Path, description = "The automation.", format = "uuid"), SourcePath, ActionPath),
    responses(
        (status = 204, description = "The next step of the cascade decides."),
        Fails<OrgManager>,
    )
)]
pub(super) async fn remove_automation_mode(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_org, automation, source, action)): PathParams<(String, String, String, String)>,
) -> Result<StatusCode, ApiError> {
    let scope = automation_scope(&gateway, &org, &automation).await?;
    modes::remove(&gateway, &actor, &org, &scope, &key(&source, &action)?).await?;
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

async fn list_scope(
    gateway: &Gateway,
    org: &OrganizationId,
    scope: &ModeScope,
) -> Result<Json<ListResponse>, ApiError> {
    let modes = modes::list(gateway, org, scope).await?;
    Ok(Json(ListResponse {
        modes: modes.iter().map(ModeObject::from).collect(),
    }))
}

async fn put_scope(
    gateway: &Gateway,
    actor: &Actor,
    org: &OrganizationId,
    scope: &ModeScope,
    key: ActionKey,
    body: PutBody,
) -> Result<Json<ModeObject>, ApiError> {
    let new = NewMode {
        key,
        mode: body.mode.into(),
        seen: body.digest.as_deref().map(parse_digest).transpose()?,
    };
    let listed = modes::put(gateway, actor, org, scope, new).await?;
    Ok(Json(ModeObject::from(&listed)))
}
