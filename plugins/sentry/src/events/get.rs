//! `get_event`

use portcullis_sdk::prelude::*;

use super::model::{Event, RawEvent};
use crate::api;

/// The newest event.
const LATEST: &str = "latest";

/// Which event to read.
#[params(rename_all = "snake_case")]
pub struct GetEvent {
    /// The organization's slug, such as acme.
    #[schemars(length(min = 1))]
    organization_slug: String,
    /// The issue's id, such as 4509123456, or its short id, such as WEB-1A.
    #[schemars(length(min = 1))]
    issue_id: String,
    /// The event's id, or `latest` (the default), `oldest`, or `recommended` (the one that tells
    /// most).
    #[schemars(length(min = 1))]
    event_id: Option<String>,
}

/// Reads one event: the exceptions with the innermost frames of the application's own code, the
/// message, tags, release, environment and request.
///
/// Left out are headers, cookies, bodies, variables and breadcrumbs. Sentry has all of it.
#[action(
    title = "Get event",
    risk = read,
    example("The newest", { "organization_slug": "acme", "issue_id": "WEB-1A" }),
    example("The one that tells most", {
        "organization_slug": "acme",
        "issue_id": "WEB-1A",
        "event_id": "recommended",
    }),
)]
pub fn get_event(ctx: &Context, params: GetEvent) -> Result<Event> {
    let issue = api::issue(&params.organization_slug, &params.issue_id)?;
    let event = segment(params.event_id.as_deref().unwrap_or(LATEST))?;
    let path = format!("{issue}events/{event}/");
    let raw: RawEvent = api::request(ctx, Method::Get, path)
        .send()?
        .success()?
        .json()?;
    Ok(raw.into())
}
