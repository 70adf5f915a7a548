//! A source changes under those who use it: what holds, what waits, and how a
//! person looks at it and confirms it.

use portcullis_tests::{
    Answer, LinearVersion, OPERATOR_KEY, ORG, ProbeVersion, TestHost, TestHostBuilder, call_of,
};
use serde_json::{Value, json};

mod confirming;
mod explaining;
mod first_use;
mod told;

/// The review of a source as the admin sees it.
async fn review_of(host: &TestHost, source: &str) -> Value {
    let path = format!("/sources/{source}/review");
    let answer = host.admin("GET", &path, Value::Null).await;
    answer.assert_status(200);
    answer.json
}

/// An action in a review.
#[track_caller]
fn reviewed<'a>(review: &'a Value, action: &str) -> &'a Value {
    let actions = review["actions"].as_array().unwrap();
    let found = actions.iter().find(|entry| entry["id"] == action);
    found.unwrap_or_else(|| panic!("no {action} in {review}"))
}

/// An action's id and the digest of what it is now, to be confirmed.
fn seen(review: &Value, action: &str) -> Value {
    let entry = reviewed(review, action);
    json!({ "id": action, "digest": entry["current"]["digest"] })
}

/// Confirms actions as the admin.
async fn confirm(host: &TestHost, source: &str, actions: Value) -> Answer {
    let path = format!("/sources/{source}/review");
    host.admin("POST", &path, json!({ "actions": actions }))
        .await
}

/// Confirms one action as it is now.
async fn confirm_now(host: &TestHost, source: &str, action: &str) -> Value {
    let review = review_of(host, source).await;
    let confirmed = confirm(host, source, json!([seen(&review, action)])).await;
    confirmed.assert_status(200);
    confirmed.json
}

/// The statuses of actions that are not unchanged.
fn changes(review: &Value) -> Vec<(&str, &str)> {
    let actions = review["actions"].as_array().unwrap().iter();
    actions
        .map(|entry| {
            (
                entry["id"].as_str().unwrap(),
                entry["status"].as_str().unwrap(),
            )
        })
        .filter(|(_, status)| *status != "unchanged")
        .collect()
}

/// An action as the catalog shows it.
async fn listed(host: &TestHost, name: &str) -> Value {
    let catalog = host.agent("GET", "/available", Value::Null).await;
    catalog.assert_status(200);
    let actions = catalog.json["actions"].as_array().unwrap();
    let found = actions.iter().find(|entry| entry["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}")).clone()
}

async fn explained(host: &TestHost, source: &str, action: &str) -> Value {
    let path = format!("/explain?integration={source}&action={action}");
    let answer = host.agent("GET", &path, Value::Null).await;
    answer.assert_status(200);
    answer.json
}

/// Invokes an action of the probe.
async fn probe(host: &TestHost, action: &str) -> Answer {
    let body = call_of("probe", action, &json!({}));
    host.agent("POST", "/invoke", body).await
}

/// Says what other words mean to the organization.
async fn set_text_changes(host: &TestHost, text_changes: &str) {
    let body = json!({ "textChanges": text_changes });
    let set = host.admin("PUT", "/drift", body.clone()).await;
    set.assert_status(200);
    assert_eq!(set.json, body);
}
