//! `/v1/orgs/{orgId}/connections`

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_core::plugin::ConnectionType;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callers::{OrgManager, OrgReader};
use super::error::{ApiError, code};
use super::extract::{JsonBody, PathParams, parse_id};
use super::names;
use super::objects::ConnectionObject;
use super::openapi::Fails;
use crate::config::Secret;
use crate::connections::{self, NewConnection};
use crate::gateway::Gateway;

/// Connections, without their credentials.
#[derive(Serialize, ToSchema)]
#[schema(as = ConnectionList)]
pub(super) struct ListResponse {
    connections: Vec<ConnectionObject>,
}

/// Lists the organization's connections, and those of its users.
#[utoipa::path(
    get,
    path = "/connections",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgReader),
    responses(
        (status = 200, description = "All connections.", body = ListResponse),
        Fails<OrgReader>,
    )
)]
pub(super) async fn list_connections(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
) -> Result<Json<ListResponse>, ApiError> {
    let connections = connections::list(&gateway, &org).await?;
    Ok(Json(ListResponse {
        connections: connections.iter().map(ConnectionObject::from).collect(),
    }))
}

/// A credential. Closed by `type`, so that others can join.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = Credential)]
enum CredentialBody {
    /// Text that goes out as it is.
    #[serde(rename_all = "camelCase")]
    Token {
        /// Visible ASCII. It is kept encrypted and never shown again.
        #[schema(value_type = String, format = "password", min_length = 1, max_length = 16384)]
        token: Secret,
        /// `api-key`, `bot-token`, `oauth2` or `app-installation`, where the
        /// likeliest for the provider is not the right one.
        #[schema(value_type = Option<names::ConnectionType>)]
        connection_type: Option<String>,
    },
}

/// A connection to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewConnection)]
pub(super) struct CreateBody {
    /// The id of a plugin.
    #[schema(example = "linear")]
    provider: String,
    /// The user it belongs to; left out, the organization.
    #[schema(min_length = 1, max_length = 128)]
    user_id: Option<String>,
    credential: CredentialBody,
    /// What replaces the base URLs of the provider's endpoints, by endpoint.
    #[serde(default)]
    base_urls: BTreeMap<String, String>,
}

/// Connects a provider.
#[utoipa::path(
    post,
    path = "/connections",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager),
    request_body = CreateBody,
    responses(
        (status = 201, description = "The connection.", body = ConnectionObject),
        Fails<(OrgManager, JsonBody<CreateBody>, code::Conflict)>,
    )
)]
pub(super) async fn create_connection(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
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
    let connection = connections::create(&gateway, &actor, &org, new).await?;
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

/// What a connection has from now on.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ConnectionRotation)]
pub(super) struct RotateBody {
    /// Without `connectionType`: that stays as it is.
    credential: CredentialBody,
    /// Replaces all base URLs; left out, they stay.
    base_urls: Option<BTreeMap<String, String>>,
}

/// Replaces a connection's credential.
#[utoipa::path(
    put,
    path = "/connections/{id}",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager, ("id" = String, Path, description = "The connection.", format = "uuid")),
    request_body = RotateBody,
    responses(
        (status = 200, description = "The connection, with a higher version.", body = ConnectionObject),
        Fails<(OrgManager, JsonBody<RotateBody>)>,
    )
)]
pub(super) async fn rotate_connection(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_org, id)): PathParams<(String, String)>,
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
    let connection =
        connections::rotate(&gateway, &actor, &org, id, &token, body.base_urls).await?;
    Ok(Json(ConnectionObject::from(&connection)))
}

/// Removes a connection.
///
/// Sessions that used it go on without it.
#[utoipa::path(
    delete,
    path = "/connections/{id}",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager, ("id" = String, Path, description = "The connection.", format = "uuid")),
    responses(
        (status = 204, description = "It is gone, and its credential with it."),
        Fails<OrgManager>,
    )
)]
pub(super) async fn remove_connection(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_org, id)): PathParams<(String, String)>,
) -> Result<StatusCode, ApiError> {
    connections::remove(&gateway, &actor, &org, parse_id(&id, "connection")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
