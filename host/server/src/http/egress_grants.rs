//! `/v1/egress-grants`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_storage::EgressGrant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callers::Operator;
use super::error::{ApiError, code};
use super::extract::{JsonBody, PathParams, parse_id};
use super::openapi::Fails;
use crate::egress_grants;
use crate::gateway::Gateway;

/// An origin that plugins may call although it is private or speaks plain HTTP.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EgressGrant)]
pub(super) struct GrantObject {
    #[schema(format = "uuid")]
    id: String,
    #[schema(example = "http://127.0.0.1:9101")]
    origin: String,
    #[schema(format = "date-time")]
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

/// Egress grants.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EgressGrantList)]
pub(super) struct ListResponse {
    egress_grants: Vec<GrantObject>,
}

/// Lists the egress grants.
#[utoipa::path(
    get,
    path = "/egress-grants",
    tag = "operator",
    security(("operatorKey" = [])),
    responses(
        (status = 200, description = "All grants.", body = ListResponse),
        Fails<Operator>,
    )
)]
pub(super) async fn list_egress_grants(
    State(gateway): State<Arc<Gateway>>,
    _: Operator,
) -> Result<Json<ListResponse>, ApiError> {
    let grants = egress_grants::list(&gateway).await?;
    Ok(Json(ListResponse {
        egress_grants: grants.iter().map(GrantObject::from).collect(),
    }))
}

/// An origin to be granted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewEgressGrant)]
pub(super) struct CreateBody {
    /// `http://` or `https://`, a host, and a port where it is not the usual one.
    #[schema(example = "http://127.0.0.1:9101")]
    origin: String,
}

/// Opens an origin that the rules of egress close.
#[utoipa::path(
    post,
    path = "/egress-grants",
    tag = "operator",
    security(("operatorKey" = [])),
    request_body = CreateBody,
    responses(
        (status = 201, description = "The grant.", body = GrantObject),
        (status = 200, description = "It was granted before.", body = GrantObject),
        Fails<(Operator, JsonBody<CreateBody>)>,
    )
)]
pub(super) async fn create_egress_grant(
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

/// Takes a grant back.
#[utoipa::path(
    delete,
    path = "/egress-grants/{id}",
    tag = "operator",
    security(("operatorKey" = [])),
    params(("id" = String, Path, description = "The grant.", format = "uuid")),
    responses(
        (status = 204, description = "Calls that start from now on are refused."),
        Fails<(Operator, PathParams<String>, code::NotFound, code::OutcomeUnknown)>,
    )
)]
pub(super) async fn remove_egress_grant(
    State(gateway): State<Arc<Gateway>>,
    Operator(actor): Operator,
    PathParams(id): PathParams<String>,
) -> Result<StatusCode, ApiError> {
    egress_grants::remove(&gateway, &actor, parse_id(&id, "egress grant")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
