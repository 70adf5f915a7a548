//! Writing: what is created and changed, and what is refused.

use portcullis_upstreams::{FakeLinear, FakeOptions, FakeUpstream, TimeSource, linear::ids};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{TOKEN, data, error, linear, pluck};

const CREATE: &str = "mutation($input: IssueCreateInput!) { issueCreate(input: $input) {
    success lastSyncId
    issue {
        id identifier title description priority estimate dueDate createdAt updatedAt
        state { name } team { key } assignee { displayName } creator { displayName }
        project { name } labels { nodes { name } }
    }
} }";

const UPDATE: &str = "mutation($id: String!, $input: IssueUpdateInput!) {
    issueUpdate(id: $id, input: $input) {
        success lastSyncId
        issue {
            title description priority estimate dueDate updatedAt labelIds
            state { name } assignee { displayName } project { name }
        }
    }
}";

const COMMENT: &str = "mutation($input: CommentCreateInput!) { commentCreate(input: $input) {
    success lastSyncId comment { id body createdAt user { displayName } issue { identifier } }
} }";

const CHOSEN_ID: &str = "8f14e45f-ceea-4672-a9cf-0123456789ab";

async fn create(fake: &FakeUpstream, input: Value) -> Value {
    data(fake, CREATE, json!({ "input": input })).await["issueCreate"].take()
}

async fn update(fake: &FakeUpstream, id: &str, input: Value) -> Value {
    data(fake, UPDATE, json!({ "id": id, "input": input })).await["issueUpdate"]["issue"].take()
}

async fn comment(fake: &FakeUpstream, input: Value) -> Value {
    data(fake, COMMENT, json!({ "input": input })).await["commentCreate"].take()
}

async fn identifiers(fake: &FakeUpstream) -> Vec<String> {
    let answer = data(fake, "{ issues { nodes { identifier } } }", Value::Null).await;
    pluck(&answer["issues"]["nodes"], "identifier")
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn a_created_issue_is_answered_in_full() {
    let fake = linear().await;
    let input = json!({
        "id": CHOSEN_ID, "teamId": ids::TEAM_ENG, "title": "Gift cards",
        "description": "All of them", "priority": 2, "estimate": 3, "dueDate": "2026-12-24",
        "stateId": ids::STATE_ENG_TODO,
        "assigneeId": ids::USER_BRUNO, "projectId": ids::PROJECT_CHECKOUT,
        "labelIds": [ids::LABEL_BUG],
    });
    let expected = json!({
        "success": true,
        "lastSyncId": 1.0,
        "issue": {
            "id": CHOSEN_ID, "identifier": "ENG-6", "title": "Gift cards",
            "description": "All of them", "priority": 2.0, "estimate": 3.0, "dueDate": "2026-12-24",
            "createdAt": "2026-11-20T12:00:00.000Z", "updatedAt": "2026-11-20T12:00:00.000Z",
            "state": { "name": "Todo" }, "team": { "key": "ENG" },
            "assignee": { "displayName": "bruno" }, "creator": { "displayName": "ada" },
            "project": { "name": "Checkout rewrite" }, "labels": { "nodes": [{ "name": "Bug" }] },
        },
    });
    assert_eq!(create(&fake, input).await, expected);
}

#[tokio::test]
async fn a_created_issue_needs_no_more_than_team_and_title() {
    let fake = linear().await;
    let answer = create(&fake, json!({ "teamId": ids::TEAM_OPS, "title": "Pager" })).await;
    assert_eq!(answer["issue"]["identifier"], "OPS-4");
    assert_eq!(answer["issue"]["state"]["name"], "Backlog");
    assert_eq!(answer["issue"]["priority"], 0.0);
    assert_eq!(answer["issue"]["assignee"], Value::Null);
}

#[tokio::test]
async fn created_issues_are_kept_and_come_first() {
    let fake = linear().await;
    for title in ["first", "second"] {
        create(&fake, json!({ "teamId": ids::TEAM_ENG, "title": title })).await;
    }
    assert_eq!(identifiers(&fake).await[..3], ["ENG-7", "ENG-6", "ENG-5"]);
}

#[tokio::test]
async fn two_fakes_share_nothing() {
    let (one, other) = (linear().await, linear().await);
    create(
        &one,
        json!({ "teamId": ids::TEAM_ENG, "title": "only here" }),
    )
    .await;
    assert_eq!(identifiers(&one).await.len(), 9);
    assert_eq!(identifiers(&other).await.len(), 8);
}

#[tokio::test]
async fn times_of_created_things_come_from_the_given_source() {
    let time = TimeSource::stepping_from("2030-01-01T00:00:00Z".parse().unwrap());
    let options = FakeOptions {
        time,
        ..FakeOptions::new(TOKEN)
    };
    let fake = FakeLinear::start(options).await.unwrap();
    let input = json!({ "teamId": ids::TEAM_ENG, "title": "A" });
    let first = create(&fake, input.clone()).await;
    // What is refused takes no time.
    error(
        &fake,
        CREATE,
        json!({ "input": { "teamId": ids::TEAM_ENG, "title": "" } }),
    )
    .await;
    let second = create(&fake, input).await;
    assert_eq!(first["issue"]["createdAt"], "2030-01-01T00:00:00.000Z");
    assert_eq!(second["issue"]["createdAt"], "2030-01-01T00:00:01.000Z");
}

#[tokio::test]
async fn a_chosen_id_creates_once() {
    let fake = linear().await;
    let input = json!({ "id": CHOSEN_ID, "teamId": ids::TEAM_ENG, "title": "Once" });
    create(&fake, input.clone()).await;
    for id in [CHOSEN_ID.to_owned(), CHOSEN_ID.to_uppercase()] {
        let mut again = input.clone();
        again["id"] = json!(id);
        let (status, error) = error(&fake, CREATE, json!({ "input": again })).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(error["extensions"]["type"], "invalid input");
        assert_eq!(error["extensions"]["code"], "INPUT_ERROR");
        assert_eq!(error["extensions"]["userError"], true);
    }
    assert_eq!(identifiers(&fake).await.len(), 9);
}

#[tokio::test]
async fn only_a_uuid_v4_can_be_chosen() {
    let fake = linear().await;
    for id in [
        "",
        "ENG-6",
        "8f14e45fceea4672a9cf0123456789ab",
        "8f14e45f-ceea-1672-a9cf-0123456789ab",
        "{8f14e45f-ceea-4672-a9cf-0123456789ab}",
    ] {
        let input = json!({ "id": id, "teamId": ids::TEAM_ENG, "title": "No" });
        let (_, error) = error(&fake, CREATE, json!({ "input": input })).await;
        assert_eq!(error["extensions"]["code"], "INPUT_ERROR", "{id}");
    }
    assert_eq!(identifiers(&fake).await.len(), 8);
}

#[tokio::test]
async fn references_must_exist_and_belong_to_the_team() {
    let fake = linear().await;
    for (field, value, message) in [
        ("teamId", json!(CHOSEN_ID), "Entity not found: Team"),
        (
            "stateId",
            json!(CHOSEN_ID),
            "Entity not found: WorkflowState",
        ),
        ("assigneeId", json!(CHOSEN_ID), "Entity not found: User"),
        ("projectId", json!(CHOSEN_ID), "Entity not found: Project"),
        (
            "labelIds",
            json!([CHOSEN_ID]),
            "Entity not found: IssueLabel",
        ),
        (
            "stateId",
            json!(ids::STATE_OPS_TODO),
            "Argument Validation Error",
        ),
        (
            "projectId",
            json!(ids::PROJECT_QUIETER_NIGHTS),
            "Argument Validation Error",
        ),
        (
            "labelIds",
            json!([ids::LABEL_OPS_ON_CALL]),
            "Argument Validation Error",
        ),
        ("priority", json!(5), "Argument Validation Error"),
        ("title", json!(" "), "Argument Validation Error"),
    ] {
        let mut input = json!({ "teamId": ids::TEAM_ENG, "title": "No" });
        input[field] = value;
        let (status, error) = error(&fake, CREATE, json!({ "input": input })).await;
        assert_eq!(status, StatusCode::OK, "{input}");
        assert!(
            error["message"].as_str().unwrap().starts_with(message),
            "{input} {error}"
        );
        assert_eq!(error["extensions"]["code"], "INPUT_ERROR", "{input}");
    }
    assert_eq!(identifiers(&fake).await.len(), 8);
}

#[tokio::test]
async fn an_update_changes_what_is_given_and_keeps_the_rest() {
    let fake = linear().await;
    let input = json!({ "stateId": ids::STATE_ENG_DONE, "priority": 3 });
    let issue = update(&fake, "ENG-1", input).await;
    assert_eq!(issue["state"]["name"], "Done");
    assert_eq!(issue["priority"], 3.0);
    assert_eq!(
        issue["title"],
        "Checkout fails when the cart holds a gift card"
    );
    assert_eq!(issue["assignee"]["displayName"], "bruno");
    assert_eq!(issue["updatedAt"], "2026-11-20T12:00:00.000Z");
    let document = r#"{ issue(id: "ENG-1") { state { name } } }"#;
    let kept = data(&fake, document, Value::Null).await;
    assert_eq!(kept["issue"]["state"]["name"], "Done");
}

#[tokio::test]
async fn null_clears_what_can_be_empty() {
    let fake = linear().await;
    let input = json!({ "assigneeId": null, "projectId": null, "description": null });
    let issue = update(&fake, "ENG-1", input).await;
    assert_eq!(issue["assignee"], Value::Null);
    assert_eq!(issue["project"], Value::Null);
    assert_eq!(issue["description"], Value::Null);
}

#[tokio::test]
async fn labels_are_replaced_added_and_removed() {
    let fake = linear().await;
    for (input, expected) in [
        (
            json!({ "addedLabelIds": [ids::LABEL_FEATURE] }),
            &[ids::LABEL_BUG, ids::LABEL_FEATURE][..],
        ),
        (
            json!({ "addedLabelIds": [ids::LABEL_FEATURE] }),
            &[ids::LABEL_BUG, ids::LABEL_FEATURE],
        ),
        (
            json!({ "removedLabelIds": [ids::LABEL_BUG] }),
            &[ids::LABEL_FEATURE],
        ),
        (
            json!({ "labelIds": [ids::LABEL_IMPROVEMENT] }),
            &[ids::LABEL_IMPROVEMENT],
        ),
        (json!({ "labelIds": [] }), &[]),
    ] {
        let issue = update(&fake, "ENG-1", input.clone()).await;
        assert_eq!(issue["labelIds"], json!(expected), "{input}");
    }
}

#[tokio::test]
async fn a_refused_update_changes_nothing() {
    let fake = linear().await;
    let document = r#"{ issue(id: "ENG-1") { title updatedAt } }"#;
    let before = data(&fake, document, Value::Null).await;
    let input = json!({ "title": "New", "stateId": ids::STATE_OPS_DONE });
    error(&fake, UPDATE, json!({ "id": "ENG-1", "input": input })).await;
    assert_eq!(data(&fake, document, Value::Null).await, before);
}

#[tokio::test]
async fn updating_an_unknown_issue_is_an_entity_not_found() {
    let fake = linear().await;
    let (status, error) = error(&fake, UPDATE, json!({ "id": "ENG-99", "input": {} })).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .starts_with("Entity not found: Issue")
    );
}

#[tokio::test]
async fn updated_issues_come_first_when_ordered_so() {
    let fake = linear().await;
    update(&fake, "ENG-2", json!({ "priority": 1 })).await;
    let document = "{ issues(orderBy: updatedAt, first: 2) { nodes { identifier } } }";
    let answer = data(&fake, document, Value::Null).await;
    assert_eq!(
        pluck(&answer["issues"]["nodes"], "identifier"),
        ["ENG-2", "ENG-5"]
    );
    assert_eq!(identifiers(&fake).await[0], "ENG-5");
}

#[tokio::test]
async fn a_comment_appears_on_its_issue() {
    let fake = linear().await;
    let input = json!({ "id": CHOSEN_ID, "issueId": "ENG-3", "body": "On it." });
    let expected = json!({
        "success": true,
        "lastSyncId": 1.0,
        "comment": {
            "id": CHOSEN_ID, "body": "On it.", "createdAt": "2026-11-20T12:00:00.000Z",
            "user": { "displayName": "ada" }, "issue": { "identifier": "ENG-3" },
        },
    });
    assert_eq!(comment(&fake, input).await, expected);
    let document = r#"{ issue(id: "ENG-3") { comments { nodes { body } } } }"#;
    let answer = data(&fake, document, Value::Null).await;
    assert_eq!(
        pluck(&answer["issue"]["comments"]["nodes"], "body"),
        ["On it."]
    );
}

#[tokio::test]
async fn comments_are_refused_like_issues_are() {
    let fake = linear().await;
    comment(
        &fake,
        json!({ "id": CHOSEN_ID, "issueId": "ENG-3", "body": "On it." }),
    )
    .await;
    for input in [
        json!({ "id": CHOSEN_ID, "issueId": "ENG-3", "body": "Again." }),
        json!({ "id": "nonsense", "issueId": "ENG-3", "body": "Again." }),
        json!({ "issueId": "ENG-99", "body": "Hello?" }),
        json!({ "issueId": "ENG-3", "body": "" }),
        json!({ "issueId": "ENG-3" }),
        json!({ "body": "Where?" }),
    ] {
        let (status, error) = error(&fake, COMMENT, json!({ "input": input })).await;
        assert_eq!(status, StatusCode::OK, "{input}");
        assert_eq!(error["extensions"]["code"], "INPUT_ERROR", "{input}");
    }
    let answer = data(&fake, "{ comments { nodes { id } } }", Value::Null).await;
    assert_eq!(answer["comments"]["nodes"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn an_archived_issue_is_listed_only_on_request() {
    let fake = linear().await;
    let archive = r#"mutation { issueArchive(id: "ENG-5") { success entity { archivedAt } } }"#;
    let archived = data(&fake, archive, Value::Null).await;
    assert_eq!(
        archived["issueArchive"]["entity"]["archivedAt"],
        "2026-11-20T12:00:00.000Z"
    );
    assert_eq!(identifiers(&fake).await[0], "OPS-3");
    let document = "{ issues(includeArchived: true, first: 1) { nodes { identifier } } }";
    let answer = data(&fake, document, Value::Null).await;
    assert_eq!(pluck(&answer["issues"]["nodes"], "identifier"), ["ENG-5"]);
}
