//! `/v1/orgs/{orgId}/automations`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_storage::Automation;
use serde::{Deserialize, Serialize};

use super::callers::{OrgManager, OrgReader};
use super::error::ApiError;
use super::extract::JsonBody;
use crate::automations;
use crate::gateway::Gateway;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AutomationObject {
    id: String,
    organization_id: String,
    name: String,
    created_at: String,
}

impl From<&Automation> for AutomationObject {
    fn from(automation: &Automation) -> Self {
        Self {
            id: automation.id.to_string(),
            organization_id: automation.organization_id.to_string(),
            name: automation.name.clone(),
            created_at: automation.created_at.to_string(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct ListResponse {
    automations: Vec<AutomationObject>,
}

/// `GET /automations`
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
) -> Result<Json<ListResponse>, ApiError> {
    let automations = automations::list(&gateway, &org).await?;
    Ok(Json(ListResponse {
        automations: automations.iter().map(AutomationObject::from).collect(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateBody {
    name: String,
}

/// `POST /automations`
pub(super) async fn create(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, .. }: OrgManager,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<(StatusCode, Json<AutomationObject>), ApiError> {
    let name = super::orgs::check_name(body.name)?;
    let automation = automations::create(&gateway, &org, name).await?;
    Ok((
        StatusCode::CREATED,
        Json(AutomationObject::from(&automation)),
    ))
}
