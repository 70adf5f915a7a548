//! `update_issue`

use portcullis_sdk::prelude::*;
use serde::Serialize;

use crate::{api, model::Issue};

/// The issue to change, and what about it.
#[params(rename_all = "snake_case")]
pub struct UpdateIssue {
    /// The organization's slug, such as acme.
    #[schemars(length(min = 1))]
    organization_slug: String,
    /// The issue's id, such as 4509123456, or its short id, such as WEB-1A.
    #[schemars(length(min = 1))]
    issue_id: String,
    /// What to do with it: resolve it now or with the next release, reopen it (unresolved), or
    /// archive it (ignored; muted is an older name of that).
    status: Option<Status>,
    /// Who is to work on it: `user:<id>`, `team:<id>`, a username or an email address; null for
    /// nobody.
    #[serde(default, rename = "assignedTo")]
    assigned_to: Clearable<String>,
}

#[params]
#[derive(Serialize)]
enum Status {
    Resolved,
    ResolvedInNextRelease,
    Unresolved,
    Ignored,
    Muted,
}

/// What changing an issue answers.
#[result]
pub struct IssueAnswer {
    /// The issue as it is now.
    issue: Issue,
}

/// Changes an issue's status or who is to work on it; what is left out stays as it is.
#[action(
    title = "Update issue",
    risk = write,
    example("Resolve it", { "organization_slug": "acme", "issue_id": "WEB-1A", "status": "resolved" }),
    example("Give it to a team", { "organization_slug": "acme", "issue_id": "WEB-1A", "assignedTo": "team:42" }),
    example("Take it from its assignee", { "organization_slug": "acme", "issue_id": "WEB-1A", "assignedTo": null }),
)]
pub fn update_issue(ctx: &Context, params: UpdateIssue) -> Result<IssueAnswer> {
    if params.status.is_none() && params.assigned_to.is_keep() {
        return Err(Error::invalid_params(
            "Nothing to change: give at least one of status, assignedTo.",
        ));
    }
    let path = api::issue(&params.organization_slug, &params.issue_id)?;
    let change = Change {
        status: params.status,
        assigned_to: match params.assigned_to {
            Clearable::Keep => None,
            Clearable::Clear => Some(NOBODY.to_owned()),
            Clearable::Set(actor) => Some(actor),
        },
    };
    let issue = api::request(ctx, Method::Put, path)
        .json(&change)
        .send()?
        .success()?
        .json()?;
    Ok(IssueAnswer { issue })
}

/// Sentry's own name for nobody: older versions do not take null.
const NOBODY: &str = "";

/// What Sentry takes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_to: Option<String>,
}

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing::{Reply, TestProvider};

    use super::*;
    use crate::{PROVIDER, fixtures};

    fn sent(change: Value) -> Value {
        let sentry = TestProvider::new(PROVIDER);
        let reply = Reply::json(200, fixtures::issue(1));
        sentry.expect(Method::Put, fixtures::ISSUE, reply);
        let result = sentry.run("update_issue", fixtures::named(change)).unwrap();
        assert_eq!(result, json!({ "issue": fixtures::listed(1) }));
        sentry.requests()[0].json()
    }

    #[test]
    fn what_is_given_is_changed_and_nothing_else() {
        let status = json!({ "status": "resolvedInNextRelease" });
        let assignee = json!({ "assignedTo": "team:42" });
        let both = json!({ "status": "unresolved", "assignedTo": "ada@acme.example" });

        for change in [status, assignee, both] {
            assert_eq!(sent(change.clone()), change);
        }
    }

    #[test]
    fn null_and_nothing_leave_the_issue_to_nobody() {
        for nobody in [json!(null), json!("")] {
            assert_eq!(
                sent(json!({ "assignedTo": nobody })),
                json!({ "assignedTo": "" })
            );
        }
    }

    #[test]
    fn the_status_is_one_that_sentry_knows() {
        let action = PROVIDER
            .actions
            .iter()
            .find(|action| action.id == "update_issue");
        let schema = action.unwrap().params_schema();
        assert_eq!(
            schema["properties"]["status"]["enum"],
            json!([
                "resolved",
                "resolvedInNextRelease",
                "unresolved",
                "ignored",
                "muted"
            ])
        );

        let params = fixtures::named(json!({ "status": "done" }));
        let error = TestProvider::new(PROVIDER).fails("update_issue", params);
        assert_eq!(error.code(), ErrorCode::InvalidParams);
    }

    #[test]
    fn nothing_to_change_is_refused_before_anything_is_sent() {
        let error = TestProvider::new(PROVIDER).fails("update_issue", fixtures::named(json!({})));

        assert_eq!(error.code(), ErrorCode::InvalidParams);
        assert!(error.message().contains("status, assignedTo"), "{error}");
    }
}
