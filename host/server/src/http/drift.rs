//! `/v1/orgs/{orgId}/drift`: what other words mean to an organization.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portcullis_core::modes::TextChanges;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callers::{OrgManager, OrgReader};
use super::error::ApiError;
use super::extract::{JsonBody, one_of};
use super::names;
use super::openapi::Fails;
use crate::gateway::Gateway;
use crate::organizations;

/// What the organization makes of actions that have changed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DriftPolicy)]
pub(super) struct PolicyResponse {
    #[schema(value_type = names::TextChanges)]
    text_changes: &'static str,
}

impl From<TextChanges> for PolicyResponse {
    fn from(text_changes: TextChanges) -> Self {
        Self {
            text_changes: text_changes.as_str(),
        }
    }
}

/// What the organization is to make of actions that have changed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewDriftPolicy)]
pub(super) struct PutBody {
    #[serde(deserialize_with = "one_of")]
    #[schema(value_type = names::TextChanges)]
    text_changes: TextChangesName,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TextChangesName {
    Flag,
    RequireApproval,
}

impl From<TextChangesName> for TextChanges {
    fn from(name: TextChangesName) -> Self {
        match name {
            TextChangesName::Flag => Self::Flag,
            TextChangesName::RequireApproval => Self::RequireApproval,
        }
    }
}

/// Shows what the organization makes of actions that read differently.
#[utoipa::path(
    get,
    path = "/drift",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgReader),
    responses(
        (status = 200, description = "The policy.", body = PolicyResponse),
        Fails<OrgReader>,
    )
)]
pub(super) async fn get_drift_policy(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
) -> Result<Json<PolicyResponse>, ApiError> {
    let text_changes = organizations::text_changes(&gateway, &org).await?;
    Ok(Json(text_changes.into()))
}

/// Sets what the organization makes of actions that read differently.
///
/// In force from the next request on. Actions that are called differently always
/// wait for a person where they were allowed.
#[utoipa::path(
    put,
    path = "/drift",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager),
    request_body = PutBody,
    responses(
        (status = 200, description = "The policy.", body = PolicyResponse),
        Fails<(OrgManager, JsonBody<PutBody>)>,
    )
)]
pub(super) async fn put_drift_policy(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    JsonBody(body): JsonBody<PutBody>,
) -> Result<Json<PolicyResponse>, ApiError> {
    let text_changes = body.text_changes.into();
    organizations::set_text_changes(&gateway, &actor, &org, text_changes).await?;
    Ok(Json(text_changes.into()))
}
