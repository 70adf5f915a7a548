//! Showing where a version differs from the active one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::callers::Operator;
use super::super::error::{ApiError, code};
use super::super::extract::{PathParams, QueryParams, parse_id};
use super::super::names;
use super::super::openapi::{Fails, PluginPath};
use super::difference::DifferenceObject;
use super::objects::VersionObject;
use super::parse_plugin_digest;
use crate::gateway::Gateway;
use crate::plugins;

/// Which version.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct DiffQuery {
    /// The version that is compared with the active one. Left out: the staged one.
    #[param(value_type = Option<names::PluginDigest>)]
    digest: Option<String>,
}

/// Two versions, and where they differ.
#[derive(Serialize, ToSchema)]
#[schema(as = PluginComparison)]
pub(in crate::http) struct DiffResponse {
    #[schema(example = "linear")]
    id: String,
    /// What serves; null when nothing does.
    #[schema(required)]
    active: Option<VersionObject>,
    /// What is compared with it.
    candidate: VersionObject,
    #[serde(flatten)]
    difference: DifferenceObject,
}

/// Shows where a version differs from the active one.
///
/// Where nothing is active, everything the version asks for is new. Approving takes
/// the digest of `candidate`, and that of `active` to be sure that the difference was
/// the one that is shown here.
#[utoipa::path(
    get,
    path = "/plugins/{id}/diff",
    tag = "operator",
    security(("operatorKey" = [])),
    params(PluginPath, DiffQuery),
    responses(
        (status = 200, description = "The difference.", body = DiffResponse),
        Fails<(Operator, PathParams<String>, QueryParams<DiffQuery>, code::NotFound)>,
    )
)]
pub(in crate::http) async fn diff_plugin(
    State(gateway): State<Arc<Gateway>>,
    _: Operator,
    PathParams(id): PathParams<String>,
    QueryParams(query): QueryParams<DiffQuery>,
) -> Result<Json<DiffResponse>, ApiError> {
    let digest = query.digest.as_deref();
    let digest = digest.map(|text| parse_plugin_digest("/digest", text));
    let id = parse_id(&id, "plugin")?;
    let compared = plugins::compare(&gateway, &id, digest.transpose()?).await?;
    Ok(Json(DiffResponse {
        id: id.to_string(),
        active: compared.active.as_ref().map(VersionObject::from),
        candidate: VersionObject::from(&compared.candidate),
        difference: DifferenceObject::from(&compared.difference),
    }))
}
