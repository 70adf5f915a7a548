//! What becomes of invocations is told while it happens: over `WebSocket`s, at
//! every gateway, to those who may know, and never at the expense of anybody else.

mod client;
mod ends;
mod gateways;
mod misbehaviour;
mod telling;
mod tickets;
mod who;

use portcullis_tests::TestHost;
use serde_json::{Value, json};

/// An action that waits for a person; the id of its invocation.
async fn wait_for_approval(host: &TestHost) -> String {
    let issue = json!({ "teamId": "ENG", "title": "Asked for" });
    let answer = host.invoke("create_issue", issue).await;
    answer.assert_status(202);
    id_of(&answer.json)
}

/// An action that runs at once; the id of its invocation.
async fn run_at_once(host: &TestHost) -> String {
    let answer = host.invoke("list_issues", json!({ "first": 1 })).await;
    answer.assert_status(200);
    id_of(&answer.json)
}

fn id_of(answer: &Value) -> String {
    answer["invocation"]["id"].as_str().unwrap().to_owned()
}
