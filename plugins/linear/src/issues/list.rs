//! `list_issues`

use portcullis_sdk::{
    paging::{Nodes, PageInfo},
    prelude::*,
};
use serde::{Deserialize, Serialize};

use crate::{api::LINEAR, documents, model::Issue, team};

/// As many issues as an agent sees in one piece: the gateway cuts results at 10 KiB, and an issue
/// with a long title, which stands in its address too, takes up to two thirds of one.
const DEFAULT_PAGE: u32 = 15;

/// Which issues to list.
#[params]
pub struct ListIssues {
    /// Only issues of this team: its UUID, or its key such as ENG.
    team_id: Option<String>,
    /// Only issues of this project: its UUID.
    project_id: Option<String>,
    /// How many issues; 15 by default. More may not fit into one answer: prefer the next page.
    #[schemars(range(min = 1, max = 50))]
    first: Option<u32>,
    /// The next page: `pageInfo.endCursor` of the page before.
    after: Option<String>,
}

/// A page of issues.
#[result]
pub struct IssuePage {
    /// The issues, those that changed last first.
    issues: Vec<Issue>,
    /// Where the page ends.
    page_info: PageInfo,
}

/// Lists issues, those that changed last first, without their descriptions.
///
/// Each issue carries the ids of its state, team and assignee, which the other actions take.
#[action(
    title = "List issues",
    risk = read,
    example("A team's latest issues", { "teamId": "ENG", "first": 10 }),
    example("The next page", { "teamId": "ENG", "after": "9c1a6f0e-6a3b-4b43-9d0b-0c5a6d1f2e3a" }),
)]
pub fn list_issues(ctx: &Context, params: ListIssues) -> Result<IssuePage> {
    let variables = json!({
        "filter": filter(&params),
        "first": params.first.unwrap_or(DEFAULT_PAGE),
        "after": params.after,
    });
    let found: Found = LINEAR.query(ctx, documents::LIST_ISSUES, variables)?;
    Ok(IssuePage {
        issues: found.issues.nodes,
        page_info: found.issues.page_info,
    })
}

fn filter(params: &ListIssues) -> IssueFilter {
    let team = params.team_id.as_ref().map(|team| {
        let comparator = if team::is_key(team) { "key" } else { "id" };
        json!({ comparator: { "eq": team } })
    });
    let project = params
        .project_id
        .as_ref()
        .map(|project| json!({ "id": { "eq": project } }));
    IssueFilter { team, project }
}

/// Linear's input type, as far as it is used. An empty one finds everything.
#[derive(Serialize)]
struct IssueFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<Value>,
}

#[derive(Deserialize)]
struct Found {
    issues: Nodes<Issue>,
}

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing::{Reply, TestProvider};

    use super::*;
    use crate::{PROVIDER, api::PATH, fixtures};

    /// What an agent sees of a result before the gateway cuts it.
    const RESULT_BYTES: usize = 10_240;

    fn page(issues: std::ops::Range<usize>) -> Reply {
        page_of(&issues.map(fixtures::issue).collect::<Vec<_>>())
    }

    fn page_of(nodes: &[Value]) -> Reply {
        let page_info = json!({ "hasNextPage": true, "endCursor": fixtures::uuid(77) });
        Reply::json(
            200,
            json!({ "data": { "issues": { "nodes": nodes, "pageInfo": page_info } } }),
        )
    }

    fn variables(params: Value) -> Value {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(Method::Post, PATH, page(0..1));
        linear.run("list_issues", params).unwrap();
        linear.requests()[0].json()["variables"].clone()
    }

    #[test]
    fn the_document_is_sent_with_a_default_page() {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(Method::Post, PATH, page(0..1));

        linear.run("list_issues", json!({})).unwrap();

        assert_eq!(
            linear.requests()[0].json(),
            json!({ "query": documents::LIST_ISSUES, "variables": { "filter": {}, "first": 15, "after": null } }),
        );
    }

    #[test]
    fn teams_are_found_by_uuid_or_key() {
        let id = fixtures::uuid(3);

        assert_eq!(
            variables(json!({ "teamId": "ENG" }))["filter"],
            json!({ "team": { "key": { "eq": "ENG" } } })
        );
        assert_eq!(
            variables(json!({ "teamId": id }))["filter"],
            json!({ "team": { "id": { "eq": id } } })
        );
    }

    #[test]
    fn project_page_size_and_cursor_are_passed_on() {
        let variables = variables(json!({ "projectId": "p", "first": 50, "after": "c" }));

        assert_eq!(
            variables,
            json!({ "filter": { "project": { "id": { "eq": "p" } } }, "first": 50, "after": "c" })
        );
    }

    #[test]
    fn issues_are_answered_flat_and_in_order() {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(Method::Post, PATH, page(0..2));

        let result = linear.run("list_issues", json!({})).unwrap();

        assert_eq!(
            result,
            json!({
                "issues": [fixtures::issue(0), fixtures::issue(1)],
                "pageInfo": { "hasNextPage": true, "endCursor": fixtures::uuid(77) },
            }),
        );
        let keys: Vec<&String> = result["issues"][0].as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "id",
                "identifier",
                "title",
                "url",
                "priority",
                "state",
                "team",
                "assignee",
                "updatedAt"
            ],
        );
    }

    #[test]
    fn a_default_page_reaches_the_agent_uncut_also_with_long_titles_and_names() {
        let linear = TestProvider::new(PROVIDER);
        let full = DEFAULT_PAGE as usize;
        let issues: Vec<_> = (0..full).map(fixtures::long_issue).collect();
        linear.expect(Method::Post, PATH, page_of(&issues));

        let result = linear.run("list_issues", json!({})).unwrap();

        assert_eq!(result["issues"].as_array().unwrap().len(), full);
        let bytes = result.to_string().len();
        assert!(bytes <= RESULT_BYTES, "{bytes} bytes");
    }
}
