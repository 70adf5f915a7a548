//! A database that cannot be used: a clear answer, nothing half-done, and
//! everything as before when it is back.

mod commits;
mod postgres;
mod sqlite;

use std::pin::pin;
use std::time::Duration;

use portcullis::actions::leases::tend;
use portcullis_tests::{Answer, TestHost, captured_lines_with};
use serde_json::{Value, json};

/// The default of `storage.lease_seconds`.
const LEASE: Duration = Duration::from_secs(30);

/// Params whose row does not fit into what is left of a page.
fn large_issue() -> Value {
    json!({ "teamId": "ENG", "title": "Large", "description": "x".repeat(9000) })
}

#[track_caller]
fn assert_unavailable(answer: &Answer) {
    answer.assert_error(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "5");
    assert!(answer.message().contains("nothing was done"));
    for cause in ["locked", "full", "terminating", "accepting"] {
        assert!(!answer.text.contains(cause), "{}", answer.text);
    }
}

/// Whoever repeats the request may do twice what was done.
#[track_caller]
fn assert_unknown(answer: &Answer) {
    answer.assert_error(500, "outcome_unknown");
    assert!(answer.message().contains("look before you repeat it"));
    assert_eq!(answer.header("retry-after"), "");
}

async fn assert_ready(host: &TestHost, status: u16) {
    let ready = host.request("GET", "/readyz", "", Value::Null).await;
    assert_eq!(ready.status, status, "{}", ready.text);
    if status == 503 {
        assert_eq!(ready.header("retry-after"), "5");
        assert_eq!(ready.json["checks"]["storage"], "failed");
    }
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
    assert_eq!(created(host), 1);
}

/// How often the upstream was asked to create an issue.
fn created(host: &TestHost) -> usize {
    let requests = host.upstreams.linear.requests();
    let asked = requests
        .iter()
        .filter(|request| request.body.to_string().contains("mutation CreateIssue"));
    asked.count()
}

/// A way in which a database fails for a while.
trait Outage {
    async fn begin(&mut self);
    async fn end(&mut self);
}

/// Calls an action, during which the database fails until the outcome could not
/// be written once, and returns the answer.
async fn answer_with_outage_in_a_call(host: &TestHost, mut outage: impl Outage) -> Answer {
    let gate = host.upstreams.linear.hold();
    let during = async {
        host.upstreams.linear.wait_for_requests(1).await;
        let list = host.agent("GET", "/invocations", Value::Null).await;
        let id = list.json["invocations"][0]["id"].as_str().unwrap();
        outage.begin().await;
        gate.release();
        while !outcome_was_not_written(id) {
            tokio::task::yield_now().await;
        }
    };
    let mut call = pin!(host.invoke("list_issues", json!({})));
    tokio::select! {
        answer = &mut call => panic!("written during the outage: {}", answer.text),
        () = during => {}
    }
    // Not within the race: the answer may come as soon as this begins.
    outage.end().await;
    call.await
}

fn outcome_was_not_written(id: &str) -> bool {
    captured_lines_with(id)
        .iter()
        .any(|line| line["message"] == "the outcome could not be written; trying again")
}

async fn assert_recorded_once(host: &TestHost, answer: &Answer) {
    answer.assert_status(200);
    let recorded = host.recorded(answer).await;
    assert_eq!(recorded["status"], "completed");
    assert_eq!(recorded["result"], answer.json["result"]);
    assert_eq!(host.upstreams.linear.requests().len(), 1);
}

/// Calls an action whose end cannot be recorded, since the database fails until
/// the gateway has given up, and fails unless this is told.
async fn lose_an_outcome(host: &TestHost, mut outage: impl Outage) {
    let gate = host.upstreams.linear.hold();
    let during = async {
        host.upstreams.linear.wait_for_requests(1).await;
        outage.begin().await;
        gate.release();
    };
    let (answer, ()) = tokio::join!(host.invoke("list_issues", json!({})), during);
    assert_unknown(&answer);
    outage.end().await;
}

/// Fails unless the only invocation is given up after its lease, although the
/// gateway lives and is busy with another.
async fn assert_given_up_while_busy(host: &TestHost) {
    let answered = host.upstreams.linear.requests().len() as u64;
    // Rows of one moment have no order.
    host.clock.advance(Duration::from_secs(1));
    let gate = host.upstreams.linear.hold();
    let look = async {
        host.upstreams.linear.wait_for_requests(answered + 1).await;
        tend(&host.gateway).await.unwrap();
        assert_eq!(statuses(host).await, ["executing", "executing"]);
        host.clock.advance(LEASE);
        tend(&host.gateway).await.unwrap();
        assert_eq!(statuses(host).await, ["failed", "executing"]);
        gate.release();
    };
    let (answer, ()) = tokio::join!(host.invoke("list_issues", json!({})), look);
    answer.assert_status(200);
    let list = host.agent("GET", "/invocations", Value::Null).await;
    let error = &list.json["invocations"][1]["error"];
    assert_eq!(error["code"], "outcome_unknown");
}

/// The stored statuses, the oldest first.
async fn statuses(host: &TestHost) -> Vec<Value> {
    let list = host.agent("GET", "/invocations", Value::Null).await;
    let rows = list.json["invocations"].as_array().unwrap().iter();
    rows.rev().map(|row| row["status"].clone()).collect()
}
