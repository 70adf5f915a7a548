//! An agent lists, reads, creates, changes and comments.

use portcullis_tests::{LINEAR_TOKEN, TestHost};
use portcullis_upstreams::AuthorizationForm;
use serde_json::{Value, json};

#[tokio::test]
async fn an_agent_lists_issues() {
    let host = TestHost::start().await;
    let answer = host.invoke("list_issues", json!({ "first": 3 })).await;
    answer.assert_status(200);
    let issues = answer.json["result"]["issues"].as_array().unwrap();
    assert_eq!(issues.len(), 3);
    for field in [
        "id",
        "identifier",
        "title",
        "url",
        "priority",
        "state",
        "team",
        "updatedAt",
    ] {
        assert!(!issues[0][field].is_null(), "{field} of {}", issues[0]);
    }
    assert!(issues[0].get("description").is_none());
    assert_eq!(answer.json["result"]["pageInfo"]["hasNextPage"], true);

    let invocation = &answer.json["invocation"];
    assert_eq!(invocation["status"], "completed");
    assert_eq!(invocation["mode"], "allow");
    assert_eq!(invocation["modeSource"], "inferred_default");
    assert_eq!(invocation["integrationId"], host.connection_id);
    assert_eq!(invocation["params"], json!({ "first": 3 }));
    let recorded = host.recorded(&answer).await;
    assert_eq!(recorded["result"], answer.json["result"]);
}

#[tokio::test]
async fn an_agent_creates_changes_and_comments_once_it_may() {
    let host = TestHost::start().await;
    for action in ["create_issue", "update_issue", "add_comment"] {
        host.set_mode(action, "allow").await;
    }
    let created = host
        .invoke(
            "create_issue",
            json!({ "teamId": "ENG", "title": "Made by an agent" }),
        )
        .await;
    created.assert_status(200);
    let issue = &created.json["result"]["issue"];
    assert_eq!(issue["title"], "Made by an agent");
    // The invocation's id is the issue's: what makes creation idempotent also
    // tells what happened.
    assert_eq!(issue["id"], created.json["invocation"]["id"]);

    let id = issue["identifier"].as_str().unwrap();
    let updated = host
        .invoke("update_issue", json!({ "issueId": id, "priority": 2 }))
        .await;
    updated.assert_status(200);
    assert_eq!(updated.json["result"]["issue"]["priority"], 2);
    let commented = host
        .invoke("add_comment", json!({ "issueId": id, "body": "Done." }))
        .await;
    commented.assert_status(200);
    assert_eq!(commented.json["result"]["comment"]["body"], "Done.");

    let read = host.invoke("get_issue", json!({ "issueId": id })).await;
    read.assert_status(200);
    assert!(read.text.contains("Done."));
    let listed = host.invoke("list_issues", json!({})).await;
    assert_eq!(listed.json["result"]["issues"][0]["identifier"], id);
}

#[tokio::test]
async fn the_upstream_gets_the_credential_and_nobody_else() {
    let host = TestHost::start().await;
    let answer = host.invoke("list_issues", json!({})).await;
    let requests = host.upstreams.linear.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].authorized);
    assert_eq!(requests[0].authorization, Some(AuthorizationForm::Raw));
    assert!(!answer.text.contains(LINEAR_TOKEN));
}

#[tokio::test]
async fn what_is_available_has_the_contracts_shape() {
    let host = TestHost::start().await;
    for token in [&host.sandbox_token, &host.admin_token, &host.member_token] {
        let answer = host
            .request("GET", &host.actions("/available"), token, Value::Null)
            .await;
        answer.assert_status(200);
        assert_eq!(
            answer.json["sources"],
            json!([{ "id": "linear", "displayName": "Linear", "status": "ok", "message": null }])
        );
        let actions = answer.json["actions"].as_array().unwrap();
        let modes: Vec<_> = actions
            .iter()
            .map(|action| {
                (
                    action["name"].as_str().unwrap(),
                    action["mode"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            modes,
            [
                ("linear.list_issues", "allow"),
                ("linear.get_issue", "allow"),
                ("linear.create_issue", "require_approval"),
                ("linear.update_issue", "require_approval"),
                ("linear.add_comment", "require_approval"),
            ]
        );
        let create = &actions[2];
        assert_eq!(create["sourceId"], "linear");
        assert_eq!(create["actionId"], "create_issue");
        assert_eq!(create["riskLevel"], "write");
        assert_eq!(create["modeSource"], "inferred_default");
        assert_eq!(create["drifted"], false);
        assert_eq!(create["params"]["additionalProperties"], false);
        assert_eq!(create["params"]["required"], json!(["teamId", "title"]));
        assert!(create["result"].is_object() || create["result"].is_null());
        assert!(create["examples"].is_array());
    }
}

#[tokio::test]
async fn invocations_are_listed_newest_first() {
    let host = TestHost::start().await;
    for first in 1..=3 {
        host.clock.advance(std::time::Duration::from_secs(1));
        host.invoke("list_issues", json!({ "first": first })).await;
    }
    host.invoke("create_issue", json!({ "teamId": "ENG", "title": "x" }))
        .await
        .assert_status(202);
    let page = host
        .agent("GET", "/invocations?limit=2&offset=1", Value::Null)
        .await;
    page.assert_status(200);
    assert_eq!(page.json["total"], 4);
    let invocations = page.json["invocations"].as_array().unwrap();
    assert_eq!(invocations.len(), 2);
    assert!(invocations[0].get("result").is_none());
    let pending = host
        .agent("GET", "/invocations?status=pending", Value::Null)
        .await;
    assert_eq!(pending.json["total"], 1);
    let of_org = host.admin("GET", "/invocations", Value::Null).await;
    assert_eq!(of_org.json["total"], 4);
    assert_eq!(of_org.json["invocations"][0]["sessionTitle"], "A test");
    for (query, path) in [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("status=done", "/status"),
    ] {
        let refused = host
            .agent("GET", &format!("/invocations?{query}"), Value::Null)
            .await;
        refused.assert_error(400, "invalid_request");
        assert_eq!(refused.violations()[0].0, path);
    }
    host.agent("GET", "/invocations?page=2", Value::Null)
        .await
        .assert_error(400, "invalid_request");
}
