//! Sentry's addresses and rate limits.

use std::time::Duration;

use portcullis_sdk::{
    http::{EpochUnit, Request, Response},
    prelude::*,
};

/// The endpoint's name.
pub const ENDPOINT: &str = "api";

/// Everything that the actions use is below it.
///
/// The version of the API stands here and not in the endpoint's base: so the base of a connection is
/// the address that people know their Sentry by.
pub const ORGANIZATIONS: &str = "/api/0/organizations";

/// The path of an organization's issues.
///
/// **Errors**: `invalid_params` for a slug that would lead to another path.
pub(crate) fn issues(organization: &str) -> Result<String> {
    Ok(format!(
        "{ORGANIZATIONS}/{}/issues/",
        segment(organization)?
    ))
}

/// The path of an issue.
///
/// **Errors**: as for [`issues`].
pub(crate) fn issue(organization: &str, issue: &str) -> Result<String> {
    Ok(format!("{}{}/", issues(organization)?, segment(issue)?))
}

/// A request that knows how Sentry asks to wait.
pub(crate) fn request(ctx: &Context, method: Method, path: String) -> Request<'_> {
    ctx.http(ENDPOINT)
        .request(method, path)
        .retry_after(asked_wait)
}

/// `Retry-After` if there is one, else, once the limit was met, the time until it is restored.
fn asked_wait(response: &Response) -> Option<Duration> {
    let reset = || response.until_reset("x-sentry-rate-limit-reset", EpochUnit::Seconds);
    let restored = || (response.status() == 429).then(reset).flatten();
    response.retry_after().or_else(restored)
}

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing::{Reply, TestProvider};

    use super::*;
    use crate::PROVIDER;

    /// One request of each action, with these ids in its path.
    fn calls(organization: &str, issue: &str) -> Vec<(&'static str, Value)> {
        let named = |more: Value| {
            let mut params = json!({ "organization_slug": organization, "issue_id": issue });
            let more = more.as_object().cloned().unwrap_or_default();
            params.as_object_mut().unwrap().extend(more);
            params
        };
        vec![
            ("get_issue", named(json!({}))),
            ("list_issue_events", named(json!({}))),
            ("get_event", named(json!({ "event_id": "latest" }))),
            ("update_issue", named(json!({ "status": "resolved" }))),
            ("add_comment", named(json!({ "text": "Hi" }))),
        ]
    }

    #[test]
    fn ids_that_would_lead_elsewhere_are_refused_before_anything_is_sent() {
        let sentry = TestProvider::new(PROVIDER);
        for hostile in ["", ".", "..", "a/b", "../admin", "a\\b", "a\nb"] {
            let by_issue = calls("acme", hostile);
            let by_organization = calls(hostile, "1");
            let listing = ("list_issues", json!({ "organization_slug": hostile }));
            let event =
                json!({ "organization_slug": "acme", "issue_id": "1", "event_id": hostile });
            let rest = [listing, ("get_event", event)];
            for (action, params) in by_issue.into_iter().chain(by_organization).chain(rest) {
                let error = sentry.fails(action, params.clone());
                assert_eq!(error.code(), ErrorCode::InvalidParams, "{action} {params}");
            }
        }
        assert_eq!(sentry.requests().len(), 0);
    }

    #[test]
    fn ids_are_encoded() {
        for (action, params) in calls("ac me", "1?x=#é%2f") {
            let sentry = TestProvider::new(PROVIDER);
            sentry.expect_always(Reply::text(404, ""));

            sentry.fails(action, params);

            let path = &sentry.requests()[0].path;
            let below = "/api/0/organizations/ac%20me/issues/1%3Fx%3D%23%C3%A9%252f/";
            assert!(path.starts_with(below), "{path}");
            assert!(path.ends_with('/'), "{path}");
        }
    }

    #[test]
    fn every_action_takes_an_organization() {
        for action in PROVIDER.actions {
            let error = TestProvider::new(PROVIDER).fails(action.id, json!({ "issue_id": "1" }));
            assert_eq!(error.code(), ErrorCode::InvalidParams);
            assert!(error.message().contains("organization_slug"), "{error}");
        }
    }

    #[test]
    fn the_wait_ends_when_the_limit_is_restored() {
        let failure = |status, header| {
            let sentry = TestProvider::new(PROVIDER);
            sentry.set_now(Timestamp::from_secs(1_795_219_200));
            let reply = Reply::text(status, "").header(header, "1795219240");
            sentry.expect_always(reply.header("x-sentry-rate-limit-remaining", "0"));
            sentry.fails("update_issue", calls("acme", "1").remove(3).1)
        };

        let limited = failure(429, "X-Sentry-Rate-Limit-Reset");
        assert_eq!(limited.code(), ErrorCode::RateLimited);
        assert_eq!(limited.wait(), Some(Duration::from_secs(40)));
        assert_eq!(failure(503, "X-Sentry-Rate-Limit-Reset").wait(), None);
    }
}
