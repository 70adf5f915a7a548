//! `/v1/orgs/{orgId}/automations`

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_storage::Automation;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callers::{OrgManager, OrgReader};
use super::error::{ApiError, code};
use super::extract::JsonBody;
use super::openapi::Fails;
use crate::automations;
use crate::gateway::Gateway;

/// A named task that sessions run for, with modes of its own.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Automation)]
pub(super) struct AutomationObject {
    #[schema(format = "uuid")]
    id: String,
    organization_id: String,
    name: String,
    #[schema(format = "date-time")]
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

/// Automations.
#[derive(Serialize, ToSchema)]
#[schema(as = AutomationList)]
pub(super) struct ListResponse {
    automations: Vec<AutomationObject>,
}

/// Lists the organization's automations.
#[utoipa::path(
    get,
    path = "/automations",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgReader),
    responses(
        (status = 200, description = "All automations.", body = ListResponse),
        Fails<OrgReader>,
    )
)]
pub(super) async fn list_automations(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
) -> Result<Json<ListResponse>, ApiError> {
    let automations = automations::list(&gateway, &org).await?;
    Ok(Json(ListResponse {
        automations: automations.iter().map(AutomationObject::from).collect(),
    }))
}

/// An automation to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAutomation)]
pub(super) struct CreateBody {
    /// Without control characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

/// Adds an automation.
#[utoipa::path(
    post,
    path = "/automations",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager),
    request_body = CreateBody,
    responses(
        (status = 201, description = "The automation.", body = AutomationObject),
        Fails<(OrgManager, JsonBody<CreateBody>, code::Conflict)>,
    )
)]
pub(super) async fn create_automation(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<(StatusCode, Json<AutomationObject>), ApiError> {
    let name = super::orgs::check_name(body.name)?;
    let automation = automations::create(&gateway, &actor, &org, name).await?;
    Ok((
        StatusCode::CREATED,
        Json(AutomationObject::from(&automation)),
    ))
}
