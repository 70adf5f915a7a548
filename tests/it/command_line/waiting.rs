//! Waiting for a person, and for an action that runs.

use std::sync::Arc;
use std::time::Duration;

use portcullis_tests::{Served, TestHost};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::terminal::{Ended, Terminal};

const CREATE: &[&str] = &[
    "actions",
    "run",
    "--integration",
    "linear",
    "--action",
    "create_issue",
    "--params",
    r#"{"teamId":"ENG","title":"x"}"#,
];

#[tokio::test]
async fn a_request_that_nobody_decides_expires() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let clock = Arc::clone(&host.clock);
    let mut agent = Terminal::agent(&host, &served)
        .watched()
        .on_notice(move || clock.advance(Duration::from_mins(6)));
    let ended = agent.types(&[CREATE, &["--json"]].concat()).await;
    let answer = ended.assert_exit(5).json();
    assert_eq!(answer["invocation"]["status"], "expired");
    ended.assert_told(&["linear.create_issue waits for a person: ", " left; Ctrl-C"]);
    ended.assert_told(&["nobody decided about linear.create_issue in time"]);
}

#[tokio::test]
async fn patience_may_end_first() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served);
    let ended = agent.types(&[CREATE, &["--timeout", "0"]].concat()).await;
    assert_eq!(
        ended.assert_exit(4).json()["invocation"]["status"],
        "pending"
    );
    // In a pipe nobody watches a countdown.
    assert!(!ended.stderr.contains("Ctrl-C"), "{ended:?}");
    let both = [CREATE, &["--timeout", "1", "--no-wait"]].concat();
    agent.types(&both).await.assert_exit(2);
}

#[tokio::test]
async fn ctrl_c_ends_the_waiting_and_not_the_request() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let (press, pressed) = oneshot::channel();
    let mut agent = Terminal::agent(&host, &served)
        .watched()
        .interrupted_by(pressed)
        .on_notice(move || press.send(()).unwrap());
    let ended = agent.types(CREATE).await;
    ended.assert_exit(130).assert_told(&["stays as it is"]);
    let pending = host
        .agent("GET", "/invocations?status=pending", Value::Null)
        .await;
    assert_eq!(pending.json["total"], 1);
    let id = pending.json["invocations"][0]["id"].as_str().unwrap();
    ended.assert_told(&[&format!("portcullis actions show {id}")]);
}

#[tokio::test]
async fn ctrl_c_before_the_answer_says_that_it_may_have_begun() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let gate = host.upstreams.linear.hold();
    let (press, pressed) = oneshot::channel();
    let mut agent = Terminal::agent(&host, &served).interrupted_by(pressed);
    let arguments = [
        "actions",
        "run",
        "--integration",
        "linear",
        "--action",
        "list_issues",
    ];
    let press_later = async {
        host.upstreams.linear.wait_for_requests(1).await;
        press.send(()).unwrap();
    };
    let (ended, ()) = tokio::join!(agent.types(&arguments), press_later);
    ended
        .assert_exit(130)
        .assert_told(&["goes on", "portcullis actions history"]);
    gate.release();
}

/// Types [`CREATE`], and changes the row once the command waits.
async fn decided(statement: &'static str) -> Ended {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let (wait, waits) = oneshot::channel();
    let mut agent = Terminal::agent(&host, &served)
        .watched()
        .on_notice(move || wait.send(()).unwrap());
    let decide = async {
        waits.await.unwrap();
        host.sql(statement).await;
    };
    let arguments = [CREATE, &["--json"]].concat();
    let (ended, ()) = tokio::join!(agent.types(&arguments), decide);
    ended
}

#[tokio::test]
async fn what_was_approved_is_answered_as_what_was_allowed() {
    let ended = decided(
        r#"UPDATE action_invocations SET status = 'completed', result = '{"issue":{"id":"7"}}',
           completed_at = 1, params_sealed = NULL, params_key_id = NULL"#,
    )
    .await;
    let answer = ended.assert_exit(0).json();
    assert_eq!(answer["result"], json!({ "issue": { "id": "7" } }));
    assert_eq!(answer["invocation"]["status"], "completed");
    assert!(answer["invocation"].get("result").is_none());
}

#[tokio::test]
async fn what_a_person_denied_ends_with_3() {
    let ended = decided(
        "UPDATE action_invocations SET status = 'denied', denied_reason = 'human', \
         completed_at = 1, params_sealed = NULL, params_key_id = NULL",
    )
    .await;
    assert_eq!(
        ended.assert_exit(3).json()["invocation"]["deniedReason"],
        "human"
    );
    ended.assert_told(&["a person denied linear.create_issue"]);
}

#[tokio::test]
async fn what_failed_after_approval_ends_with_6() {
    let ended = decided(
        r#"UPDATE action_invocations SET status = 'failed',
           error = '{"code":"outcome_unknown","message":"the gateway stopped"}',
           completed_at = 1, params_sealed = NULL, params_key_id = NULL"#,
    )
    .await;
    assert_eq!(
        ended.assert_exit(6).json()["invocation"]["status"],
        "failed"
    );
    ended.assert_told(&[
        "outcome_unknown",
        "look at the provider before repeating it",
    ]);
}

#[tokio::test]
async fn a_gateway_that_goes_away_leaves_a_request_to_look_at() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut agent = Terminal::agent(&host, &served)
        .watched()
        .on_notice(move || drop(served.stop()));
    let ended = agent.types(CREATE).await;
    ended
        .assert_exit(1)
        .assert_told(&["cannot reach", "portcullis actions show"]);
}
