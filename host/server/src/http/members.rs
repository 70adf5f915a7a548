//! `/v1/orgs/{orgId}/members`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_core::id::UserId;
use portcullis_storage::{Member, Role};
use serde::{Deserialize, Serialize};

use super::callers::{OrgManager, OrgReader};
use super::error::ApiError;
use super::extract::{JsonBody, PathParams, one_of, parse_id};
use crate::gateway::Gateway;
use crate::organizations;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MemberObject {
    user_id: String,
    role: &'static str,
    created_at: String,
}

impl From<&Member> for MemberObject {
    fn from(member: &Member) -> Self {
        Self {
            user_id: member.user_id.to_string(),
            role: member.role.as_str(),
            created_at: member.created_at.to_string(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct ListResponse {
    members: Vec<MemberObject>,
}

/// `GET /members`
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
) -> Result<Json<ListResponse>, ApiError> {
    let members = organizations::members(&gateway, &org).await?;
    Ok(Json(ListResponse {
        members: members.iter().map(MemberObject::from).collect(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PutBody {
    #[serde(deserialize_with = "one_of")]
    role: RoleName,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RoleName {
    Owner,
    Admin,
    Member,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Owner => Self::Owner,
            RoleName::Admin => Self::Admin,
            RoleName::Member => Self::Member,
        }
    }
}

/// `PUT /members/{userId}`
pub(super) async fn put(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_, user)): PathParams<(String, String)>,
    JsonBody(body): JsonBody<PutBody>,
) -> Result<Json<MemberObject>, ApiError> {
    let user: UserId = user
        .parse()
        .map_err(|error| ApiError::invalid_field("/userId", "format", format!("{error}")))?;
    let role = Role::from(body.role);
    let member = organizations::put_member(&gateway, &actor, &org, &user, role).await?;
    Ok(Json(MemberObject::from(&member)))
}

/// `DELETE /members/{userId}`
pub(super) async fn remove(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_, user)): PathParams<(String, String)>,
) -> Result<StatusCode, ApiError> {
    organizations::remove_member(&gateway, &actor, &org, &parse_id(&user, "member")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
