//! Approving, rejecting, rolling back, removing.

use portcullis_core::plugin::PluginDigest;
use portcullis_tests::{Answer, LinearVersion, TestHost, linear_component};
use serde_json::{Value, json};

use super::{get, host, install, listed, rebuilt};

/// A host that serves Linear as it was built, and the digest of a version with other
/// params that waits.
async fn waiting() -> (TestHost, String) {
    let host = host().await;
    install(&host, linear_component()).await.assert_status(201);
    let staged = install(&host, LinearVersion::OtherParams.component()).await;
    staged.assert_status(202);
    let digest = staged.text_field("digest");
    (host, digest)
}

async fn post(host: &TestHost, verb: &str, body: Value) -> Answer {
    let path = format!("/v1/plugins/linear/{verb}");
    host.operator("POST", &path, body).await
}

fn built() -> String {
    PluginDigest::of(&linear_component()).to_string()
}

/// The names of the params of `list_issues`, as agents are told.
async fn params(host: &TestHost) -> Vec<String> {
    let catalog = host.agent("GET", "/available", Value::Null).await;
    let actions = catalog.json["actions"].as_array().unwrap().clone();
    let action = actions.iter().find(|it| it["actionId"] == "list_issues");
    let properties = action.unwrap()["params"]["properties"].as_object().unwrap();
    properties.keys().cloned().collect()
}

#[tokio::test]
async fn an_approved_version_serves_and_its_changes_are_drift() {
    let (host, digest) = waiting().await;
    host.set_mode("create_issue", "allow").await;
    assert!(!params(&host).await.contains(&"programId".to_owned()));
    let approved = post(&host, "approve", json!({ "digest": digest })).await;
    approved.assert_status(200);
    assert_eq!(approved.json["state"], "active");
    assert_eq!(approved.json["replaced"], built());
    assert_eq!(approved.json["changedBy"], "operator");
    assert!(params(&host).await.contains(&"programId".to_owned()));
    // What was allowed was allowed as it was reviewed.
    let invoked = host
        .invoke("create_issue", json!({ "teamId": "ENG", "title": "x" }))
        .await;
    invoked.assert_status(202);
    assert_eq!(invoked.json["invocation"]["drifted"], true);
    let again = post(&host, "approve", json!({ "digest": digest })).await;
    again.assert_error(409, "not_staged");
}

#[tokio::test]
async fn what_was_not_seen_is_not_approved() {
    let (host, digest) = waiting().await;
    let other = PluginDigest::of(b"another").to_string();
    let approve = async |body: Value| post(&host, "approve", body).await;
    for stale in [other.clone(), built()] {
        let refused = approve(json!({ "digest": stale })).await;
        refused.assert_error(409, "not_staged");
    }
    let refused = approve(json!({ "digest": digest, "active": other })).await;
    refused.assert_error(409, "active_changed");
    assert!(
        refused.message().contains(&built()),
        "{}",
        refused.message()
    );
    for (body, path, rule) in [
        (json!({}), "/digest", "required"),
        (json!({ "digest": "1" }), "/digest", "format"),
        (json!({ "digest": 1 }), "/digest", "type"),
        (
            json!({ "digest": digest, "active": "1" }),
            "/active",
            "format",
        ),
        (
            json!({ "digest": digest, "yes": true }),
            "/yes",
            "additionalProperties",
        ),
    ] {
        approve(body).await.assert_field(path, rule);
    }
    let elsewhere = host
        .operator(
            "POST",
            "/v1/plugins/nothing/approve",
            json!({ "digest": digest }),
        )
        .await;
    elsewhere.assert_error(404, "not_found");
    let states: Vec<_> = listed(&host).await.into_iter().map(|it| it.0).collect();
    assert_eq!(states, ["active", "staged"]);
    let seen = json!({ "digest": digest, "active": built() });
    approve(seen).await.assert_status(200);
}

#[tokio::test]
async fn a_difference_that_became_another_one_is_looked_at_again() {
    let host = host().await;
    install(&host, linear_component()).await.assert_status(201);
    let later = rebuilt("later");
    install(&host, later.clone()).await.assert_status(201);
    let staged = install(&host, LinearVersion::OtherWords.component()).await;
    staged.assert_status(202);
    post(&host, "rollback", json!({})).await.assert_status(200);
    let seen = json!({ "digest": staged.json["digest"] });
    let refused = post(&host, "approve", seen).await;
    refused.assert_error(409, "active_changed");
    let compared = get(&host, "/v1/plugins/linear/diff").await;
    let seen = json!({
        "digest": compared["candidate"]["digest"],
        "active": compared["active"]["digest"],
    });
    post(&host, "approve", seen).await.assert_status(200);
}

#[tokio::test]
async fn a_rejected_version_is_retired_and_may_come_again() {
    let (host, digest) = waiting().await;
    let body = json!({ "digest": digest, "reason": "Why other params?" });
    let rejected = post(&host, "reject", body.clone()).await;
    rejected.assert_status(200);
    assert_eq!(rejected.json["state"], "retired");
    assert_eq!(rejected.json["reason"], "rejected: Why other params?");
    post(&host, "reject", body)
        .await
        .assert_error(409, "not_staged");
    post(&host, "approve", json!({ "digest": digest }))
        .await
        .assert_error(409, "not_staged");
    let long = json!({ "digest": digest, "reason": "x".repeat(501) });
    post(&host, "reject", long)
        .await
        .assert_field("/reason", "maxLength");
    let again = install(&host, LinearVersion::OtherParams.component()).await;
    again.assert_status(202);
    assert_eq!(again.json["digest"], digest);
}

#[tokio::test]
async fn the_version_before_serves_again() {
    let (host, digest) = waiting().await;
    let early = post(&host, "rollback", Value::Null).await;
    early.assert_error(409, "no_earlier_version");
    // It has never served, so nobody has approved it.
    let never = post(&host, "rollback", json!({ "digest": digest })).await;
    never.assert_error(409, "no_earlier_version");
    post(&host, "approve", json!({ "digest": digest }))
        .await
        .assert_status(200);
    let back = post(&host, "rollback", Value::Null).await;
    back.assert_status(200);
    assert_eq!(back.json["digest"], built());
    assert_eq!(listed(&host).await, [("active".to_owned(), built())]);
    assert!(!params(&host).await.contains(&"programId".to_owned()));
    let forth = post(&host, "rollback", json!({ "digest": digest })).await;
    forth.assert_status(200);
    let serving = post(&host, "rollback", json!({ "digest": digest })).await;
    serving.assert_error(409, "no_earlier_version");
    post(&host, "rollback", json!({ "digest": "x" }))
        .await
        .assert_field("/digest", "format");
}

#[tokio::test]
async fn a_plugin_that_is_needed_is_removed_by_force_alone() {
    let (host, _) = waiting().await;
    host.set_mode("update_issue", "require_approval").await;
    let params = json!({ "issueId": "ENG-1", "priority": 1 });
    let id = host.ask("update_issue", params).await;
    let remove = async |query: &str| {
        let path = format!("/v1/plugins/linear{query}");
        host.operator("DELETE", &path, Value::Null).await
    };
    let refused = remove("").await;
    refused.assert_error(409, "plugin_in_use");
    let told = refused.message();
    assert!(told.contains("1 of its invocations wait"), "{told}");
    remove("?force=perhaps")
        .await
        .assert_error(400, "invalid_request");
    remove("?force=true").await.assert_status(204);
    assert!(listed(&host).await.is_empty());
    let gone = host.invoke("list_issues", json!({})).await;
    gone.assert_error(404, "unknown_source");
    host.decide("deny", &id, json!({})).await.assert_status(200);
    remove("").await.assert_error(404, "not_found");
    let back = post(&host, "rollback", Value::Null).await;
    back.assert_status(200);
    let served = host.invoke("list_issues", json!({ "first": 1 })).await;
    served.assert_status(200);
}
