//! What was admitted ends, whoever hangs up, stops or is lost.

use std::sync::Arc;
use std::time::Duration;

use portcullis::actions::upkeep::sweep_until;
use portcullis_core::invocation::InvocationStatus;
use portcullis_storage::SqliteStorage;
use portcullis_tests::{Answer, Served, TestHost, Wire, call, post_head};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

fn issue() -> Value {
    json!({ "teamId": "ENG", "title": "Later" })
}

/// Connects and invokes `list_issues`, without waiting for the answer.
async fn begin_call(host: &TestHost, served: &Served) -> Wire {
    let body = call("list_issues", &json!({})).to_string();
    let framing = format!("content-length: {}", body.len());
    let head = post_head(&host.actions("/invoke"), &host.sandbox_token, &framing);
    let mut wire = served.connect().await;
    wire.send(head + &body).await.unwrap();
    host.upstreams.linear.wait_for_requests(1).await;
    wire
}

/// The only invocation there is.
async fn only_invocation(host: &TestHost) -> Value {
    let list = host.agent("GET", "/invocations", Value::Null).await;
    list.assert_status(200);
    assert_eq!(list.json["total"], 1, "{}", list.text);
    list.json["invocations"][0].clone()
}

#[track_caller]
fn check_outcome_unknown(row: &Value) {
    assert_eq!(row["status"], "failed");
    assert_eq!(row["error"]["code"], "outcome_unknown");
    assert!(!row["completedAt"].is_null());
}

/// Returns once nothing is running.
async fn all_ended(host: &TestHost) {
    host.gateway.executions.close();
    host.gateway.executions.wait().await;
}

#[tokio::test]
async fn a_row_says_executing_before_anything_goes_out() {
    let host = TestHost::start().await;
    let gate = host.upstreams.linear.hold();
    let look = async {
        host.upstreams.linear.wait_for_requests(1).await;
        let row = only_invocation(&host).await;
        gate.release();
        row
    };
    let (answer, row) = tokio::join!(host.invoke("list_issues", json!({})), look);
    answer.assert_status(200);
    assert_eq!(row["status"], "executing");
    assert_eq!(row["id"], answer.json["invocation"]["id"]);
    assert_eq!(row["completedAt"], Value::Null);
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_a_completed_row() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let gate = host.upstreams.linear.hold();
    drop(begin_call(&host, &served).await);
    // One round trip on another connection later the server knows.
    let mut wire = served.connect().await;
    wire.send("GET /healthz HTTP/1.1\r\nhost: gateway\r\n\r\n")
        .await
        .unwrap();
    wire.answer().await.unwrap().assert_status(200);
    gate.release();
    all_ended(&host).await;

    let row = only_invocation(&host).await;
    assert_eq!(row["status"], "completed");
    let recorded = host.recorded_by_id(row["id"].as_str().unwrap()).await;
    assert!(recorded["result"]["issues"].is_array());
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_a_completed_row() {
    let host = TestHost::start().await;
    let gate = host.upstreams.linear.hold();
    tokio::select! {
        answer = host.invoke("list_issues", json!({})) => panic!("{}", answer.text),
        _ = host.upstreams.linear.wait_for_requests(1) => {}
    }
    // The request has been dropped, and its execution has not.
    gate.release();
    all_ended(&host).await;
    assert_eq!(only_invocation(&host).await["status"], "completed");
}

#[tokio::test]
async fn a_shutdown_lets_running_actions_end() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let address = served.address;
    let gate = host.upstreams.linear.hold();
    let mut client = begin_call(&host, &served).await;

    let stopped = served.stop();
    Wire::nobody_listens(address).await;
    assert!(!stopped.is_finished());
    gate.release();
    let answer = client.answer().await.unwrap();
    answer.assert_status(200);
    assert_eq!(answer.json["invocation"]["status"], "completed");
    stopped.await.unwrap().unwrap();

    let host = host.restart().await;
    let recorded = host.recorded(&answer).await;
    assert_eq!(recorded["result"], answer.json["result"]);
}

#[tokio::test]
async fn an_action_that_outlasts_the_grace_has_an_unknown_outcome() {
    let host = TestHost::builder()
        .set("server.shutdown_grace_seconds", 0)
        .start()
        .await;
    let served = Served::start(&host).await;
    let _gate = host.upstreams.linear.hold();
    let client = begin_call(&host, &served).await;
    let stopped = served.stop();
    drop(client);
    stopped.await.unwrap().unwrap();

    let host = host.restart().await;
    check_outcome_unknown(&only_invocation(&host).await);
}

/// The host that follows one which was lost in the middle of a call with the
/// idempotency key `k-1`.
async fn after_a_crash_in_a_call() -> TestHost {
    let lost = TestHost::start().await;
    let gate = lost.upstreams.linear.hold();
    let crash = async {
        lost.upstreams.linear.wait_for_requests(1).await;
        let after = lost.after_a_crash().await;
        gate.release();
        after
    };
    let call = lost.invoke_with_key("k-1", "list_issues", json!({}));
    let (answer, after) = tokio::join!(call, crash);
    answer.assert_status(200);
    after
}

#[tokio::test]
async fn what_a_lost_gateway_was_doing_has_an_unknown_outcome() {
    let host = after_a_crash_in_a_call().await;
    check_outcome_unknown(&only_invocation(&host).await);
}

#[tokio::test]
async fn what_was_interrupted_is_not_repeated() {
    let host = after_a_crash_in_a_call().await;
    let again = host.invoke_with_key("k-1", "list_issues", json!({})).await;
    again.assert_error(502, "outcome_unknown");
    assert_eq!(host.upstreams.linear.requests().len(), 0);
}

#[tokio::test]
async fn requests_that_wait_for_a_person_survive_a_crash() {
    let lost = TestHost::start().await;
    let asked = lost.invoke("create_issue", issue()).await;
    asked.assert_status(202);
    let host = lost.after_a_crash().await;
    assert_eq!(only_invocation(&host).await, asked.json["invocation"]);
}

#[tokio::test]
async fn what_expires_during_a_restart_has_expired() {
    let host = TestHost::start().await;
    let asked = host.invoke("create_issue", issue()).await;
    asked.assert_status(202);
    host.clock.advance(Duration::from_mins(5));
    let host = host.restart().await;
    let row = only_invocation(&host).await;
    assert_eq!(row["status"], "expired");
    assert_eq!(row["deniedReason"], "expired");
    assert_eq!(row["completedAt"], asked.json["invocation"]["expiresAt"]);
    assert_eq!(host.upstreams.linear.requests().len(), 0);
}

#[tokio::test]
async fn the_sweeper_ends_what_has_expired_and_nothing_else() {
    let host = TestHost::start().await;
    let old = host.invoke("create_issue", issue()).await;
    let gate = host.upstreams.linear.hold();
    let sweep = async {
        host.upstreams.linear.wait_for_requests(1).await;
        // Longer than any lease: a gateway that lives does not give itself up.
        host.clock.advance(Duration::from_mins(5));
        let young = host.invoke("create_issue", issue()).await;
        let expired = async || status_in_storage(&host, &old).await == InvocationStatus::Expired;
        sweep_until_seen(&host, expired).await;
        assert_eq!(
            status_in_storage(&host, &young).await,
            InvocationStatus::Pending
        );
        gate.release();
    };
    let (running, ()) = tokio::join!(host.invoke("list_issues", json!({})), sweep);
    running.assert_status(200);
}

#[tokio::test]
async fn the_sweeper_forgets_idempotency_keys_after_a_day() {
    let host = TestHost::start().await;
    let session = host.session_id.parse().unwrap();
    let is_known = async |key: &str| {
        let mut work = host.gateway.storage.read().await.unwrap();
        work.idempotency_keys()
            .find(session, key)
            .await
            .unwrap()
            .is_some()
    };
    host.invoke_with_key("old", "list_issues", json!({})).await;
    host.clock.advance(Duration::from_hours(12));
    host.invoke_with_key("young", "list_issues", json!({}))
        .await;
    host.clock
        .advance(Duration::from_hours(12) + Duration::from_secs(1));
    sweep_until_seen(&host, async || !is_known("old").await).await;
    assert!(is_known("young").await);
}

/// The status in an answer's row. Reads through routes judge expiry themselves.
async fn status_in_storage(host: &TestHost, answer: &Answer) -> InvocationStatus {
    let id = answer.json["invocation"]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let mut work = host.gateway.storage.read().await.unwrap();
    let session = host.session_id.parse().unwrap();
    let row = work.invocations().find(id, session).await.unwrap();
    row.unwrap().status
}

/// Runs the sweeper until its work can be seen.
async fn sweep_until_seen(host: &TestHost, seen: impl AsyncFn() -> bool) {
    let stop = CancellationToken::new();
    let sweeper = tokio::spawn(sweep_until(Arc::clone(&host.gateway), stop.clone()));
    while !seen().await {}
    stop.cancel();
    sweeper.await.unwrap();
}

#[tokio::test]
async fn a_database_belongs_to_one_gateway() {
    let host = TestHost::start().await;
    let path = host.data.path().join("portcullis.db");
    let second = SqliteStorage::open(path.to_str().unwrap()).await;
    let refusal = second.err().unwrap().to_string();
    assert!(refusal.contains(path.to_str().unwrap()), "{refusal}");
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
}
