//! Reading: what a fresh fake holds, filters, pages.

use portcullis_upstreams::linear::ids;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{data, error, linear, pluck};

const LIST: &str =
    "query($filter: IssueFilter, $first: Int, $after: String, $last: Int, $before: String) {
    issues(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
        nodes { identifier }
        edges { cursor node { id } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
}";

/// Every issue of a fresh fake, in the order of an unfiltered listing.
const ALL: [&str; 8] = [
    "ENG-5", "OPS-3", "ENG-4", "OPS-2", "ENG-3", "ENG-2", "OPS-1", "ENG-1",
];

async fn list(variables: Value) -> Value {
    let fake = linear().await;
    data(&fake, LIST, variables).await["issues"].take()
}

async fn filtered(filter: Value) -> Vec<String> {
    let issues = list(json!({ "filter": filter })).await;
    pluck(&issues["nodes"], "identifier")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn issues_are_listed_with_the_latest_first() {
    let issues = list(json!({})).await;
    assert_eq!(pluck(&issues["nodes"], "identifier"), ALL);
    assert_eq!(issues["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn pages_follow_one_another_without_gaps_or_doubles() {
    let fake = linear().await;
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let answer = data(&fake, LIST, json!({ "first": 3, "after": after })).await;
        let issues = &answer["issues"];
        seen.extend(
            pluck(&issues["nodes"], "identifier")
                .into_iter()
                .map(str::to_owned),
        );
        assert_eq!(issues["pageInfo"]["endCursor"], *last_cursor(issues));
        if issues["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = issues["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, ALL);
}

fn last_cursor(connection: &Value) -> &Value {
    &connection["edges"].as_array().unwrap().last().unwrap()["cursor"]
}

#[tokio::test]
async fn pages_can_be_read_backwards() {
    let fake = linear().await;
    let end = data(&fake, LIST, json!({ "last": 2 })).await;
    assert_eq!(
        pluck(&end["issues"]["nodes"], "identifier"),
        ["OPS-1", "ENG-1"]
    );
    assert_eq!(end["issues"]["pageInfo"]["hasPreviousPage"], true);
    let before = &end["issues"]["pageInfo"]["startCursor"];
    let earlier = data(&fake, LIST, json!({ "last": 2, "before": before })).await;
    assert_eq!(
        pluck(&earlier["issues"]["nodes"], "identifier"),
        ["ENG-3", "ENG-2"]
    );
    assert_eq!(earlier["issues"]["pageInfo"]["hasNextPage"], true);
}

#[tokio::test]
async fn impossible_pages_are_input_errors() {
    let fake = linear().await;
    for variables in [
        json!({ "first": 0 }),
        json!({ "first": 251 }),
        json!({ "first": 1, "last": 1 }),
        json!({ "after": "nowhere" }),
    ] {
        let (status, error) = error(&fake, LIST, variables.clone()).await;
        assert_eq!(status, StatusCode::OK, "{variables}");
        assert_eq!(error["extensions"]["code"], "INPUT_ERROR", "{variables}");
    }
}

#[tokio::test]
async fn issues_are_filtered_by_their_relations() {
    for (filter, expected) in [
        (
            json!({"team": {"id": {"eq": ids::TEAM_OPS}}}),
            &["OPS-3", "OPS-2", "OPS-1"][..],
        ),
        (
            json!({"team": {"key": {"in": ["OPS"]}}}),
            &["OPS-3", "OPS-2", "OPS-1"],
        ),
        (
            json!({"project": {"id": {"eq": ids::PROJECT_QUIETER_NIGHTS}}}),
            &["OPS-3", "OPS-1"],
        ),
        (
            json!({"project": {"null": true}}),
            &["ENG-4", "OPS-2", "ENG-3"],
        ),
        (
            json!({"state": {"type": {"eq": "started"}}}),
            &["OPS-2", "ENG-1"],
        ),
        (
            json!({"state": {"name": {"eqIgnoreCase": "in progress"}}}),
            &["OPS-2", "ENG-1"],
        ),
        (
            json!({"assignee": {"email": {"eq": "bruno@acme.example"}}}),
            &["ENG-1"],
        ),
        (
            json!({"assignee": {"isMe": {"eq": true}}}),
            &["ENG-4", "OPS-2"],
        ),
        (
            json!({"assignee": {"null": true}}),
            &["ENG-5", "OPS-3", "ENG-3", "ENG-2"],
        ),
        (
            json!({"labels": {"some": {"name": {"eq": "Bug"}}}}),
            &["ENG-3", "ENG-1"],
        ),
        (
            json!({"labels": {"some": {"id": {"eq": ids::LABEL_OPS_ON_CALL}}}}),
            &["OPS-1"],
        ),
    ] {
        assert_eq!(filtered(filter.clone()).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn issues_are_filtered_by_their_values() {
    for (filter, expected) in [
        (json!({"id": {"eq": "ENG-2"}}), &["ENG-2"][..]),
        (
            json!({"number": {"eq": 1}, "team": {"key": {"eq": "ENG"}}}),
            &["ENG-1"],
        ),
        (
            json!({"priority": {"lte": 2, "gt": 0}}),
            &["OPS-2", "OPS-1", "ENG-1"],
        ),
        (
            json!({"title": {"containsIgnoreCase": "CHECKOUT"}}),
            &["ENG-1"],
        ),
        (json!({"title": {"contains": "CHECKOUT"}}), &[]),
        (
            json!({"updatedAt": {"gt": "2026-11-09T09:00:00Z"}}),
            &["ENG-5"],
        ),
        (
            json!({"updatedAt": {"gte": "2026-11-09T09:00:00.000Z"}}),
            &["ENG-5", "OPS-3"],
        ),
        (
            json!({"createdAt": {"lt": "2026-11-04T09:00:00Z"}}),
            &["ENG-1"],
        ),
        (
            json!({"or": [{"id": {"eq": "ENG-1"}}, {"id": {"eq": "OPS-1"}}]}),
            &["OPS-1", "ENG-1"],
        ),
        (
            json!({"and": [{"number": {"eq": 1}}, {"priority": {"eq": 2}}]}),
            &["OPS-1"],
        ),
    ] {
        assert_eq!(filtered(filter.clone()).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn an_issue_is_found_by_identifier_and_by_id() {
    let fake = linear().await;
    let document = "query($id: String!) { issue(id: $id) { id identifier } }";
    let by_identifier = data(&fake, document, json!({ "id": "OPS-2" })).await;
    let by_id = data(
        &fake,
        document,
        json!({ "id": by_identifier["issue"]["id"] }),
    )
    .await;
    assert_eq!(by_identifier, by_id);
    assert_eq!(by_id["issue"]["identifier"], "OPS-2");
}

#[tokio::test]
async fn an_issue_comes_with_everything_around_it() {
    let fake = linear().await;
    let document = r#"{ issue(id: "ENG-1") {
        number title priority priorityLabel url createdAt updatedAt labelIds dueDate estimate
        state { id name type color team { key } }
        team { id key name defaultIssueState { name } }
        assignee { id name displayName email isMe }
        creator { displayName }
        project { id name }
        labels { nodes { name color team { key } } }
        comments { nodes { body createdAt url issueId user { name } issue { identifier } } }
    } }"#;
    let answer = data(&fake, document, Value::Null).await;
    assert_eq!(answer["issue"], expected_issue());
}

fn expected_issue() -> Value {
    let url = "https://linear.app/acme/issue/ENG-1/checkout-fails-when-the-cart-holds-a-gift-card";
    json!({
        "number": 1.0, "title": "Checkout fails when the cart holds a gift card",
        "priority": 1.0, "priorityLabel": "Urgent", "url": url,
        "createdAt": "2026-11-03T09:00:00.000Z", "updatedAt": "2026-11-03T09:00:00.000Z",
        "labelIds": [ids::LABEL_BUG], "dueDate": null, "estimate": null,
        "state": {
            "id": ids::STATE_ENG_IN_PROGRESS, "name": "In Progress", "type": "started",
            "color": "#f2c94c", "team": { "key": "ENG" },
        },
        "team": {
            "id": ids::TEAM_ENG, "key": "ENG", "name": "Engineering",
            "defaultIssueState": { "name": "Backlog" },
        },
        "assignee": {
            "id": ids::USER_BRUNO, "name": "Bruno Lindqvist", "displayName": "bruno",
            "email": "bruno@acme.example", "isMe": false,
        },
        "creator": { "displayName": "chiyo" },
        "project": { "id": ids::PROJECT_CHECKOUT, "name": "Checkout rewrite" },
        "labels": { "nodes": [{ "name": "Bug", "color": "#eb5757", "team": null }] },
        "comments": { "nodes": [
            {
                "body": "Found it: `quote()` divides by the total weight. A fix is on the way.",
                "createdAt": "2026-11-03T11:00:00.000Z", "url": format!("{url}#comment-c0330002"),
                "issueId": "155e0001-0000-4000-8000-000000000001",
                "user": { "name": "Bruno Lindqvist" }, "issue": { "identifier": "ENG-1" },
            },
            {
                "body": "Three customers wrote in about this since Friday.",
                "createdAt": "2026-11-03T10:00:00.000Z", "url": format!("{url}#comment-c0330001"),
                "issueId": "155e0001-0000-4000-8000-000000000001",
                "user": { "name": "Chiyo Tanaka" }, "issue": { "identifier": "ENG-1" },
            },
        ] },
    })
}

#[tokio::test]
async fn an_unknown_issue_is_an_entity_not_found() {
    let fake = linear().await;
    let (status, error) = error(&fake, r#"{ issue(id: "ENG-99") { id } }"#, Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .starts_with("Entity not found: Issue"),
        "{error}"
    );
    assert_eq!(
        error["extensions"],
        json!({
            "type": "invalid input",
            "code": "INPUT_ERROR",
            "userError": true,
            "userPresentableMessage": "Could not find referenced Issue.",
        })
    );
}

#[tokio::test]
async fn the_other_listings_hold_what_the_issues_refer_to() {
    let fake = linear().await;
    let document = "{
        teams { nodes { key states { nodes { name } } } }
        users { nodes { displayName } }
        workflowStates { nodes { name } }
        issueLabels { nodes { name } }
        projects { nodes { name url } }
        comments { nodes { body } }
        viewer { displayName }
    }";
    let answer = data(&fake, document, Value::Null).await;
    assert_eq!(pluck(&answer["teams"]["nodes"], "key"), ["OPS", "ENG"]);
    let states = pluck(&answer["teams"]["nodes"][0]["states"]["nodes"], "name");
    assert_eq!(
        states,
        ["Canceled", "Done", "In Progress", "Todo", "Backlog"]
    );
    assert_eq!(
        pluck(&answer["users"]["nodes"], "displayName"),
        ["chiyo", "bruno", "ada"]
    );
    assert_eq!(pluck(&answer["workflowStates"]["nodes"], "name").len(), 10);
    let labels = pluck(&answer["issueLabels"]["nodes"], "name");
    assert_eq!(labels, ["On-call", "Improvement", "Feature", "Bug"]);
    let projects = pluck(&answer["projects"]["nodes"], "name");
    assert_eq!(projects, ["Quieter nights", "Checkout rewrite"]);
    assert_eq!(pluck(&answer["comments"]["nodes"], "body").len(), 4);
    assert_eq!(answer["viewer"]["displayName"], "ada");
}

#[tokio::test]
async fn the_other_listings_are_filtered_too() {
    let fake = linear().await;
    let document = r#"{
        teams(filter: {key: {eq: "ENG"}}) { nodes { key } }
        users(filter: {isMe: {eq: true}}) { nodes { displayName } }
        workflowStates(filter: {team: {key: {eq: "ENG"}}, type: {eq: "completed"}}) {
            nodes { name }
        }
        issueLabels(filter: {name: {startsWith: "On"}}) { nodes { name } }
        projects(filter: {name: {containsIgnoreCase: "quiet"}}) { nodes { name } }
        comments(filter: {body: {contains: "scratch"}}) { nodes { body } }
    }"#;
    let answer = data(&fake, document, Value::Null).await;
    let only = |field: &str, key| pluck(&answer[field]["nodes"], key).join("|");
    assert_eq!(only("teams", "key"), "ENG");
    assert_eq!(only("users", "displayName"), "ada");
    assert_eq!(only("workflowStates", "name"), "Done");
    assert_eq!(only("issueLabels", "name"), "On-call");
    assert_eq!(only("projects", "name"), "Quieter nights");
    assert_eq!(
        only("comments", "body"),
        "Can the archive go to the scratch volume instead?"
    );
}
