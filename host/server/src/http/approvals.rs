//! `/v1/orgs/{orgId}/approvals`: how long requests wait for a person.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portcullis_storage::ApprovalTimes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callers::{OrgManager, OrgReader};
use super::error::ApiError;
use super::extract::JsonBody;
use super::openapi::Fails;
use crate::gateway::Gateway;
use crate::organizations;

/// 30 days: who has not decided by then has forgotten.
const MAX_SECONDS: u32 = 30 * 24 * 60 * 60;

/// How long an organization's requests wait for a person, in seconds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApprovalTimes)]
pub(super) struct TimesResponse {
    /// In interactive sessions; null: as long as the gateway's configuration says.
    #[schema(required)]
    interactive_seconds: Option<u32>,
    /// In automation runs; null: as long as the gateway's configuration says.
    #[schema(required)]
    automation_seconds: Option<u32>,
}

impl From<ApprovalTimes> for TimesResponse {
    fn from(times: ApprovalTimes) -> Self {
        Self {
            interactive_seconds: times.interactive_seconds,
            automation_seconds: times.automation_seconds,
        }
    }
}

/// Both times; one that is left out or null is left to the configuration.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewApprovalTimes)]
pub(super) struct PutBody {
    #[schema(minimum = 1, maximum = 2_592_000)]
    interactive_seconds: Option<u32>,
    #[schema(minimum = 1, maximum = 2_592_000)]
    automation_seconds: Option<u32>,
}

impl PutBody {
    fn parse(self) -> Result<ApprovalTimes, ApiError> {
        for (path, seconds) in [
            ("/interactiveSeconds", self.interactive_seconds),
            ("/automationSeconds", self.automation_seconds),
        ] {
            if seconds.is_some_and(|seconds| !(1..=MAX_SECONDS).contains(&seconds)) {
                let message = format!("must be between 1 and {MAX_SECONDS} seconds");
                return Err(ApiError::invalid_field(path, "range", message));
            }
        }
        Ok(ApprovalTimes {
            interactive_seconds: self.interactive_seconds,
            automation_seconds: self.automation_seconds,
        })
    }
}

/// Shows how long the organization's requests wait for a person.
#[utoipa::path(
    get,
    path = "/approvals",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgReader),
    responses(
        (status = 200, description = "The times.", body = TimesResponse),
        Fails<OrgReader>,
    )
)]
pub(super) async fn get_approval_times(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
) -> Result<Json<TimesResponse>, ApiError> {
    let times = organizations::approval_times(&gateway, &org).await?;
    Ok(Json(times.into()))
}

/// Sets how long the organization's requests wait for a person.
///
/// What waits already keeps its end.
#[utoipa::path(
    put,
    path = "/approvals",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager),
    request_body = PutBody,
    responses(
        (status = 200, description = "The times.", body = TimesResponse),
        Fails<(OrgManager, JsonBody<PutBody>)>,
    )
)]
pub(super) async fn put_approval_times(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    JsonBody(body): JsonBody<PutBody>,
) -> Result<Json<TimesResponse>, ApiError> {
    let times = body.parse()?;
    organizations::set_approval_times(&gateway, &actor, &org, times).await?;
    Ok(Json(times.into()))
}
