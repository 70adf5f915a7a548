//! `/v1/orgs/{orgId}/sessions`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callers::{OrgManager, OrgReader};
use super::error::{ApiError, code};
use super::extract::{JsonBody, PathParams, parse_id};
use super::objects::SessionObject;
use super::openapi::Fails;
use crate::gateway::Gateway;
use crate::sessions::{self, NewSession};

const MAX_TITLE_CHARS: usize = 200;

/// Sessions, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = SessionList)]
pub(super) struct ListResponse {
    sessions: Vec<SessionObject>,
}

/// Lists the organization's sessions, newest first.
#[utoipa::path(
    get,
    path = "/sessions",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgReader),
    responses(
        (status = 200, description = "All sessions.", body = ListResponse),
        Fails<OrgReader>,
    )
)]
pub(super) async fn list_sessions(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
) -> Result<Json<ListResponse>, ApiError> {
    let sessions = sessions::list(&gateway, &org).await?;
    Ok(Json(ListResponse {
        sessions: sessions.iter().map(SessionObject::from).collect(),
    }))
}

/// A session to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewSession)]
pub(super) struct CreateBody {
    /// For people.
    #[schema(max_length = 200)]
    title: Option<String>,
    /// What the agent may use; left out means nothing.
    #[serde(default)]
    #[schema(max_items = 64)]
    connection_ids: Vec<String>,
    /// The user it works for, whose own connections it may use.
    #[schema(min_length = 1, max_length = 128)]
    user_id: Option<String>,
    /// The automation it runs for, whose modes come first.
    #[schema(format = "uuid")]
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

/// Opens a session.
///
/// Its agent needs a token besides, which the operator mints.
#[utoipa::path(
    post,
    path = "/sessions",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager),
    request_body = CreateBody,
    responses(
        (status = 201, description = "The session is open.", body = SessionObject),
        Fails<(OrgManager, JsonBody<CreateBody>, code::Conflict)>,
    )
)]
pub(super) async fn create_session(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<(StatusCode, Json<SessionObject>), ApiError> {
    let session = sessions::create(&gateway, &actor, &org, body.parse()?).await?;
    Ok((StatusCode::CREATED, Json(SessionObject::from(&session))))
}

/// Closes a session for good.
///
/// What runs is executed to its end; what waits for a person expires; nothing new is
/// admitted. Closing it twice is a conflict.
#[utoipa::path(
    post,
    path = "/sessions/{id}/close",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager, ("id" = String, Path, description = "The session.", format = "uuid")),
    responses(
        (status = 200, description = "It is closed.", body = SessionObject),
        Fails<(OrgManager, code::SessionClosed)>,
    )
)]
pub(super) async fn close_session(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_org, id)): PathParams<(String, String)>,
) -> Result<Json<SessionObject>, ApiError> {
    let session = sessions::close(&gateway, &actor, &org, parse_id(&id, "session")?).await?;
    Ok(Json(SessionObject::from(&session)))
}
