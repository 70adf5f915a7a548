//! A database that cannot be used: a clear answer, nothing half-done, and
//! everything as before when it is back.

use std::pin::pin;
use std::time::Duration;

use portcullis_storage::SqliteOptions;
use portcullis_tests::{Answer, TestHost, captured_lines_with};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};

/// More than the file of a new gateway needs, and less than [`FILL`] takes.
const QUOTA: u64 = 2 << 20;

/// Leaves no page for anything large.
const FILL: &str =
    "CREATE TABLE filling (bytes BLOB); INSERT INTO filling VALUES (zeroblob(4000000))";

/// A host that does not wait long for locks, and whose disk can be filled.
async fn host() -> TestHost {
    let options = SqliteOptions {
        busy_timeout: Duration::from_millis(20),
        max_bytes: Some(QUOTA),
    };
    let host = TestHost::builder().storage(options).start().await;
    host.set_mode("create_issue", "allow").await;
    host
}

async fn run(sql: &'static str, outsider: &mut SqliteConnection) {
    sqlx::raw_sql(sql).execute(outsider).await.unwrap();
}

/// Params whose row does not fit into what is left of a page.
fn large_issue() -> Value {
    json!({ "teamId": "ENG", "title": "Large", "description": "x".repeat(9000) })
}

#[track_caller]
fn assert_unavailable(answer: &Answer) {
    answer.assert_error(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "5");
    assert!(answer.message().contains("nothing was done"));
    assert!(!answer.text.contains("locked") && !answer.text.contains("full"));
}

/// Fails unless nothing was recorded and nothing left the gateway; then that it
/// works again.
async fn assert_nothing_half_done_and_all_well(host: &TestHost) {
    assert_eq!(host.recorded_count().await, 0);
    assert_eq!(host.upstreams.linear.requests().len(), 0);
    let again = host
        .invoke_with_key("k", "create_issue", large_issue())
        .await;
    again.assert_status(200);
    assert_eq!(host.recorded(&again).await["status"], "completed");
    let requests = host.upstreams.linear.requests();
    let created = requests
        .iter()
        .filter(|request| request.body.to_string().contains("mutation CreateIssue"));
    assert_eq!(created.count(), 1);
}

#[tokio::test]
async fn requests_during_a_lock_are_refused_and_leave_nothing() {
    let host = host().await;
    let mut outsider = host.outsider().await;
    run("BEGIN IMMEDIATE", &mut outsider).await;
    let first = host.invoke_with_key("k", "create_issue", large_issue());
    let second = host.invoke("list_issues", json!({}));
    let third = host.admin(
        "PUT",
        "/modes/linear/list_issues",
        json!({ "mode": "deny" }),
    );
    let (first, second, third) = tokio::join!(first, second, third);
    for answer in [first, second, third] {
        assert_unavailable(&answer);
    }
    // Reading goes on.
    host.agent("GET", "/available", Value::Null)
        .await
        .assert_status(200);
    outsider.close().await.unwrap();
    assert_nothing_half_done_and_all_well(&host).await;
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn requests_on_a_full_disk_are_refused_and_leave_nothing() {
    let host = host().await;
    let mut outsider = host.outsider().await;
    run(FILL, &mut outsider).await;
    let refused = host.invoke_with_key("k", "create_issue", large_issue());
    assert_unavailable(&refused.await);
    run("DROP TABLE filling", &mut outsider).await;
    assert_nothing_half_done_and_all_well(&host).await;
}

/// Calls an action, during which the database fails until the outcome could not
/// be written once, and returns the answer.
async fn answer_with_outage_in_a_call(
    host: &TestHost,
    begin: &'static str,
    end: &'static str,
) -> Answer {
    let gate = host.upstreams.linear.hold();
    let mut outsider = host.outsider().await;
    let outage = async {
        host.upstreams.linear.wait_for_requests(1).await;
        let list = host.agent("GET", "/invocations", Value::Null).await;
        let id = list.json["invocations"][0]["id"].as_str().unwrap();
        run(begin, &mut outsider).await;
        gate.release();
        while !outcome_was_not_written(id) {
            tokio::task::yield_now().await;
        }
        run(end, &mut outsider).await;
    };
    let mut call = pin!(host.invoke("list_issues", json!({})));
    tokio::select! {
        answer = &mut call => panic!("written during the outage: {}", answer.text),
        () = outage => call.await,
    }
}

fn outcome_was_not_written(id: &str) -> bool {
    captured_lines_with(id)
        .iter()
        .any(|line| line["message"] == "the outcome could not be written; trying again")
}

#[tokio::test]
async fn an_outcome_is_recorded_after_a_lock() {
    let host = host().await;
    let answer = answer_with_outage_in_a_call(&host, "BEGIN IMMEDIATE", "COMMIT").await;
    answer.assert_status(200);
    let recorded = host.recorded(&answer).await;
    assert_eq!(recorded["status"], "completed");
    assert_eq!(recorded["result"], answer.json["result"]);
    assert_eq!(host.upstreams.linear.requests().len(), 1);
}

#[tokio::test]
async fn an_outcome_is_recorded_after_the_disk_was_full() {
    let host = host().await;
    let answer = answer_with_outage_in_a_call(&host, FILL, "DROP TABLE filling").await;
    answer.assert_status(200);
    let recorded = host.recorded(&answer).await;
    assert_eq!(recorded["status"], "completed");
    assert_eq!(recorded["result"], answer.json["result"]);
    assert_eq!(host.upstreams.linear.requests().len(), 1);
}

#[tokio::test]
async fn a_gateway_whose_file_is_gone_is_not_ready_until_it_is_back() {
    let host = host().await;
    let path = host.data.path().join("portcullis.db");
    let away = host.data.path().join("away.db");
    std::fs::rename(&path, &away).unwrap();
    let ready = host.request("GET", "/readyz", "", Value::Null).await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.header("retry-after"), "5");
    let refused = host.invoke_with_key("k", "create_issue", large_issue());
    assert_unavailable(&refused.await);
    std::fs::rename(&away, &path).unwrap();
    host.request("GET", "/readyz", "", Value::Null)
        .await
        .assert_status(200);
    assert_nothing_half_done_and_all_well(&host).await;
}
