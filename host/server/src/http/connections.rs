//! `/v1/orgs/{orgId}/connections`

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_core::plugin::ConnectionType;
use serde::{Deserialize, Serialize};

use super::callers::{OrgManager, OrgReader};
use super::error::ApiError;
use super::extract::{JsonBody, PathParams, parse_id};
use super::objects::ConnectionObject;
use crate::config::Secret;
use crate::connections::{self, NewConnection};
use crate::gateway::Gateway;

#[derive(Serialize)]
pub(super) struct ListResponse {
    connections: Vec<ConnectionObject>,
}

/// `GET /connections`
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
) -> Result<Json<ListResponse>, ApiError> {
    let connections = connections::list(&gateway, &org).await?;
    Ok(Json(ListResponse {
        connections: connections.iter().map(ConnectionObject::from).collect(),
    }))
}

/// A credential. Closed by `type`, so that others can join.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum CredentialBody {
    /// Text that goes out as it is.
    #[serde(rename_all = "camelCase")]
    Token {
        token: Secret,
        /// `api-key`, `bot-token`, `oauth2` or `app-installation`, where the
        /// likeliest for the provider is not the right one.
        connection_type: Option<String>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateBody {
    provider: String,
    user_id: Option<String>,
    credential: CredentialBody,
    #[serde(default)]
    base_urls: BTreeMap<String, String>,
}

/// `POST /connections`
pub(super) async fn create(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, .. }: OrgManager,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<(StatusCode, Json<ConnectionObject>), ApiError> {
    let CredentialBody::Token {
        token,
        connection_type,
    } = body.credential;
    let new = NewConnection {
        provider: body.provider,
        user_id: body
            .user_id
            .map(|id| id.parse())
            .transpose()
            .map_err(|error| ApiError::invalid_field("/userId", "format", format!("{error}")))?,
        token,
        connection_type: connection_type
            .as_deref()
            .map(parse_connection_type)
            .transpose()?,
        base_urls: body.base_urls,
    };
    let connection = connections::create(&gateway, &org, new).await?;
    Ok((
        StatusCode::CREATED,
        Json(ConnectionObject::from(&connection)),
    ))
}

fn parse_connection_type(name: &str) -> Result<ConnectionType, ApiError> {
    ConnectionType::from_name(name).ok_or_else(|| {
        let known: Vec<_> = ConnectionType::ALL.iter().map(|t| t.as_str()).collect();
        ApiError::invalid_field(
            "/credential/connectionType",
            "enum",
            format!("connectionType must be one of {}", known.join(", ")),
        )
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RotateBody {
    credential: CredentialBody,
    base_urls: Option<BTreeMap<String, String>>,
}

/// `PUT /connections/{id}`
pub(super) async fn rotate(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, .. }: OrgManager,
    PathParams((_, id)): PathParams<(String, String)>,
    JsonBody(body): JsonBody<RotateBody>,
) -> Result<Json<ConnectionObject>, ApiError> {
    let id = parse_id(&id, "connection")?;
    let CredentialBody::Token {
        token,
        connection_type,
    } = body.credential;
    if connection_type.is_some() {
        return Err(ApiError::invalid_field(
            "/credential/connectionType",
            "immutable",
            "the type of a connection stays; make a new connection to change it",
        ));
    }
    let connection = connections::rotate(&gateway, &org, id, &token, body.base_urls).await?;
    Ok(Json(ConnectionObject::from(&connection)))
}

/// `DELETE /connections/{id}`
pub(super) async fn remove(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, .. }: OrgManager,
    PathParams((_, id)): PathParams<(String, String)>,
) -> Result<StatusCode, ApiError> {
    connections::remove(&gateway, &org, parse_id(&id, "connection")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
