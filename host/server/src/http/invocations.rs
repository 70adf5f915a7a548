//! Lists of invocations, and one with its result.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portcullis_core::invocation::InvocationStatus;
use portcullis_storage::InvocationFilter;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::callers::{InSession, OrgReader};
use super::error::ApiError;
use super::extract::{PathParams, QueryParams, parse_id};
use super::objects::InvocationObject;
use crate::actions::history;
use crate::gateway::Gateway;

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    status: Option<String>,
    limit: Option<u32>,
    offset: Option<u32>,
}

impl ListQuery {
    fn filter(self) -> Result<InvocationFilter, ApiError> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(ApiError::invalid_field(
                "/limit",
                "range",
                format!("limit must be between 1 and {MAX_LIMIT}"),
            ));
        }
        Ok(InvocationFilter {
            status: self.status.as_deref().map(parse_status).transpose()?,
            limit,
            offset: self.offset.unwrap_or(0),
            ..InvocationFilter::default()
        })
    }
}

fn parse_status(text: &str) -> Result<InvocationStatus, ApiError> {
    InvocationStatus::from_name(text).ok_or_else(|| {
        let known: Vec<_> = InvocationStatus::ALL.iter().map(|s| s.as_str()).collect();
        ApiError::invalid_field(
            "/status",
            "enum",
            format!("status must be one of {}", known.join(", ")),
        )
    })
}

#[derive(Serialize)]
pub(super) struct ListResponse<T> {
    invocations: Vec<T>,
    total: u64,
}

/// `GET /{sessionId}/actions/invocations`
pub(super) async fn list_of_session(
    State(gateway): State<Arc<Gateway>>,
    InSession(session): InSession,
    QueryParams(query): QueryParams<ListQuery>,
) -> Result<Json<ListResponse<InvocationObject>>, ApiError> {
    let page = history::of_session(&gateway, session.id, query.filter()?).await?;
    Ok(Json(ListResponse {
        invocations: page.items.iter().map(InvocationObject::from).collect(),
        total: page.total,
    }))
}

#[derive(Serialize)]
pub(super) struct ShowResponse {
    invocation: WithResult,
}

#[derive(Serialize)]
struct WithResult {
    #[serde(flatten)]
    invocation: InvocationObject,
    result: Option<Value>,
}

/// `GET /{sessionId}/actions/invocations/{id}`
pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    InSession(session): InSession,
    PathParams((_, id)): PathParams<(String, String)>,
) -> Result<Json<ShowResponse>, ApiError> {
    let id = parse_id(&id, "invocation")?;
    let invocation = history::find(&gateway, session.id, id).await?;
    Ok(Json(ShowResponse {
        invocation: WithResult {
            invocation: InvocationObject::from(&invocation),
            result: invocation.result,
        },
    }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WithTitle {
    #[serde(flatten)]
    invocation: InvocationObject,
    session_title: Option<String>,
}

/// `GET /v1/orgs/{orgId}/invocations`
pub(super) async fn list_of_organization(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
    QueryParams(query): QueryParams<ListQuery>,
) -> Result<Json<ListResponse<WithTitle>>, ApiError> {
    let page = history::of_organization(&gateway, &org, query.filter()?).await?;
    let invocations = page.items.into_iter().map(|titled| WithTitle {
        invocation: InvocationObject::from(&titled.invocation),
        session_title: titled.session_title,
    });
    Ok(Json(ListResponse {
        invocations: invocations.collect(),
        total: page.total,
    }))
}
