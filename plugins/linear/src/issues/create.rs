//! `create_issue`

use portcullis_sdk::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    api::{LINEAR, succeeded},
    documents,
    model::{Issue, IssueAnswer},
    team,
};

/// The issue to create.
#[params]
pub struct CreateIssue {
    /// The team: its UUID, or its key such as ENG.
    #[schemars(length(min = 1))]
    team_id: String,
    /// One line.
    #[schemars(length(min = 1))]
    title: String,
    /// Markdown.
    description: Option<String>,
    /// UUID of the user who is to work on it.
    assignee_id: Option<String>,
    /// UUID of a workflow state of the team; the team's first one by default.
    state_id: Option<String>,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[schemars(range(min = 0, max = 4))]
    priority: Option<u8>,
    /// UUIDs of labels.
    label_ids: Option<Vec<String>>,
    /// UUID of the project it belongs to.
    project_id: Option<String>,
}

/// Creates an issue in a team.
#[action(
    title = "Create issue",
    risk = write,
    example("An urgent bug", { "teamId": "ENG", "title": "Login hangs", "priority": 1 }),
    example("With a description", {
        "teamId": "ENG",
        "title": "Login hangs",
        "description": "Since *today*, after the second factor.",
    }),
)]
pub fn create_issue(ctx: &Context, params: CreateIssue) -> Result<IssueAnswer> {
    let input = IssueCreateInput {
        id: ctx.idempotency_key(),
        team_id: team::id(ctx, params.team_id)?,
        title: params.title,
        description: params.description,
        assignee_id: params.assignee_id,
        state_id: params.state_id,
        priority: params.priority,
        label_ids: params.label_ids,
        project_id: params.project_id,
    };
    let created: Created =
        LINEAR.mutate(ctx, documents::CREATE_ISSUE, json!({ "input": input }))?;
    let Payload { success, issue } = created.issue_create;
    Ok(IssueAnswer {
        issue: succeeded(success, issue, "create the issue", ctx.idempotency_key())?,
    })
}

/// Linear's input type, as far as it is used.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IssueCreateInput<'a> {
    /// Chosen by us, so that a second attempt of the same invocation cannot make a second issue.
    id: &'a str,
    team_id: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label_ids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    issue_create: Payload,
}

#[derive(Deserialize)]
struct Payload {
    success: bool,
    issue: Option<Issue>,
}

#[cfg(test)]
mod tests {
    use portcullis_sdk::{
        http::HttpErrorKind,
        testing::{Reply, TestProvider},
    };

    use super::*;
    use crate::{PROVIDER, api::PATH, fixtures};

    const TEAM: &str = "9c1a6f0e-6a3b-4b43-9d0b-0c5a6d1f2e3a";

    fn created(success: bool, issue: &Value) -> Reply {
        Reply::json(
            200,
            json!({ "data": { "issueCreate": { "success": success, "issue": issue } } }),
        )
    }

    fn failure(reply: Reply) -> Error {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(Method::Post, PATH, reply);
        linear.fails(
            "create_issue",
            json!({ "teamId": TEAM, "title": "Login hangs" }),
        )
    }

    #[test]
    fn the_idempotency_key_becomes_the_issues_id() {
        let linear = TestProvider::new(PROVIDER);
        linear.set_idempotency_key("8c5f3e52-0d4e-4c1e-9a52-6f0a1f2b3c4d");
        linear.expect(Method::Post, PATH, created(true, &fixtures::issue(1)));

        let result = linear
            .run(
                "create_issue",
                json!({ "teamId": TEAM, "title": "Login hangs" }),
            )
            .unwrap();

        assert_eq!(result, json!({ "issue": fixtures::issue(1) }));
        let sent = linear.requests()[0].json();
        assert_eq!(sent["query"], documents::CREATE_ISSUE);
        assert_eq!(
            sent["variables"],
            json!({
                "input": { "id": "8c5f3e52-0d4e-4c1e-9a52-6f0a1f2b3c4d", "teamId": TEAM, "title": "Login hangs" },
            }),
        );
    }

    #[test]
    fn every_param_is_passed_on() {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(Method::Post, PATH, created(true, &fixtures::issue(1)));
        let params = json!({
            "teamId": TEAM,
            "title": "Login hangs",
            "description": "Since *today*.",
            "assigneeId": "user",
            "stateId": "state",
            "priority": 1,
            "labelIds": ["bug", "login"],
            "projectId": "project",
        });

        linear.run("create_issue", params.clone()).unwrap();

        let mut expected = params;
        expected["id"] = json!(linear.idempotency_key());
        assert_eq!(linear.requests()[0].json()["variables"]["input"], expected);
    }

    #[test]
    fn a_teams_key_is_looked_up_first() {
        let linear = TestProvider::new(PROVIDER);
        let teams = json!({ "data": { "teams": { "nodes": [{ "id": TEAM }] } } });
        linear.expect(Method::Post, PATH, Reply::json(200, teams));
        linear.expect(Method::Post, PATH, created(true, &fixtures::issue(1)));

        linear
            .run(
                "create_issue",
                json!({ "teamId": "ENG", "title": "Login hangs" }),
            )
            .unwrap();

        let requests = linear.requests();
        assert_eq!(
            requests[0].json(),
            json!({ "query": documents::FIND_TEAM, "variables": { "key": "ENG" } }),
        );
        assert_eq!(requests[1].json()["variables"]["input"]["teamId"], TEAM);
    }

    #[test]
    fn a_key_that_no_team_has_creates_nothing() {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(
            Method::Post,
            PATH,
            Reply::json(200, json!({ "data": { "teams": { "nodes": [] } } })),
        );

        let error = linear.fails(
            "create_issue",
            json!({ "teamId": "NOPE", "title": "Login hangs" }),
        );

        assert_eq!(error.code(), ErrorCode::NotFound);
        assert_eq!(linear.requests().len(), 1);
    }

    #[test]
    fn success_is_checked() {
        let error = failure(created(false, &fixtures::issue(1)));

        assert_eq!(error.code(), ErrorCode::Upstream);
        assert_eq!(
            error.message(),
            "Linear did not create the issue, and did not say why."
        );
    }

    #[test]
    fn an_issue_that_was_created_and_is_not_shown_was_created() {
        let linear = TestProvider::new(PROVIDER);
        linear.set_idempotency_key("8c5f3e52-0d4e-4c1e-9a52-6f0a1f2b3c4d");
        linear.expect(Method::Post, PATH, created(true, &json!(null)));

        let error = linear.fails(
            "create_issue",
            json!({ "teamId": TEAM, "title": "Login hangs" }),
        );

        assert_eq!(error.code(), ErrorCode::Upstream);
        assert!(!error.is_retryable());
        assert_eq!(
            error.message(),
            "Linear did create the issue, but did not show the result: look before you ask for it \
             again. The issue is 8c5f3e52-0d4e-4c1e-9a52-6f0a1f2b3c4d."
        );
    }

    #[test]
    fn a_creation_that_may_have_happened_is_not_retryable() {
        assert!(!failure(Reply::error(HttpErrorKind::Timeout, true)).is_retryable());
        assert!(!failure(Reply::text(502, "bad gateway")).is_retryable());
        assert!(failure(Reply::error(HttpErrorKind::Connect, false)).is_retryable());
    }

    #[test]
    fn params_are_closed() {
        let params = json!({ "teamId": TEAM, "title": "Login hangs", "createAsUser": "root" });

        assert_eq!(
            TestProvider::new(PROVIDER)
                .fails("create_issue", params)
                .code(),
            ErrorCode::InvalidParams
        );
    }
}
