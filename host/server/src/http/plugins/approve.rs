//! Letting a staged version serve.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::callers::Operator;
use super::super::error::{ApiError, code};
use super::super::extract::{JsonBody, PathParams, parse_id};
use super::super::names;
use super::super::openapi::{Fails, Loading, PluginPath};
use super::objects::VersionObject;
use super::parse_plugin_digest;
use crate::gateway::Gateway;
use crate::plugins::{self, Approve};

/// What was seen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PluginApproval)]
pub(in crate::http) struct ApproveBody {
    /// The staged version whose difference was seen.
    #[schema(value_type = names::PluginDigest)]
    digest: String,
    /// The active version that the difference was shown against. Left out: the one
    /// that was active when the version was staged.
    #[schema(value_type = Option<names::PluginDigest>)]
    active: Option<String>,
}

impl ApproveBody {
    fn parse(&self) -> Result<Approve, ApiError> {
        let active = self.active.as_deref();
        let active = active.map(|text| parse_plugin_digest("/active", text));
        Ok(Approve {
            digest: parse_plugin_digest("/digest", &self.digest)?,
            active: active.transpose()?,
        })
    }
}

/// Lets a staged version serve.
///
/// Calls that run end on the version they began with. Actions that changed are drifted
/// for every organization that has reviewed them.
#[utoipa::path(
    post,
    path = "/plugins/{id}/approve",
    tag = "operator",
    security(("operatorKey" = [])),
    params(PluginPath),
    request_body = ApproveBody,
    responses(
        (status = 200, description = "It serves.", body = VersionObject),
        Fails<(
            Operator,
            PathParams<String>,
            JsonBody<ApproveBody>,
            code::NotFound,
            (code::NotStaged, code::ActiveChanged, code::PluginUnloadable, Loading),
        )>,
    )
)]
pub(in crate::http) async fn approve_plugin(
    State(gateway): State<Arc<Gateway>>,
    Operator(actor): Operator,
    PathParams(id): PathParams<String>,
    JsonBody(body): JsonBody<ApproveBody>,
) -> Result<Json<VersionObject>, ApiError> {
    let approve = body.parse()?;
    let id = parse_id(&id, "plugin")?;
    let version = plugins::approve(&gateway, actor.as_str(), &id, approve).await?;
    Ok(Json(VersionObject::from(&version)))
}
