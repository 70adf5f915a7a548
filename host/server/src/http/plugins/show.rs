//! Showing one plugin.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portcullis_runtime::provenance::{Crate, Provenance};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::callers::Operator;
use super::super::error::{ApiError, code};
use super::super::extract::{PathParams, parse_id};
use super::super::openapi::{Fails, PluginPath};
use super::objects::VersionObject;
use crate::gateway::Gateway;
use crate::plugins;

/// A plugin.
#[derive(Serialize, ToSchema)]
#[schema(as = PluginHistory)]
pub(in crate::http) struct ShowResponse {
    #[schema(example = "linear")]
    id: String,
    /// The version that was changed last comes first.
    #[schema(max_items = 50)]
    versions: Vec<VersionObject>,
    /// What the active version says it is made of, or without one the staged version.
    provenance: ProvenanceObject,
}

/// What a version says it is made of. Nothing but a signature proves it.
#[derive(Serialize, ToSchema)]
#[schema(as = PluginProvenance)]
struct ProvenanceObject {
    /// The revision of its sources; null when it does not say.
    #[schema(required, example = "9fceb02d0ae598e95dc970b74767f19372d61af8")]
    revision: Option<String>,
    /// What it consists of besides itself; null when it does not say.
    #[schema(required, max_items = 4000)]
    crates: Option<Vec<CrateObject>>,
}

/// A part of a plugin.
#[derive(Serialize, ToSchema)]
#[schema(as = PluginCrate)]
struct CrateObject {
    #[schema(example = "serde")]
    name: String,
    /// Empty when it has none.
    #[schema(example = "1.0.229")]
    version: String,
    /// An address that scanners know it by.
    #[schema(required, example = "pkg:cargo/serde@1.0.229")]
    purl: Option<String>,
    /// An SPDX expression.
    #[schema(required, example = "MIT OR Apache-2.0")]
    license: Option<String>,
}

impl From<Provenance> for ProvenanceObject {
    fn from(provenance: Provenance) -> Self {
        let crates = provenance.crates.map(|crates| {
            let object = |part: Crate| CrateObject {
                name: part.name,
                version: part.version,
                purl: part.purl,
                license: part.license,
            };
            crates.into_iter().map(object).collect()
        });
        Self {
            revision: provenance.revision,
            crates,
        }
    }
}

/// Shows a plugin with its versions, also those that are retired.
#[utoipa::path(
    get,
    path = "/plugins/{id}",
    tag = "operator",
    security(("operatorKey" = [])),
    params(PluginPath),
    responses(
        (status = 200, description = "The plugin.", body = ShowResponse),
        Fails<(Operator, PathParams<String>, code::NotFound)>,
    )
)]
pub(in crate::http) async fn get_plugin(
    State(gateway): State<Arc<Gateway>>,
    _: Operator,
    PathParams(id): PathParams<String>,
) -> Result<Json<ShowResponse>, ApiError> {
    let history = plugins::history(&gateway, &parse_id(&id, "plugin")?).await?;
    Ok(Json(ShowResponse {
        id: history.id.to_string(),
        versions: history.versions.iter().map(VersionObject::from).collect(),
        provenance: history.provenance.into(),
    }))
}
