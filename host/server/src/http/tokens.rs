//! `/v1/tokens`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_core::id::OrganizationId;
use serde::{Deserialize, Serialize};

use super::callers::Operator;
use super::error::ApiError;
use super::extract::{JsonBody, parse_id};
use crate::auth::TokenKind;
use crate::gateway::Gateway;
use crate::{organizations, sessions};

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum CreateBody {
    #[serde(rename_all = "camelCase")]
    Sandbox { session_id: String },
    #[serde(rename_all = "camelCase")]
    User { org_id: String, user_id: String },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenObject {
    token: String,
    expires_at: String,
}

/// `POST /v1/tokens`
pub(super) async fn create(
    State(gateway): State<Arc<Gateway>>,
    Operator(_): Operator,
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
