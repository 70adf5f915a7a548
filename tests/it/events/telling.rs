//! What is told, to whom it is of use.

use std::sync::Arc;
use std::time::Duration;

use portcullis::actions::upkeep::sweep;
use portcullis::events::pump_until;
use portcullis_tests::{ADMIN, Served, TestHost, TestHostBuilder};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::client::{listen, open};
use super::{id_of, run_at_once, wait_for_approval};

const REQUEST: &str = "action_approval_request";
const RESULT: &str = "action_approval_result";
const COMPLETED: &str = "action_completed";

async fn all_three_kinds_are_told_in_order(builder: TestHostBuilder) {
    let host = builder.start().await;
    let served = Served::start(&host).await;
    let mut client = listen(&host, &served).await;

    let waiting = wait_for_approval(&host).await;
    let told = client.expect(REQUEST, &waiting).await;
    assert_eq!(told["status"], "pending");

    host.clock.advance(Duration::from_mins(5));
    sweep(&host.gateway).await.unwrap();
    let told = client.expect(RESULT, &waiting).await;
    assert_eq!(told["status"], "expired");

    let run = run_at_once(&host).await;
    let told = client.expect(COMPLETED, &run).await;
    assert_eq!(told["status"], "completed");
    let mut recorded = host.recorded_by_id(&run).await;
    recorded.as_object_mut().unwrap().remove("result");
    assert_eq!(told, recorded);
}

async fn a_decision_is_told_and_then_what_came_of_it(builder: TestHostBuilder) {
    let host = builder.start().await;
    let served = Served::start(&host).await;
    let mut client = listen(&host, &served).await;
    let decide = async |verb: &str, token: &str| {
        let id = wait_for_approval(&host).await;
        let path = host.actions(&format!("/invocations/{id}/{verb}"));
        let decided = host.request("POST", &path, token, json!({})).await;
        decided.assert_status(200);
        id
    };
    let approved = decide("approve", &host.admin_token).await;
    client.expect(REQUEST, &approved).await;
    let told = client.expect(RESULT, &approved).await;
    assert_eq!(told["approvedBy"], ADMIN);
    let told = client.expect(COMPLETED, &approved).await;
    assert_eq!(told["status"], "completed");
    for (verb, token, reason) in [
        ("deny", &host.admin_token, "human"),
        ("cancel", &host.sandbox_token, "cancelled"),
    ] {
        let decided = decide(verb, token).await;
        client.expect(REQUEST, &decided).await;
        let told = client.expect(RESULT, &decided).await;
        assert_eq!(told["deniedReason"], reason);
    }
}

async fn what_was_not_told_of_is_found_without_hints(builder: TestHostBuilder) {
    let host = builder.without_hints().start().await;
    let served = Served::start(&host).await;
    let before = wait_for_approval(&host).await;
    let mut client = listen(&host, &served).await;
    // By the first look, and by another a few seconds later.
    client.expect(REQUEST, &before).await;
    let waiting = wait_for_approval(&host).await;
    client.expect(REQUEST, &waiting).await;
}

async fn what_is_denied_by_policy_has_ended(builder: TestHostBuilder) {
    let host = builder.start().await;
    let served = Served::start(&host).await;
    host.set_mode("list_issues", "deny").await;
    let mut client = listen(&host, &served).await;
    let denied = host.invoke("list_issues", json!({})).await;
    denied.assert_error(403, "denied");
    let told = client.expect(COMPLETED, &id_of(&denied.json)).await;
    assert_eq!(
        (&told["status"], &told["deniedReason"]),
        (&"denied".into(), &"policy".into())
    );
}

async fn a_closed_session_tells_what_that_ended(builder: TestHostBuilder) {
    let host = builder.start().await;
    let served = Served::start(&host).await;
    let mut client = listen(&host, &served).await;
    let waiting = wait_for_approval(&host).await;
    client.expect(REQUEST, &waiting).await;
    let path = format!("/sessions/{}/close", host.session_id);
    let closed = host.admin("POST", &path, Value::Null).await;
    closed.assert_status(200);
    let told = client.expect(RESULT, &waiting).await;
    assert_eq!(told["status"], "expired");
}

on_both! {
    all_three_kinds_are_told_in_order,
    a_decision_is_told_and_then_what_came_of_it,
    what_was_not_told_of_is_found_without_hints,
    what_is_denied_by_policy_has_ended,
    a_closed_session_tells_what_that_ended,
}

/// How often the gateway has begun to read, while some actions ran.
async fn reads_of_some_actions(host: &TestHost) -> u64 {
    let reads = async || {
        let shown = host.operator("GET", "/metrics", Value::Null).await;
        let series = "portcullis_storage_transactions_total{kind=\"read\"} ";
        let mut lines = shown.text.lines();
        let count = lines.find_map(|line| line.strip_prefix(series));
        count.expect("a count").parse::<u64>().unwrap()
    };
    let before = reads().await;
    for _ in 0..5 {
        run_at_once(host).await;
    }
    reads().await - before
}

#[tokio::test]
async fn while_nobody_listens_nothing_is_read() {
    let host = TestHost::start().await;
    // What is read once is kept.
    reads_of_some_actions(&host).await;
    let without = reads_of_some_actions(&host).await;
    let stop = CancellationToken::new();
    let pump = tokio::spawn(pump_until(Arc::clone(&host.gateway), stop.clone()));
    assert_eq!(reads_of_some_actions(&host).await, without);
    stop.cancel();
    pump.await.unwrap();
}

#[tokio::test]
async fn a_failure_is_told_with_its_error() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut client = listen(&host, &served).await;
    let failed = host
        .invoke("get_issue", json!({ "issueId": "ENG-9999" }))
        .await;
    failed.assert_error(502, "not_found");
    let told = client.expect(COMPLETED, &id_of(&failed.json)).await;
    assert_eq!(told["error"]["code"], "not_found");
}

#[tokio::test]
async fn an_event_says_when_it_happened() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut client = listen(&host, &served).await;
    let run = run_at_once(&host).await;
    let event = client.event().await;
    let recorded = host.recorded_by_id(&run).await;
    assert_eq!(event["at"], recorded["completedAt"]);
}

#[tokio::test]
async fn a_stream_begins_a_moment_before_it_is_opened() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    wait_for_approval(&host).await;
    host.clock.advance(Duration::from_micros(1));
    let recent = wait_for_approval(&host).await;
    host.clock.advance(Duration::from_secs(5));
    let mut client = listen(&host, &served).await;
    client.expect(REQUEST, &recent).await;
    let run = run_at_once(&host).await;
    client.expect(COMPLETED, &run).await;
}

#[tokio::test]
async fn everybody_who_listens_is_told_and_nobody_elses_session() {
    let mut host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut first = listen(&host, &served).await;
    let agent = open(&served, &host.session_id).token(&host.sandbox_token);
    let mut agent = agent.connect().await;
    run_at_once(&host).await;
    let told = first.event().await;
    assert_eq!(agent.event().await, told);

    host.enter_new_session(json!({})).await;
    let mut other = listen(&host, &served).await;
    let waiting = wait_for_approval(&host).await;
    other.expect(REQUEST, &waiting).await;
    host.session_id = told["invocation"]["sessionId"].as_str().unwrap().to_owned();
    host.sandbox_token = host.sandbox_token_of(&host.session_id).await;
    let run = run_at_once(&host).await;
    first.expect(COMPLETED, &run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_events_come_once_each_and_in_order() {
    let host = TestHost::builder()
        .set("admission.invocations_per_minute", 1_000)
        .set("admission.pending_per_session", 1_000)
        .start()
        .await;
    let served = Served::start(&host).await;
    let mut client = listen(&host, &served).await;
    let mut waiting = Vec::new();
    for _ in 0..50 {
        waiting.push(wait_for_approval(&host).await);
        host.clock.advance(Duration::from_micros(1));
    }
    host.clock.advance(Duration::from_mins(6));
    sweep(&host.gateway).await.unwrap();
    let mut requested = Vec::new();
    let mut decided = Vec::new();
    for _ in 0..100 {
        let event = client.event().await;
        let id = event["invocation"]["id"].as_str().unwrap().to_owned();
        if event["type"] == REQUEST {
            requested.push(id);
        } else {
            assert!(requested.contains(&id), "{event}");
            decided.push(id);
        }
    }
    assert_eq!(requested, waiting);
    decided.sort_unstable();
    waiting.sort_unstable();
    assert_eq!(decided, waiting);
}
