//! `get_issue`

use portcullis_sdk::prelude::*;

use crate::{
    api,
    model::{Issue, Moment, Word},
};

/// Which issue to read.
#[params(rename_all = "snake_case")]
pub struct GetIssue {
    /// The organization's slug, such as acme.
    #[schemars(length(min = 1))]
    organization_slug: String,
    /// The issue's id, such as 4509123456, or its short id, such as WEB-1A.
    #[schemars(length(min = 1))]
    issue_id: String,
}

/// An issue with what is known about it beyond a list.
#[result]
pub struct IssueDetail {
    /// The issue as in a list.
    #[serde(flatten)]
    issue: Issue,
    /// Such as python.
    platform: Option<Word>,
    /// Such as error or performance.
    issue_category: Option<Word>,
    /// True when nothing caught the error.
    is_unhandled: Option<bool>,
    /// What Sentry groups the events by.
    metadata: Option<Metadata>,
    /// How many comments it has.
    num_comments: Option<u64>,
    /// The release in which it was seen first.
    first_release: Option<Release>,
    /// The release in which it was seen last.
    last_release: Option<Release>,
}

/// What Sentry groups events by.
#[result]
struct Metadata {
    /// The exception's type.
    #[serde(rename = "type")]
    kind: Option<Text<200>>,
    /// The exception's message.
    value: Option<Text<1000>>,
    /// Where it was raised.
    filename: Option<Text<300>>,
    /// Where it was raised.
    function: Option<Text<300>>,
}

/// A release.
#[result]
struct Release {
    /// Such as web@1.4.0.
    version: Text<250>,
    /// RFC 3339.
    date_created: Option<Moment>,
}

/// Reads one issue. Its events tell how it comes about: see `get_event`.
#[action(
    title = "Get issue",
    risk = read,
    example("By short id", { "organization_slug": "acme", "issue_id": "WEB-1A" }),
)]
pub fn get_issue(ctx: &Context, params: GetIssue) -> Result<IssueDetail> {
    let path = api::issue(&params.organization_slug, &params.issue_id)?;
    api::request(ctx, Method::Get, path)
        .send()?
        .success()?
        .json()
}

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing::{Reply, TestProvider};

    use super::*;
    use crate::{PROVIDER, fixtures};

    fn get(issue: Value) -> Value {
        let sentry = TestProvider::new(PROVIDER);
        sentry.expect(Method::Get, fixtures::ISSUE, Reply::json(200, issue));
        sentry.run("get_issue", fixtures::named(json!({}))).unwrap()
    }

    #[test]
    fn the_issue_is_answered_with_what_helps_to_understand_it() {
        let mut expected = fixtures::listed(1);
        fixtures::merge(
            &mut expected,
            json!({
                "platform": "javascript",
                "issueCategory": "error",
                "isUnhandled": true,
                "metadata": {
                    "type": "TypeError",
                    "value": "Cannot read properties of undefined (reading 'deliveryEstimate')",
                    "filename": "app/routes/checkout/payment.ts",
                    "function": "loader",
                },
                "numComments": 2,
                "firstRelease": { "version": "web@1.4.0", "dateCreated": "2026-10-01T12:00:00Z" },
                "lastRelease": { "version": "web@1.9.2", "dateCreated": "2026-11-19T12:00:00Z" },
            }),
        );

        assert_eq!(get(fixtures::issue(1)), expected);
    }

    #[test]
    fn what_is_missing_or_odd_is_null() {
        let issue = get(json!({ "id": "1", "title": "x", "metadata": "x", "numComments": -1 }));

        assert_eq!(issue["id"], "1");
        assert_eq!(issue["metadata"], json!(null));
        assert_eq!(issue["numComments"], json!(null));
        assert_eq!(issue["firstRelease"], json!(null));
    }
}
