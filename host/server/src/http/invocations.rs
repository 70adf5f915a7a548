//! Lists of invocations, and one with its result.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portcullis_core::invocation::InvocationStatus;
use portcullis_storage::InvocationFilter;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::callers::{InSession, OrgReader};
use super::error::ApiError;
use super::extract::{PathParams, QueryParams, parse_id};
use super::names;
use super::objects::{FullResultObject, InvocationObject};
use super::openapi::Fails;
use crate::actions::history;
use crate::gateway::Gateway;

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 100;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only invocations that stand there.
    #[param(value_type = Option<names::InvocationStatus>)]
    status: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// How many of the newest to leave out.
    #[param(minimum = 0, default = 0)]
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

/// Invocations, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = InvocationList)]
pub(super) struct ListResponse {
    invocations: Vec<InvocationObject>,
    /// How many there are, on all pages.
    total: u64,
}

/// Lists the session's invocations, newest first.
#[utoipa::path(
    get,
    path = "/invocations",
    tag = "agents",
    security(("sandboxToken" = []), ("userToken" = [])),
    params(InSession, ListQuery),
    responses(
        (status = 200, description = "A page.", body = ListResponse),
        Fails<(InSession, QueryParams<ListQuery>)>,
    )
)]
pub(super) async fn list_session_invocations(
    State(gateway): State<Arc<Gateway>>,
    InSession(session): InSession,
    QueryParams(query): QueryParams<ListQuery>,
) -> Result<Json<ListResponse>, ApiError> {
    let page = history::of_session(&gateway, session.id, query.filter()?).await?;
    Ok(Json(ListResponse {
        invocations: page.items.iter().map(InvocationObject::from).collect(),
        total: page.total,
    }))
}

/// One invocation.
#[derive(Serialize, ToSchema)]
#[schema(as = InvocationAnswer)]
pub(super) struct ShowResponse {
    invocation: WithResult,
}

/// An invocation and its result.
#[derive(Serialize, ToSchema)]
#[schema(as = InvocationWithResult)]
struct WithResult {
    #[serde(flatten)]
    invocation: InvocationObject,
    /// What the action answered, redacted and truncated to 10,240 bytes; null
    /// unless it completed.
    #[schema(required)]
    result: Option<Value>,
    /// Where the whole result can be read; only when it was truncated and is kept.
    #[serde(rename = "fullResult", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    full_result: Option<FullResultObject>,
}

/// Shows an invocation with its result.
#[utoipa::path(
    get,
    path = "/invocations/{id}",
    tag = "agents",
    security(("sandboxToken" = []), ("userToken" = [])),
    params(InSession, ("id" = String, Path, description = "The invocation.", format = "uuid")),
    responses(
        (status = 200, description = "The invocation.", body = ShowResponse),
        Fails<InSession>,
    )
)]
pub(super) async fn get_invocation(
    State(gateway): State<Arc<Gateway>>,
    InSession(session): InSession,
    PathParams((_session, id)): PathParams<(String, String)>,
) -> Result<Json<ShowResponse>, ApiError> {
    let id = parse_id(&id, "invocation")?;
    let invocation = history::find(&gateway, session.id, id).await?;
    Ok(Json(ShowResponse {
        invocation: WithResult {
            invocation: InvocationObject::from(&invocation),
            full_result: FullResultObject::of(&invocation),
            result: invocation.result,
        },
    }))
}

/// An invocation and the title of its session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TitledInvocation)]
pub(super) struct WithTitle {
    #[serde(flatten)]
    invocation: InvocationObject,
    #[schema(required)]
    session_title: Option<String>,
}

/// Invocations of many sessions, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = TitledInvocationList)]
pub(super) struct TitledListResponse {
    invocations: Vec<WithTitle>,
    /// How many there are, on all pages.
    total: u64,
}

/// Lists the organization's invocations, newest first.
#[utoipa::path(
    get,
    path = "/invocations",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgReader, ListQuery),
    responses(
        (status = 200, description = "A page.", body = TitledListResponse),
        Fails<(OrgReader, QueryParams<ListQuery>)>,
    )
)]
pub(super) async fn list_organization_invocations(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
    QueryParams(query): QueryParams<ListQuery>,
) -> Result<Json<TitledListResponse>, ApiError> {
    let page = history::of_organization(&gateway, &org, query.filter()?).await?;
    let invocations = page.items.into_iter().map(|titled| WithTitle {
        invocation: InvocationObject::from(&titled.invocation),
        session_title: titled.session_title,
    });
    Ok(Json(TitledListResponse {
        invocations: invocations.collect(),
        total: page.total,
    }))
}
