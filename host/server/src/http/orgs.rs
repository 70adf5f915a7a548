//! `/v1/orgs`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_storage::Organization;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callers::Operator;
use super::error::{ApiError, code};
use super::extract::JsonBody;
use super::openapi::Fails;
use crate::gateway::Gateway;
use crate::organizations;

const MAX_NAME_CHARS: usize = 200;

/// A tenant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Organization)]
pub(super) struct OrganizationObject {
    id: String,
    name: String,
    #[schema(format = "date-time")]
    created_at: String,
}

impl From<&Organization> for OrganizationObject {
    fn from(organization: &Organization) -> Self {
        Self {
            id: organization.id.to_string(),
            name: organization.name.clone(),
            created_at: organization.created_at.to_string(),
        }
    }
}

/// Organizations.
#[derive(Serialize, ToSchema)]
#[schema(as = OrganizationList)]
pub(super) struct ListResponse {
    orgs: Vec<OrganizationObject>,
}

/// Lists all organizations.
#[utoipa::path(
    get,
    path = "/orgs",
    tag = "operator",
    security(("operatorKey" = [])),
    responses(
        (status = 200, description = "All organizations.", body = ListResponse),
        Fails<Operator>,
    )
)]
pub(super) async fn list_organizations(
    State(gateway): State<Arc<Gateway>>,
    _: Operator,
) -> Result<Json<ListResponse>, ApiError> {
    let organizations = organizations::list(&gateway).await?;
    Ok(Json(ListResponse {
        orgs: organizations.iter().map(OrganizationObject::from).collect(),
    }))
}

/// An organization to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrganization)]
pub(super) struct CreateBody {
    /// The platform's own id, without control characters or `/`.
    #[schema(min_length = 1, max_length = 128)]
    id: String,
    /// Without control characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

/// Adds an organization.
#[utoipa::path(
    post,
    path = "/orgs",
    tag = "operator",
    security(("operatorKey" = [])),
    request_body = CreateBody,
    responses(
        (status = 201, description = "The organization.", body = OrganizationObject),
        Fails<(Operator, JsonBody<CreateBody>, code::AlreadyExists)>,
    )
)]
pub(super) async fn create_organization(
    State(gateway): State<Arc<Gateway>>,
    Operator(actor): Operator,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<(StatusCode, Json<OrganizationObject>), ApiError> {
    let id = body
        .id
        .parse()
        .map_err(|error| ApiError::invalid_field("/id", "format", format!("{error}")))?;
    let organization = organizations::create(&gateway, &actor, id, check_name(body.name)?).await?;
    Ok((
        StatusCode::CREATED,
        Json(OrganizationObject::from(&organization)),
    ))
}

/// A name that people give to a thing.
pub(super) fn check_name(name: String) -> Result<String, ApiError> {
    let length = name.trim().chars().count();
    if (1..=MAX_NAME_CHARS).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(name);
    }
    Err(ApiError::invalid_field(
        "/name",
        "length",
        format!("a name has 1 to {MAX_NAME_CHARS} characters and no control characters"),
    ))
}
