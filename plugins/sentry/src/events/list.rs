//! `list_issue_events`

use portcullis_sdk::prelude::*;

use super::model::{EventSummary, RawEvent};
use crate::api;

/// As many events as an agent sees in one piece, also when every member of each is as long as it may
/// be: the gateway cuts results at 10 KiB.
const DEFAULT_PAGE: u32 = 15;

/// Whose events to list.
#[params(rename_all = "snake_case")]
pub struct ListIssueEvents {
    /// The organization's slug, such as acme.
    #[schemars(length(min = 1))]
    organization_slug: String,
    /// The issue's id, such as 4509123456, or its short id, such as WEB-1A.
    #[schemars(length(min = 1))]
    issue_id: String,
    /// How many events; 15 by default. More may not fit into one answer: prefer the next page.
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

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing::{Reply, TestProvider};

    use super::*;
    use crate::{PROVIDER, fixtures};

    const NEXT: &str = r#"<https://sentry.io/>; rel="next"; results="true"; cursor="0:20:0""#;
    const END: &str = r#"<https://sentry.io/>; rel="next"; results="false"; cursor="0:20:0""#;

    fn list(params: Value, events: &[Value], link: &str) -> (Value, Vec<(String, String)>) {
        let sentry = TestProvider::new(PROVIDER);
        let reply = Reply::json(200, json!(events)).header("link", link);
        sentry.expect(Method::Get, &format!("{}events/", fixtures::ISSUE), reply);
        let result = sentry.run("list_issue_events", fixtures::named(params));
        (result.unwrap(), sentry.requests()[0].query.clone())
    }

    #[test]
    fn events_are_answered_small_with_the_cursor_of_the_next_page() {
        let (result, query) = list(json!({}), &[fixtures::event(7)], NEXT);

        let event = json!({
            "id": "9fac2ceed9344f2bbfdd1fdacb000007",
            "title": "TypeError: Cannot read properties of undefined (reading 'deliveryEstimate')",
            "location": "app/routes/checkout/payment.ts",
            "dateCreated": "2026-11-20T10:15:30Z",
            "environment": "production",
            "release": "web@1.9.2",
            "userId": "77201",
        });
        assert_eq!(result, json!({ "events": [event], "nextCursor": "0:20:0" }));
        assert_eq!(query, [("per_page".to_owned(), "15".to_owned())]);
    }

    #[test]
    fn limit_and_cursor_are_passed_on_and_the_last_page_has_no_cursor() {
        let params = json!({ "limit": 5, "cursor": "0:5:0" });
        let (result, query) = list(params, &[], END);

        assert_eq!(result, json!({ "events": [], "nextCursor": null }));
        let expected = [("per_page", "5"), ("cursor", "0:5:0")];
        assert_eq!(
            query,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn a_default_page_reaches_the_agent_uncut() {
        let events: Vec<_> = (0..DEFAULT_PAGE as usize).map(fixtures::event).collect();

        let (result, _) = list(json!({}), &events, NEXT);

        assert!(result.to_string().len() <= 10_240);
    }

    #[test]
    fn a_default_page_of_the_longest_events_reaches_the_agent_uncut() {
        let mut event = fixtures::event(1);
        let mut tags = event["tags"].take();
        for tag in tags.as_array_mut().unwrap() {
            tag["value"] = json!("x".repeat(3_000));
        }
        event["user"]["id"] = json!("");
        let mut event = fixtures::longest(event);
        event["tags"] = tags;
        let events = vec![event; DEFAULT_PAGE as usize];

        let (result, _) = list(json!({}), &events, NEXT);

        let event = &result["events"][0];
        for member in ["title", "environment", "release", "userId"] {
            assert!(
                event[member].as_str().is_some_and(|text| text.len() > 30),
                "{event}"
            );
        }
        let bytes = result.to_string().len();
        assert!(bytes <= 10_240, "{bytes} bytes");
    }
}
