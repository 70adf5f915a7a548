//! `update_issue`

use portcullis_sdk::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    api::{LINEAR, succeeded},
    documents,
    model::{Issue, IssueAnswer},
};

/// The issue to change, and what about it.
#[params]
pub struct UpdateIssue {
    /// Issue UUID or identifier such as ENG-123.
    #[schemars(length(min = 1))]
    issue_id: String,
    /// One line.
    #[schemars(length(min = 1))]
    title: Option<String>,
    /// Markdown; replaces the whole description.
    description: Option<String>,
    /// UUID of the user who is to work on it; null for nobody.
    #[serde(default)]
    assignee_id: Clearable<String>,
    /// UUID of a workflow state of the issue's team.
    state_id: Option<String>,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[schemars(range(min = 0, max = 4))]
    priority: Option<u8>,
}

/// Changes an issue; what is left out stays as it is.
#[action(
    title = "Update issue",
    risk = write,
    example("Raise the priority", { "issueId": "ENG-123", "priority": 1 }),
    example("Take it from its assignee", { "issueId": "ENG-123", "assigneeId": null }),
)]
pub fn update_issue(ctx: &Context, params: UpdateIssue) -> Result<IssueAnswer> {
    let input = IssueUpdateInput {
        title: params.title,
        description: params.description,
        assignee_id: params.assignee_id,
        state_id: params.state_id,
        priority: params.priority,
    };
    if input == IssueUpdateInput::default() {
        return Err(Error::invalid_params(
            "Nothing to change: give at least one of title, description, assigneeId, stateId, priority.",
        ));
    }
    let variables = json!({ "id": params.issue_id, "input": input });
    let updated: Updated = LINEAR.mutate(ctx, documents::UPDATE_ISSUE, variables)?;
    let Payload { success, issue } = updated.issue_update;
    Ok(IssueAnswer {
        issue: succeeded(success, issue, "change the issue", &params.issue_id)?,
    })
}

/// Linear's input type, as far as it is used.
#[derive(Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct IssueUpdateInput {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Clearable::is_keep")]
    assignee_id: Clearable<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Updated {
    issue_update: Payload,
}

#[derive(Deserialize)]
struct Payload {
    success: bool,
    issue: Option<Issue>,
}

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing::{Reply, TestProvider};

    use super::*;
    use crate::{PROVIDER, api::PATH, fixtures};

    fn updated(success: bool) -> Reply {
        updated_to(success, &fixtures::issue(1))
    }

    fn updated_to(success: bool, issue: &Value) -> Reply {
        let payload = json!({ "success": success, "issue": issue });
        Reply::json(200, json!({ "data": { "issueUpdate": payload } }))
    }

    fn input(params: Value) -> Value {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(Method::Post, PATH, updated(true));
        linear.run("update_issue", params).unwrap();
        linear.requests()[0].json()["variables"]["input"].clone()
    }

    #[test]
    fn what_is_given_is_changed_and_the_issue_answered() {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(Method::Post, PATH, updated(true));

        let result = linear
            .run("update_issue", json!({ "issueId": "ENG-2", "priority": 0 }))
            .unwrap();

        assert_eq!(result, json!({ "issue": fixtures::issue(1) }));
        let sent = linear.requests()[0].json();
        assert_eq!(sent["query"], documents::UPDATE_ISSUE);
        assert_eq!(
            sent["variables"],
            json!({ "id": "ENG-2", "input": { "priority": 0 } })
        );
    }

    #[test]
    fn every_param_is_passed_on() {
        let mut params = json!({
            "issueId": "ENG-2",
            "title": "Login hangs",
            "description": "",
            "assigneeId": "user",
            "stateId": "state",
            "priority": 4,
        });
        let input = input(params.clone());

        params.as_object_mut().unwrap().shift_remove("issueId");
        assert_eq!(input, params);
    }

    #[test]
    fn the_assignee_can_be_removed() {
        assert_eq!(
            input(json!({ "issueId": "ENG-2", "assigneeId": null })),
            json!({ "assigneeId": null })
        );
    }

    #[test]
    fn nothing_to_change_is_refused_before_anything_is_sent() {
        let error =
            TestProvider::new(PROVIDER).fails("update_issue", json!({ "issueId": "ENG-2" }));

        assert_eq!(error.code(), ErrorCode::InvalidParams);
    }

    #[test]
    fn success_is_checked() {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(Method::Post, PATH, updated(false));

        let error = linear.fails("update_issue", json!({ "issueId": "ENG-2", "title": "x" }));

        assert_eq!(error.code(), ErrorCode::Upstream);
        assert!(!error.is_retryable());
    }

    #[test]
    fn an_issue_that_was_changed_and_is_not_shown_was_changed() {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(Method::Post, PATH, updated_to(true, &json!(null)));

        let error = linear.fails("update_issue", json!({ "issueId": "ENG-2", "title": "x" }));

        assert_eq!(error.code(), ErrorCode::Upstream);
        assert_eq!(
            error.message(),
            "Linear did change the issue, but did not show the result: look before you ask for it \
             again. The issue is ENG-2."
        );
    }
}
