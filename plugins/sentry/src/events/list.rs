//! `list_issue_events`

use portcullis_sdk::prelude::*;

use super::model::{EventSummary, RawEvent};
use crate::api;

/// As many events as an agent sees in one piece: the gateway cuts results at 10 KiB.
const DEFAULT_PAGE: u32 = 20;

/// Whose events to list.
#[params(rename_all = "snake_case")]
pub struct ListIssueEvents {
    /// The organization's slug, such as acme.
    #[schemars(length(min = 1))]
    organization_slug: String,
    /// The issue's id, such as 4509123456, or its short id, such as WEB-1A.
    #[schemars(length(min = 1))]
    issue_id: String,
    /// How many events; 20 by default. More may not fit into one answer: prefer the next page.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// The next page: `nextCursor` of the page before.
    cursor: Option<String>,
}

/// A page of events.
#[result]
pub struct EventPage {
    /// The events, the latest first.
    events: Vec<EventSummary>,
    /// Pass as `cursor` for the next page; null when there is none.
    next_cursor: Option<String>,
}

/// Lists the events of an issue, the latest first, without their stack traces.
#[action(
    title = "List an issue's events",
    risk = read,
    example("The latest", { "organization_slug": "acme", "issue_id": "WEB-1A", "limit": 5 }),
)]
pub fn list_issue_events(ctx: &Context, params: ListIssueEvents) -> Result<EventPage> {
    let issue = api::issue(&params.organization_slug, &params.issue_id)?;
    let response = api::request(ctx, Method::Get, format!("{issue}events/"))
        .query("per_page", params.limit.unwrap_or(DEFAULT_PAGE))
        .query_opt("cursor", params.cursor)
        .send()?
        .success()?;
    let events: Vec<RawEvent> = response.json()?;
    Ok(EventPage {
        events: events.iter().map(EventSummary::from).collect(),
        next_cursor: response.next_cursor(),
    })
}
