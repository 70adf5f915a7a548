//! `/v1/orgs/{orgId}/sessions`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::callers::{OrgManager, OrgReader};
use super::error::ApiError;
use super::extract::{JsonBody, PathParams, parse_id};
use super::objects::SessionObject;
use crate::gateway::Gateway;
use crate::sessions::{self, NewSession};

const MAX_TITLE_CHARS: usize = 200;

#[derive(Serialize)]
pub(super) struct ListResponse {
    sessions: Vec<SessionObject>,
}

/// `GET /sessions`
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
) -> Result<Json<ListResponse>, ApiError> {
    let sessions = sessions::list(&gateway, &org).await?;
    Ok(Json(ListResponse {
        sessions: sessions.iter().map(SessionObject::from).collect(),
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateBody {
    title: Option<String>,
    #[serde(default)]
    connection_ids: Vec<String>,
    user_id: Option<String>,
    automation_id: Option<String>,
}

impl CreateBody {
    fn parse(self) -> Result<NewSession, ApiError> {
        if self
            .title
            .as_ref()
            .is_some_and(|title| title.chars().count() > MAX_TITLE_CHARS)
        {
            return Err(ApiError::invalid_field(
                "/title",
                "maxLength",
                format!("a title has at most {MAX_TITLE_CHARS} characters"),
            ));
        }
        // Also because Postgres keeps no NUL in text.
        if self
            .title
            .as_ref()
            .is_some_and(|title| title.chars().any(char::is_control))
        {
            return Err(ApiError::invalid_field(
                "/title",
                "pattern",
                "a title has no control characters",
            ));
        }
        let connection_ids = self
            .connection_ids
            .iter()
            .enumerate()
            .map(|(index, id)| {
                id.parse().map_err(|error| {
                    let path = format!("/connectionIds/{index}");
                    ApiError::invalid_field(path, "format", format!("{error}"))
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(NewSession {
            title: self.title,
            connection_ids,
            user_id: self
                .user_id
                .map(|id| id.parse())
                .transpose()
                .map_err(|error| {
                    ApiError::invalid_field("/userId", "format", format!("{error}"))
                })?,
            automation_id: self
                .automation_id
                .map(|id| id.parse())
                .transpose()
                .map_err(|error| {
                    ApiError::invalid_field("/automationId", "format", format!("{error}"))
                })?,
        })
    }
}

/// `POST /sessions`
pub(super) async fn create(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, .. }: OrgManager,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<(StatusCode, Json<SessionObject>), ApiError> {
    let session = sessions::create(&gateway, &org, body.parse()?).await?;
    Ok((StatusCode::CREATED, Json(SessionObject::from(&session))))
}

/// `POST /sessions/{id}/close`
pub(super) async fn close(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, .. }: OrgManager,
    PathParams((_, id)): PathParams<(String, String)>,
) -> Result<Json<SessionObject>, ApiError> {
    let session = sessions::close(&gateway, &org, parse_id(&id, "session")?).await?;
    Ok(Json(SessionObject::from(&session)))
}
