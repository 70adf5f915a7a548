//! `GET /{sessionId}/actions/invocations/{id}/result`: a result, page by page.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portcullis_core::paging::{MAX_PAGE_BYTES, Page, Slice};
use portcullis_core::pointer::Pointer;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::callers::InSession;
use super::error::{ApiError, code};
use super::extract::{PathParams, QueryParams, parse_id};
use super::openapi::Fails;
use crate::actions::full_result::{self, Wanted};
use crate::gateway::Gateway;

/// Which part of the result.
///
/// Numbers are read by us, for an error that names field and rule.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ResultQuery {
    /// What to show of the result: a JSON Pointer (RFC 6901) into it. Left out:
    /// the whole.
    #[param(example = "/issues/0")]
    pointer: Option<String>,
    /// How many of its items, members or characters to leave out first.
    #[param(value_type = Option<u64>, minimum = 0, default = 0)]
    offset: Option<String>,
    /// How many to show at most. Left out: as many as fit.
    #[param(value_type = Option<u64>, minimum = 1)]
    limit: Option<String>,
}

impl ResultQuery {
    fn wanted(&self) -> Result<Wanted, ApiError> {
        let pointer = self.pointer.as_deref().unwrap_or_default();
        let at = pointer.parse::<Pointer>();
        let at =
            at.map_err(|error| ApiError::invalid_field("/pointer", "format", error.to_string()))?;
        let offset = number(self.offset.as_deref(), "offset", "a whole number from 0 on")?;
        let limit = number(self.limit.as_deref(), "limit", "a whole number from 1 on")?;
        Ok(Wanted {
            at,
            slice: Slice {
                offset: offset.unwrap_or(0),
                limit: limit.unwrap_or(NonZeroUsize::MAX),
                max_bytes: MAX_PAGE_BYTES,
            },
        })
    }
}

fn number<T: FromStr>(text: Option<&str>, name: &str, what: &str) -> Result<Option<T>, ApiError> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|_| {
        ApiError::invalid_field(
            format!("/{name}"),
            "range",
            format!("{name} must be {what}"),
        )
    })
}

/// The bytes of a pointer that an answer names.
const MAX_POINTER_BYTES: usize = 4_096;

/// A part of a result.
///
/// The value has at most 10,240 bytes as compact JSON: as many whole items of an
/// array, members of an object or characters of a text as fit from the offset on.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ResultPage)]
pub(super) struct ResultResponse {
    /// What stands there, from the offset on; past the end an empty array, object
    /// or text.
    #[schema(required)]
    value: Value,
    /// How many items, members or characters stand there; null where there is
    /// nothing to count.
    #[schema(required)]
    total: Option<usize>,
    /// True when there is more: on a next page, or within what is cut.
    truncated: bool,
    /// The offset of the next page; null on the last.
    #[schema(required)]
    next_offset: Option<usize>,
    /// JSON Pointers into the whole result: what stands there did not fit on a
    /// page, and the value holds a shortened form of it, or nothing of it if its
    /// name alone is too long. Ask with this pointer to read it. A pointer of more
    /// than 4,096 bytes is not named: no URL would hold it.
    cut: Vec<String>,
}

impl From<Page> for ResultResponse {
    fn from(page: Page) -> Self {
        Self {
            truncated: page.is_truncated(),
            value: page.value,
            total: page.total,
            next_offset: page.next_offset,
            cut: page
                .cut
                .iter()
                .map(Pointer::as_str)
                .filter(|pointer| pointer.len() <= MAX_POINTER_BYTES)
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// Reads a result page by page.
///
/// Also one that was truncated in its answer: it is kept in full for a while, and
/// `fullResult` beside the result says until when. To read everything, follow
/// `nextOffset`, and ask with each pointer in `cut`.
#[utoipa::path(
    get,
    path = "/invocations/{id}/result",
    tag = "agents",
    security(("sandboxToken" = []), ("userToken" = [])),
    params(
        InSession,
        ("id" = String, Path, description = "The invocation.", format = "uuid"),
        ResultQuery
    ),
    responses(
        (status = 200, description = "A page.", body = ResultResponse),
        Fails<(
            InSession,
            QueryParams<ResultQuery>,
            code::NoResult,
            code::NothingThere,
            code::ResultExpired,
        )>,
    )
)]
pub(super) async fn get_result(
    State(gateway): State<Arc<Gateway>>,
    InSession(session): InSession,
    PathParams((_session, id)): PathParams<(String, String)>,
    QueryParams(query): QueryParams<ResultQuery>,
) -> Result<Json<ResultResponse>, ApiError> {
    let id = parse_id(&id, "invocation")?;
    let page = full_result::read(&gateway, session.id, id, query.wanted()?).await?;
    Ok(Json(page.into()))
}
