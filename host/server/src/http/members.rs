//! `/v1/orgs/{orgId}/members`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_core::id::UserId;
use portcullis_storage::{Member, Role};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callers::{OrgManager, OrgReader};
use super::error::{ApiError, code};
use super::extract::{JsonBody, PathParams, one_of, parse_id};
use super::names;
use super::openapi::{Fails, UserPath};
use crate::gateway::Gateway;
use crate::organizations;

/// A user who belongs to the organization.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Member)]
pub(super) struct MemberObject {
    user_id: String,
    #[schema(value_type = names::Role)]
    role: &'static str,
    #[schema(format = "date-time")]
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

/// Members.
#[derive(Serialize, ToSchema)]
#[schema(as = MemberList)]
pub(super) struct ListResponse {
    members: Vec<MemberObject>,
}

/// Lists the organization's members.
#[utoipa::path(
    get,
    path = "/members",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgReader),
    responses(
        (status = 200, description = "All members.", body = ListResponse),
        Fails<OrgReader>,
    )
)]
pub(super) async fn list_members(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
) -> Result<Json<ListResponse>, ApiError> {
    let members = organizations::members(&gateway, &org).await?;
    Ok(Json(ListResponse {
        members: members.iter().map(MemberObject::from).collect(),
    }))
}

/// What a member shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MemberRole)]
pub(super) struct PutBody {
    #[serde(deserialize_with = "one_of")]
    #[schema(value_type = names::Role)]
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

/// Adds a member, or changes a member's role.
///
/// In force from the next request on. Only owners and the operator may appoint
/// owners or change their role.
#[utoipa::path(
    put,
    path = "/members/{user_id}",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager, UserPath),
    request_body = PutBody,
    responses(
        (status = 200, description = "The member.", body = MemberObject),
        Fails<(OrgManager, JsonBody<PutBody>, code::Conflict)>,
    )
)]
pub(super) async fn put_member(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_org, user)): PathParams<(String, String)>,
    JsonBody(body): JsonBody<PutBody>,
) -> Result<Json<MemberObject>, ApiError> {
    let user: UserId = user
        .parse()
        .map_err(|error| ApiError::invalid_field("/userId", "format", format!("{error}")))?;
    let role = Role::from(body.role);
    let member = organizations::put_member(&gateway, &actor, &org, &user, role).await?;
    Ok(Json(MemberObject::from(&member)))
}

/// Removes a member.
///
/// Only owners and the operator may remove owners.
#[utoipa::path(
    delete,
    path = "/members/{user_id}",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager, UserPath),
    responses(
        (status = 204, description = "The user is no member any more."),
        Fails<OrgManager>,
    )
)]
pub(super) async fn remove_member(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_org, user)): PathParams<(String, String)>,
) -> Result<StatusCode, ApiError> {
    organizations::remove_member(&gateway, &actor, &org, &parse_id(&user, "member")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
