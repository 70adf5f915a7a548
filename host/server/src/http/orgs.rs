//! `/v1/orgs`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_storage::Organization;
use serde::{Deserialize, Serialize};

use super::callers::Operator;
use super::error::ApiError;
use super::extract::JsonBody;
use crate::gateway::Gateway;
use crate::organizations;

const MAX_NAME_CHARS: usize = 200;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrganizationObject {
    id: String,
    name: String,
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

#[derive(Serialize)]
pub(super) struct ListResponse {
    orgs: Vec<OrganizationObject>,
}

/// `GET /v1/orgs`
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Operator(_): Operator,
) -> Result<Json<ListResponse>, ApiError> {
    let organizations = organizations::list(&gateway).await?;
    Ok(Json(ListResponse {
        orgs: organizations.iter().map(OrganizationObject::from).collect(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateBody {
    id: String,
    name: String,
}

/// `POST /v1/orgs`
pub(super) async fn create(
    State(gateway): State<Arc<Gateway>>,
    Operator(_): Operator,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<(StatusCode, Json<OrganizationObject>), ApiError> {
    let id = body
        .id
        .parse()
        .map_err(|error| ApiError::invalid_field("/id", "format", format!("{error}")))?;
    let organization = organizations::create(&gateway, id, check_name(body.name)?).await?;
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
