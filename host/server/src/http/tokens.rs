//! `/v1/tokens`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_core::id::OrganizationId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callers::Operator;
use super::error::{ApiError, code};
use super::extract::{JsonBody, parse_id};
use super::openapi::Fails;
use crate::auth::TokenKind;
use crate::gateway::Gateway;
use crate::{organizations, sessions};

/// Whom a token is for.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = NewToken)]
pub(super) enum CreateBody {
    /// An agent, in one session.
    #[serde(rename_all = "camelCase")]
    Sandbox {
        #[schema(format = "uuid")]
        session_id: String,
    },
    /// A person of an organization; what they may do depends on their role at
    /// each request.
    #[serde(rename_all = "camelCase")]
    User {
        #[schema(min_length = 1, max_length = 128)]
        org_id: String,
        #[schema(min_length = 1, max_length = 128)]
        user_id: String,
    },
}

/// A new token, which is told once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Token)]
pub(super) struct TokenObject {
    /// For `Authorization: Bearer`.
    token: String,
    #[schema(format = "date-time")]
    expires_at: String,
}

/// Mints a token for an agent or a person.
#[utoipa::path(
    post,
    path = "/tokens",
    tag = "operator",
    security(("operatorKey" = [])),
    request_body = CreateBody,
    responses(
        (status = 201, description = "The token.", body = TokenObject),
        Fails<(Operator, JsonBody<CreateBody>, code::NotFound, code::SessionClosed)>,
    )
)]
pub(super) async fn create_token(
    State(gateway): State<Arc<Gateway>>,
    _: Operator,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<(StatusCode, Json<TokenObject>), ApiError> {
    let kind = match body {
        CreateBody::Sandbox { session_id } => {
            let id = parse_id(&session_id, "session")?;
            TokenKind::Sandbox(sessions::find_open(&gateway, id).await?.id)
        }
        CreateBody::User { org_id, user_id } => {
            let org: OrganizationId = parse_id(&org_id, "organization")?;
            organizations::check_exists(&gateway, &org).await?;
            let user = user_id.parse().map_err(|error| {
                ApiError::invalid_field("/userId", "format", format!("{error}"))
            })?;
            TokenKind::User(org, user)
        }
    };
    let minted = gateway.authenticator.mint(&kind, gateway.clock.now());
    Ok((
        StatusCode::CREATED,
        Json(TokenObject {
            token: minted.token,
            expires_at: minted.expires_at.to_string(),
        }),
    ))
}
