//! Exactly as much is admitted as the limits allow, and a repeated request is
//! one request.

use std::time::Duration;

use futures_util::future::join_all;
use portcullis_tests::{Answer, TestHost, TestHostBuilder, bearer, call};
use serde_json::{Value, json};

on_both![
    ten_requests_wait_for_a_person_and_no_more,
    what_has_expired_waits_for_nobody,
    sixty_requests_in_a_minute_and_no_more,
    the_window_rolls,
    denied_requests_count_and_refused_ones_do_not,
    a_repeated_request_is_answered_with_what_the_first_one_did,
    repetitions_do_not_count_against_the_rate,
    a_repetition_waits_while_the_first_one_runs,
    of_many_equal_requests_at_once_one_runs,
    a_key_stands_for_one_request,
    a_key_belongs_to_its_session,
    keys_hold_for_what_waits_is_denied_or_failed_as_well,
    a_request_that_was_not_admitted_leaves_its_key_free,
    keys_survive_a_restart,
    a_key_is_visible_text_of_limited_length,
];

fn issue() -> Value {
    json!({ "teamId": "ENG", "title": "Asked for" })
}

/// How many of these answers have this status and code.
fn count(answers: &[Answer], status: u16, code: &str) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status && answer.code() == code)
        .count()
}

fn retry_after(answer: &Answer) -> u64 {
    answer.header("retry-after").parse().unwrap()
}

fn ids(answers: &[Answer]) -> Vec<&Value> {
    answers
        .iter()
        .map(|answer| &answer.json["invocation"]["id"])
        .collect()
}

async fn many(host: &TestHost, number: usize, action: &str, params: Value) -> Vec<Answer> {
    join_all((0..number).map(|_| host.invoke(action, params.clone()))).await
}

/// Another session of the same organization, and its agent's token.
async fn another_session(host: &TestHost) -> (String, String) {
    let session = host
        .open_session(json!({ "connectionIds": [host.connection_id] }))
        .await;
    let token = host.sandbox_token_of(&session).await;
    (session, token)
}

async fn invoke_in(
    host: &TestHost,
    (session, token): &(String, String),
    action: &str,
    key: Option<&str>,
    params: Value,
) -> Answer {
    let path = format!("/{session}/actions/invoke");
    let mut request = bearer("POST", &path, token, &call(action, &params));
    if let Some(key) = key {
        request
            .headers_mut()
            .insert("idempotency-key", key.parse().unwrap());
    }
    host.send(request).await
}

async fn ten_requests_wait_for_a_person_and_no_more(builder: TestHostBuilder) {
    let host = builder.start().await;
    let answers = many(&host, 64, "create_issue", issue()).await;
    assert_eq!(count(&answers, 202, ""), 10);
    assert_eq!(count(&answers, 429, "too_many_pending"), 54);
    for refused in answers.iter().filter(|answer| answer.status == 429) {
        assert!(retry_after(refused) >= 1);
        assert!(refused.json.get("invocation").is_none());
    }
    let pending = host
        .agent("GET", "/invocations?status=pending", Value::Null)
        .await;
    assert_eq!(pending.json["total"], 10);
    // What needs nobody's approval goes on, and so do other sessions.
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
    let other = another_session(&host).await;
    invoke_in(&host, &other, "create_issue", None, issue())
        .await
        .assert_status(202);
}

async fn what_has_expired_waits_for_nobody(builder: TestHostBuilder) {
    let host = builder.start().await;
    many(&host, 10, "create_issue", issue()).await;
    host.clock.advance(Duration::from_secs(299));
    host.invoke("create_issue", issue())
        .await
        .assert_error(429, "too_many_pending");
    host.clock.advance(Duration::from_secs(1));
    host.invoke("create_issue", issue())
        .await
        .assert_status(202);
}

async fn sixty_requests_in_a_minute_and_no_more(builder: TestHostBuilder) {
    let host = builder.start().await;
    let answers = many(&host, 70, "list_issues", json!({ "first": 1 })).await;
    assert_eq!(count(&answers, 200, ""), 60);
    assert_eq!(count(&answers, 429, "rate_limited"), 10);
    for refused in answers.iter().filter(|answer| answer.status == 429) {
        assert!((1..=60).contains(&retry_after(refused)));
        assert!(refused.json.get("invocation").is_none());
    }
    assert_eq!(host.upstreams.linear.requests().len(), 60);
    let other = another_session(&host).await;
    invoke_in(&host, &other, "list_issues", None, json!({}))
        .await
        .assert_status(200);
}

async fn the_window_rolls(builder: TestHostBuilder) {
    let host = builder
        .set("admission.invocations_per_minute", 2)
        .start()
        .await;
    let invoke = async || host.invoke("list_issues", json!({})).await;
    invoke().await.assert_status(200);
    host.clock.advance(Duration::from_secs(40));
    invoke().await.assert_status(200);
    let refused = invoke().await;
    refused.assert_error(429, "rate_limited");
    assert_eq!(retry_after(&refused), 20);
    // The first one leaves the window, the second one stays in it.
    host.clock.advance(Duration::from_secs(20));
    invoke().await.assert_status(200);
    let refused = invoke().await;
    refused.assert_error(429, "rate_limited");
    assert_eq!(retry_after(&refused), 40);
}

async fn denied_requests_count_and_refused_ones_do_not(builder: TestHostBuilder) {
    let host = builder
        .set("admission.invocations_per_minute", 2)
        .start()
        .await;
    host.set_mode("create_issue", "deny").await;
    let refused = host.invoke("list_issues", json!({ "first": "x" })).await;
    refused.assert_error(400, "invalid_params");
    for _ in 0..2 {
        host.invoke("create_issue", issue())
            .await
            .assert_error(403, "denied");
    }
    host.invoke("list_issues", json!({}))
        .await
        .assert_error(429, "rate_limited");
    host.clock.advance(Duration::from_mins(1));
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
}

async fn a_repeated_request_is_answered_with_what_the_first_one_did(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("create_issue", "allow").await;
    let one = json!({ "teamId": "ENG", "title": "Once", "priority": 1 });
    let same = json!({ "priority": 1, "title": "Once", "teamId": "ENG" });
    let first = host.invoke_with_key("k-1", "create_issue", one).await;
    first.assert_status(200);
    let sent = host.upstreams.linear.requests().len();
    let second = host.invoke_with_key("k-1", "create_issue", same).await;
    second.assert_status(200);
    assert_eq!(second.json, first.json);
    assert_eq!(host.upstreams.linear.requests().len(), sent);
}

async fn repetitions_do_not_count_against_the_rate(builder: TestHostBuilder) {
    let host = builder
        .set("admission.invocations_per_minute", 1)
        .start()
        .await;
    for _ in 0..3 {
        host.invoke_with_key("k-1", "list_issues", json!({}))
            .await
            .assert_status(200);
    }
    assert_eq!(host.upstreams.linear.requests().len(), 1);
}

async fn a_repetition_waits_while_the_first_one_runs(builder: TestHostBuilder) {
    let host = builder.start().await;
    let gate = host.upstreams.linear.hold();
    let repeat = || host.invoke_with_key("k-1", "list_issues", json!({}));
    let release = async {
        host.upstreams.linear.wait_for_requests(1).await;
        // Once several wait, and not just the one that runs.
        while host.gateway.endings.receiver_count() < 2 {
            tokio::task::yield_now().await;
        }
        gate.release();
    };
    let (first, second, third, ()) = tokio::join!(repeat(), repeat(), repeat(), release);
    first.assert_status(200);
    assert_eq!(second.json, first.json);
    assert_eq!(third.json, first.json);
    assert_eq!(host.upstreams.linear.requests().len(), 1);
}

async fn of_many_equal_requests_at_once_one_runs(builder: TestHostBuilder) {
    let host = builder.start().await;
    let repeats = (0..16).map(|_| host.invoke_with_key("k-1", "list_issues", json!({})));
    let answers = join_all(repeats).await;
    assert_eq!(count(&answers, 200, ""), 16);
    assert!(ids(&answers).windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(host.upstreams.linear.requests().len(), 1);
}

async fn a_key_stands_for_one_request(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.invoke_with_key("k-1", "list_issues", json!({ "first": 1 }))
        .await
        .assert_status(200);
    host.invoke_with_key("k-1", "list_issues", json!({ "first": 2 }))
        .await
        .assert_error(409, "idempotency_key_reused");
    host.invoke_with_key("k-1", "get_issue", json!({ "issueId": "ENG-1" }))
        .await
        .assert_error(409, "idempotency_key_reused");
    assert_eq!(host.upstreams.linear.requests().len(), 1);
}

async fn a_key_belongs_to_its_session(builder: TestHostBuilder) {
    let host = builder.start().await;
    let first = host
        .invoke_with_key("k-1", "list_issues", json!({ "first": 1 }))
        .await;
    let other = another_session(&host).await;
    let params = json!({ "first": 2 });
    let second = invoke_in(&host, &other, "list_issues", Some("k-1"), params).await;
    second.assert_status(200);
    assert_ne!(
        first.json["invocation"]["id"],
        second.json["invocation"]["id"]
    );
}

async fn keys_hold_for_what_waits_is_denied_or_failed_as_well(builder: TestHostBuilder) {
    let host = builder.start().await;
    host.set_mode("add_comment", "deny").await;
    let missing = json!({ "issueId": "ENG-999" });
    let comment = json!({ "issueId": "ENG-1", "body": "Hi" });
    for (key, action, params, status) in [
        ("k-1", "create_issue", issue(), 202),
        ("k-2", "add_comment", comment, 403),
        ("k-3", "get_issue", missing, 502),
    ] {
        let first = host.invoke_with_key(key, action, params.clone()).await;
        first.assert_status(status);
        let second = host.invoke_with_key(key, action, params).await;
        second.assert_status(status);
        assert_eq!(second.json["invocation"], first.json["invocation"]);
    }
    let all = host.agent("GET", "/invocations", Value::Null).await;
    assert_eq!(all.json["total"], 3);
}

async fn a_request_that_was_not_admitted_leaves_its_key_free(builder: TestHostBuilder) {
    let host = builder
        .set("admission.invocations_per_minute", 1)
        .start()
        .await;
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
    host.invoke_with_key("k-1", "list_issues", json!({}))
        .await
        .assert_error(429, "rate_limited");
    host.clock.advance(Duration::from_mins(1));
    host.invoke_with_key("k-1", "list_issues", json!({ "first": 2 }))
        .await
        .assert_status(200);
}

async fn keys_survive_a_restart(builder: TestHostBuilder) {
    let host = builder.start().await;
    let first = host.invoke_with_key("k-1", "list_issues", json!({})).await;
    first.assert_status(200);
    host.clock.advance(Duration::from_hours(23));
    let host = host.restart().await;
    let again = host.invoke_with_key("k-1", "list_issues", json!({})).await;
    assert_eq!(again.json, first.json);
    assert_eq!(host.upstreams.linear.requests().len(), 1);
}

async fn a_key_is_visible_text_of_limited_length(builder: TestHostBuilder) {
    let host = builder.start().await;
    let longest = "k".repeat(255);
    host.invoke_with_key(&longest, "list_issues", json!({}))
        .await
        .assert_status(200);
    for key in [String::new(), "k".repeat(256), "schlüssel".to_owned()] {
        let refused = host.invoke_with_key(&key, "list_issues", json!({})).await;
        refused.assert_error(400, "invalid_request");
        assert_eq!(refused.violations()[0].0, "/headers/idempotency-key");
    }
}
