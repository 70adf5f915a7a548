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
