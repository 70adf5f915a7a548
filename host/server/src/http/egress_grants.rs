//! `/v1/egress-grants`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_storage::EgressGrant;
use serde::{Deserialize, Serialize};

use super::callers::Operator;
use super::error::ApiError;
use super::extract::{JsonBody, PathParams, parse_id};
use crate::egress_grants;
use crate::gateway::Gateway;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GrantObject {
    id: String,
    origin: String,
    created_at: String,
}

impl From<&EgressGrant> for GrantObject {
    fn from(grant: &EgressGrant) -> Self {
        Self {
            id: grant.id.to_string(),
            origin: grant.origin.clone(),
            created_at: grant.created_at.to_string(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListResponse {
    egress_grants: Vec<GrantObject>,
}

/// `GET /v1/egress-grants`
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Operator(_): Operator,
) -> Result<Json<ListResponse>, ApiError> {
    let grants = egress_grants::list(&gateway).await?;
    Ok(Json(ListResponse {
        egress_grants: grants.iter().map(GrantObject::from).collect(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateBody {
    origin: String,
}

/// `POST /v1/egress-grants`: 201 when it is new, 200 when it was granted before.
pub(super) async fn create(
    State(gateway): State<Arc<Gateway>>,
    Operator(actor): Operator,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<(StatusCode, Json<GrantObject>), ApiError> {
    let (grant, is_new) = egress_grants::create(&gateway, &actor, &body.origin).await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(GrantObject::from(&grant))))
}

/// `DELETE /v1/egress-grants/{id}`
pub(super) async fn remove(
    State(gateway): State<Arc<Gateway>>,
    Operator(_): Operator,
    PathParams(id): PathParams<String>,
) -> Result<StatusCode, ApiError> {
    egress_grants::remove(&gateway, parse_id(&id, "egress grant")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
