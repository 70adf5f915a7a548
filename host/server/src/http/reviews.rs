//! `/v1/orgs/{orgId}/sources/{sourceId}/review`: what was reviewed, and confirming
//! what it has become.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portcullis_core::id::SourceId;
use portcullis_core::review::ReviewStatus;
use portcullis_storage::ActionReview;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::callers::{OrgManager, OrgReader};
use super::definitions::{EntryObject, StampObject, entries};
use super::error::{ApiError, code};
use super::extract::{JsonBody, PathParams};
use super::names;
use super::openapi::{Fails, SourcePath};
use crate::gateway::Gateway;
use crate::reviews::{self, Confirmed, Review, ReviewedAction};

/// A source as the organization reviewed it, and as it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SourceReview)]
pub(super) struct ReviewResponse {
    #[schema(example = "linear")]
    source_id: String,
    /// False while the source is not served: nobody knows then whether an action is
    /// gone.
    complete: bool,
    /// Every action that was reviewed or is served, by id.
    actions: Vec<ActionObject>,
}

/// An action as it was reviewed, and as it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReviewedAction)]
struct ActionObject {
    #[schema(example = "create_issue")]
    id: String,
    #[schema(value_type = names::ReviewStatus)]
    status: &'static str,
    /// What a `renamed` action was called before.
    #[serde(skip_serializing_if = "Option::is_none")]
    renamed_from: Option<String>,
    /// What was reviewed; null when nobody has reviewed the action.
    #[schema(required)]
    reviewed: Option<ReviewedObject>,
    /// What it is now; null when it is not served.
    #[schema(required)]
    current: Option<StampObject>,
    /// Where the two differ, those first that change how the action is called; of a
    /// `renamed` action where it differs from its former self. Null when what was
    /// reviewed was not kept.
    #[schema(required)]
    difference: Option<Vec<EntryObject>>,
    /// How many more there are.
    #[schema(minimum = 0)]
    difference_omitted: usize,
    /// The mode in force for the organization; null when the action is not served.
    #[schema(required, value_type = Option<names::Mode>)]
    mode: Option<&'static str>,
    #[schema(required, value_type = Option<names::ModeSource>)]
    mode_source: Option<&'static str>,
    /// True when the mode was set for, or inferred of, another definition.
    drifted: bool,
}

/// What was reviewed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReviewedDefinition)]
struct ReviewedObject {
    #[serde(flatten)]
    definition: StampObject,
    /// `user:<id>`, `operator`, or `gateway`.
    #[schema(example = "user:ada")]
    reviewed_by: String,
    #[schema(format = "date-time")]
    reviewed_at: String,
}

impl From<ActionReview> for ReviewedObject {
    fn from(review: ActionReview) -> Self {
        Self {
            definition: review.stamp.into(),
            reviewed_by: review.reviewed_by,
            reviewed_at: review.reviewed_at.to_string(),
        }
    }
}

impl From<ReviewedAction> for ActionObject {
    fn from(action: ReviewedAction) -> Self {
        let decision = action.decision.as_ref();
        Self {
            id: action.id.to_string(),
            status: action.status.as_str(),
            mode: decision.map(|decision| decision.mode.as_str()),
            mode_source: decision.map(|decision| decision.source.as_str()),
            drifted: decision.is_some_and(|decision| decision.drifted),
            renamed_from: match action.status {
                ReviewStatus::Renamed { from } => Some(from.to_string()),
                _ => None,
            },
            reviewed: action.reviewed.map(Into::into),
            current: action.current.map(Into::into),
            difference_omitted: action.difference.as_ref().map_or(0, |found| found.omitted),
            difference: action.difference.map(entries),
        }
    }
}

impl From<Review> for ReviewResponse {
    fn from(review: Review) -> Self {
        Self {
            source_id: review.source.to_string(),
            complete: review.complete,
            actions: review.actions.into_iter().map(Into::into).collect(),
        }
    }
}

/// Definitions as somebody has seen them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Confirmation)]
pub(super) struct ConfirmBody {
    /// Each action once.
    #[schema(min_items = 1, max_items = 512)]
    actions: Vec<ConfirmedBody>,
}

/// An action as somebody has seen it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfirmedAction)]
struct ConfirmedBody {
    #[schema(example = "create_issue")]
    id: String,
    /// The `digest` of `current` that was shown; null for an action that is gone.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, value_type = Option<names::DefinitionDigest>)]
    digest: Option<String>,
}

impl ConfirmedBody {
    fn parse(self, index: usize) -> Result<Confirmed, ApiError> {
        let refuse = |field: &str, message: String| {
            ApiError::invalid_field(format!("/actions/{index}/{field}"), "format", message)
        };
        let digest = self.digest.map(|digest| digest.parse()).transpose();
        Ok(Confirmed {
            id: self
                .id
                .parse()
                .map_err(|error| refuse("id", format!("{error}")))?,
            seen: digest.map_err(|error| refuse("digest", format!("{error}")))?,
        })
    }
}

/// Shows what the organization has reviewed of a source, beside what is served.
///
/// What was served when the organization first used the source counts as reviewed.
/// An action that was never reviewed, or is called differently now, is never
/// allowed without somebody's decision.
#[utoipa::path(
    get,
    path = "/sources/{source_id}/review",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgReader, SourcePath),
    responses(
        (status = 200, description = "Every action, as it was reviewed and as it is.", body = ReviewResponse),
        Fails<OrgReader>,
    )
)]
pub(super) async fn get_review(
    State(gateway): State<Arc<Gateway>>,
    OrgReader(org): OrgReader,
    PathParams((_org, source)): PathParams<(String, String)>,
) -> Result<Json<ReviewResponse>, ApiError> {
    let review = reviews::show(&gateway, &org, &parse_source(&source)?).await?;
    Ok(Json(review.into()))
}

/// Confirms definitions as they were seen.
///
/// All of them or none: when one is not what was seen any more, nothing changes.
/// Modes that were set for what had been reviewed hold for what was confirmed; others
/// are to be set again. `digest` null confirms that an action is gone; should it come
/// back, it is new, also to its modes.
#[utoipa::path(
    post,
    path = "/sources/{source_id}/review",
    tag = "organization",
    security(("userToken" = []), ("operatorKey" = [])),
    params(OrgManager, SourcePath),
    request_body = ConfirmBody,
    responses(
        (status = 200, description = "The source as it is reviewed now.", body = ReviewResponse),
        Fails<(OrgManager, JsonBody<ConfirmBody>, code::DefinitionChanged)>,
    )
)]
pub(super) async fn confirm_review(
    State(gateway): State<Arc<Gateway>>,
    OrgManager { org, actor }: OrgManager,
    PathParams((_org, source)): PathParams<(String, String)>,
    JsonBody(body): JsonBody<ConfirmBody>,
) -> Result<Json<ReviewResponse>, ApiError> {
    let actions = body.actions.into_iter().enumerate();
    let confirmed: Vec<_> = actions
        .map(|(index, action)| action.parse(index))
        .collect::<Result<_, _>>()?;
    let source = parse_source(&source)?;
    let review = reviews::confirm(&gateway, &actor, &org, &source, &confirmed).await?;
    Ok(Json(review.into()))
}

/// What is no id is the id of nothing.
fn parse_source(text: &str) -> Result<SourceId, ApiError> {
    super::extract::parse_id(text, "source").map_err(ApiError::from)
}
