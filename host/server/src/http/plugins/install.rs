//! Installing a component.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::callers::Operator;
use super::super::error::{ApiError, code};
use super::super::openapi::{Fails, Loading, PluginSignature};
use super::difference::DifferenceObject;
use super::objects::VersionObject;
use super::upload::Component;
use crate::gateway::Gateway;
use crate::plugins::{self, Installed, NewPlugin, Origin};

/// A version that was installed.
#[derive(Serialize, ToSchema)]
#[schema(as = InstalledPlugin)]
pub(in crate::http) struct InstalledResponse {
    #[serde(flatten)]
    version: VersionObject,
    /// Where it differs from the active one; left out unless it was staged now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    difference: Option<DifferenceObject>,
}

impl InstalledResponse {
    fn of(installed: &Installed) -> (StatusCode, Self) {
        let (status, difference) = match installed {
            Installed::Activated(_) => (StatusCode::CREATED, None),
            Installed::Staged(_, difference) => (StatusCode::ACCEPTED, Some(difference)),
            Installed::Known(_) => (StatusCode::OK, None),
        };
        let response = Self {
            version: VersionObject::from(installed.version()),
            difference: difference.map(DifferenceObject::from),
        };
        (status, response)
    }
}

/// Installs a component.
///
/// One that asks for nothing new and changes nothing that people rely on, or is the
/// first of its plugin, serves at once. Any other is staged until the operator has
/// approved it. Whatever fails, what serves goes on serving. A digest that is retired
/// or has failed becomes a candidate again.
#[utoipa::path(
    post,
    path = "/plugins",
    tag = "operator",
    security(("operatorKey" = [])),
    params(PluginSignature),
    request_body(
        content = Component,
        content_type = "application/wasm",
        description = "The component, at most `server.max_plugin_bytes` (64 MiB).",
    ),
    responses(
        (status = 201, description = "It serves.", body = InstalledResponse),
        (status = 202, description = "It waits for the operator.", body = InstalledResponse),
        (
            status = 200,
            description = "This digest is active or staged already.",
            body = InstalledResponse
        ),
        Fails<(
            Operator,
            Component,
            (code::InvalidPlugin, code::InvalidSignature, code::SignatureRequired),
            Loading,
        )>,
    )
)]
pub(in crate::http) async fn install_plugin(
    State(gateway): State<Arc<Gateway>>,
    Operator(actor): Operator,
    component: Component,
) -> Result<(StatusCode, Json<InstalledResponse>), ApiError> {
    let new = NewPlugin {
        bytes: component.bytes.into(),
        signatures: component.signatures,
        origin: Origin::Upload("uploaded".to_owned()),
        expected: None,
        taken: BTreeSet::new(),
    };
    let installed = plugins::install(&gateway, actor.as_str(), new).await?;
    let (status, response) = InstalledResponse::of(&installed);
    Ok((status, Json(response)))
}
