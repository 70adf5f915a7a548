//! Refusing a staged version.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::callers::Operator;
use super::super::error::{ApiError, code};
use super::super::extract::{JsonBody, PathParams, parse_id};
use super::super::names;
use super::super::openapi::{Fails, PluginPath};
use super::objects::VersionObject;
use super::parse_plugin_digest;
use crate::gateway::Gateway;
use crate::plugins;

/// What somebody can say in a sentence or two.
const MAX_REASON_CHARS: usize = 500;

/// What is refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PluginRejection)]
pub(in crate::http) struct RejectBody {
    /// The staged version.
    #[schema(value_type = names::PluginDigest)]
    digest: String,
    /// Why, for the record.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

impl RejectBody {
    fn check_reason(&self) -> Result<(), ApiError> {
        let length = self.reason.as_ref().map_or(0, |it| it.chars().count());
        if length <= MAX_REASON_CHARS {
            return Ok(());
        }
        Err(ApiError::invalid_field(
            "/reason",
            "maxLength",
            format!("a reason has at most {MAX_REASON_CHARS} characters"),
        ))
    }
}

/// Refuses a staged version.
///
/// What serves is not touched. The version is retired; installing it again makes it a
/// candidate again.
#[utoipa::path(
    post,
    path = "/plugins/{id}/reject",
    tag = "operator",
    security(("operatorKey" = [])),
    params(PluginPath),
    request_body = RejectBody,
    responses(
        (status = 200, description = "It is retired.", body = VersionObject),
        Fails<(
            Operator,
            PathParams<String>,
            JsonBody<RejectBody>,
            code::NotFound,
            code::NotStaged,
        )>,
    )
)]
pub(in crate::http) async fn reject_plugin(
    State(gateway): State<Arc<Gateway>>,
    Operator(actor): Operator,
    PathParams(id): PathParams<String>,
    JsonBody(body): JsonBody<RejectBody>,
) -> Result<Json<VersionObject>, ApiError> {
    body.check_reason()?;
    let digest = parse_plugin_digest("/digest", &body.digest)?;
    let id = parse_id(&id, "plugin")?;
    let reason = body.reason.as_deref();
    let version = plugins::reject(&gateway, actor.as_str(), &id, digest, reason).await?;
    Ok(Json(VersionObject::from(&version)))
}
