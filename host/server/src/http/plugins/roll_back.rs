//! Going back to an earlier version.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::callers::Operator;
use super::super::error::{ApiError, code};
use super::super::extract::{OptionalJsonBody, PathParams, parse_id};
use super::super::names;
use super::super::openapi::{Fails, Loading, PluginPath};
use super::objects::VersionObject;
use super::parse_plugin_digest;
use crate::gateway::Gateway;
use crate::plugins::{self, RollBack};

/// Where to.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PluginRollback)]
pub(in crate::http) struct RollBackBody {
    /// A version that has served. Left out: the one that served before.
    #[schema(value_type = Option<names::PluginDigest>)]
    digest: Option<String>,
}

/// Goes back to a version that has served before.
///
/// It asks for nothing that was not approved once, so it serves at once; the version
/// that served until now is retired.
#[utoipa::path(
    post,
    path = "/plugins/{id}/rollback",
    tag = "operator",
    security(("operatorKey" = [])),
    params(PluginPath),
    request_body(content = Option<RollBackBody>, description = "May be left out."),
    responses(
        (status = 200, description = "It serves.", body = VersionObject),
        Fails<(
            Operator,
            PathParams<String>,
            OptionalJsonBody<RollBackBody>,
            code::NotFound,
            (code::NoEarlierVersion, code::ActiveChanged, code::PluginUnloadable, Loading),
        )>,
    )
)]
pub(in crate::http) async fn roll_back_plugin(
    State(gateway): State<Arc<Gateway>>,
    Operator(actor): Operator,
    PathParams(id): PathParams<String>,
    OptionalJsonBody(body): OptionalJsonBody<RollBackBody>,
) -> Result<Json<VersionObject>, ApiError> {
    let digest = body.digest.as_deref();
    let digest = digest.map(|text| parse_plugin_digest("/digest", text));
    let to = RollBack {
        digest: digest.transpose()?,
    };
    let id = parse_id(&id, "plugin")?;
    let version = plugins::roll_back(&gateway, actor.as_str(), &id, to).await?;
    Ok(Json(VersionObject::from(&version)))
}
