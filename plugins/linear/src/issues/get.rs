//! `get_issue`

use portcullis_sdk::{
    paging::{Nodes, PageInfo},
    prelude::*,
};
use serde::Deserialize;

use crate::{
    api::LINEAR,
    documents,
    model::{Comment, Issue, Named},
};

/// As many comments are read with an issue.
const COMMENTS: u32 = 50;

/// Which issue to read.
#[params]
pub struct GetIssue {
    /// Issue UUID or identifier such as ENG-123.
    #[schemars(length(min = 1))]
    issue_id: String,
}

/// An issue with everything that is said about it.
#[result]
pub struct IssueDetail {
    #[serde(flatten)]
    issue: Issue,
    /// Markdown; null when there is none.
    description: Option<String>,
    /// RFC 3339.
    created_at: String,
    /// The project it belongs to.
    project: Option<Named>,
    /// Its labels.
    labels: Vec<Named>,
    /// Its comments, at most 50.
    comments: Vec<Comment>,
    /// True when it has more than those.
    has_more_comments: bool,
}

/// Reads one issue with its description, labels, project and comments.
#[action(title = "Get issue", risk = read, example("By identifier", { "issueId": "ENG-123" }))]
pub fn get_issue(ctx: &Context, params: GetIssue) -> Result<IssueDetail> {
    let variables = json!({ "id": params.issue_id, "comments": COMMENTS });
    let found: Found = LINEAR.query(ctx, documents::GET_ISSUE, variables)?;
    Ok(found.issue.into())
}

#[derive(Deserialize)]
struct Found {
    issue: FoundIssue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundIssue {
    #[serde(flatten)]
    issue: Issue,
    description: Option<String>,
    created_at: String,
    project: Option<Named>,
    labels: Labels,
    comments: Nodes<Comment>,
}

#[derive(Deserialize)]
struct Labels {
    nodes: Vec<Named>,
}

impl From<FoundIssue> for IssueDetail {
    fn from(found: FoundIssue) -> Self {
        let PageInfo { has_next_page, .. } = found.comments.page_info;
        Self {
            issue: found.issue,
            description: found.description,
            created_at: found.created_at,
            project: found.project,
            labels: found.labels.nodes,
            comments: found.comments.nodes,
            has_more_comments: has_next_page,
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing::{Reply, TestProvider};

    use super::*;
    use crate::{PROVIDER, api::PATH, fixtures};

    fn found() -> Value {
        let mut issue = fixtures::issue(1);
        issue["description"] = json!("It *hangs*.");
        issue["createdAt"] = json!("2026-11-01T08:00:00.000Z");
        issue["project"] = json!(null);
        issue["labels"] = json!({ "nodes": [{ "id": fixtures::uuid(5), "name": "Bug" }] });
        issue["comments"] = json!({
            "nodes": [fixtures::comment(1), fixtures::comment(2)],
            "pageInfo": { "hasNextPage": true, "endCursor": "c" },
        });
        json!({ "data": { "issue": issue } })
    }

    #[test]
    fn the_issue_is_answered_with_flat_labels_and_comments() {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(Method::Post, PATH, Reply::json(200, found()));

        let result = linear
            .run("get_issue", json!({ "issueId": "ENG-2" }))
            .unwrap();

        let mut expected = found()["data"]["issue"].clone();
        expected["labels"] = json!([{ "id": fixtures::uuid(5), "name": "Bug" }]);
        expected["comments"] = json!([fixtures::comment(1), fixtures::comment(2)]);
        expected["hasMoreComments"] = json!(true);
        assert_eq!(result, expected);
        let sent = linear.requests()[0].json();
        assert_eq!(sent["query"], documents::GET_ISSUE);
        assert_eq!(sent["variables"], json!({ "id": "ENG-2", "comments": 50 }));
    }

    #[test]
    fn an_issue_that_does_not_exist_is_not_found() {
        let linear = TestProvider::new(PROVIDER);
        let body = json!({
            "data": null,
            "errors": [{
                "message": "Entity not found: Issue",
                "extensions": { "type": "invalid input", "userPresentableMessage": "Could not find referenced Issue." },
            }],
        });
        linear.expect(Method::Post, PATH, Reply::json(200, body));

        let error = linear.fails("get_issue", json!({ "issueId": "ENG-999" }));

        assert_eq!(error.code(), ErrorCode::NotFound);
        assert_eq!(
            error.message(),
            "Linear refused: Could not find referenced Issue."
        );
    }

    #[test]
    fn the_issue_is_required() {
        let error = TestProvider::new(PROVIDER).fails("get_issue", json!({}));

        assert_eq!(error.code(), ErrorCode::InvalidParams);
        assert!(error.message().contains("issueId"), "{error}");
    }
}
