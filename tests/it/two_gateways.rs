//! Several gateways on one Postgres are one service.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use portcullis::actions::leases::tend;
use portcullis_tests::{Answer, TestHost, canary, token_of};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The default of `storage.lease_seconds`.
const LEASE: Duration = Duration::from_secs(30);

fn issue() -> Value {
    json!({ "teamId": "ENG", "title": "Asked for" })
}

/// Two gateways; none where there is no Postgres.
async fn two_gateways() -> Option<(TestHost, TestHost)> {
    let first = TestHost::builder().postgres().await?.start().await;
    let second = first.second_gateway().await;
    Some((first, second))
}

/// Requests that reach the two by turns, all at once.
async fn by_turns<'a, F>(
    (first, second): &'a (TestHost, TestHost),
    number: usize,
    request: impl Fn(&'a TestHost) -> F,
) -> Vec<Answer>
where
    F: Future<Output = Answer>,
{
    let hosts = [first, second].into_iter().cycle().take(number);
    join_all(hosts.map(request)).await
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_requests_wait_for_a_person_and_no_more() {
    let Some(gateways) = two_gateways().await else {
        return;
    };
    let answers = by_turns(&gateways, 64, |host| host.invoke("create_issue", issue())).await;
    assert_eq!((count(&answers, 202), count(&answers, 429)), (10, 54));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_requests_in_a_minute_and_no_more() {
    let Some(gateways) = two_gateways().await else {
        return;
    };
    let answers = by_turns(&gateways, 70, |host| {
        host.invoke("list_issues", json!({ "first": 1 }))
    })
    .await;
    assert_eq!((count(&answers, 200), count(&answers, 429)), (60, 10));
    assert_eq!(gateways.0.upstreams.linear.requests().len(), 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_equal_requests_one_runs() {
    let Some(gateways) = two_gateways().await else {
        return;
    };
    let answers = by_turns(&gateways, 16, |host| {
        host.invoke_with_key("k-1", "list_issues", json!({}))
    })
    .await;
    assert_eq!(count(&answers, 200), 16);
    for answer in &answers {
        assert_eq!(answer.json, answers[0].json);
    }
    assert_eq!(gateways.0.upstreams.linear.requests().len(), 1);
}

#[tokio::test]
async fn a_mode_set_at_one_is_in_force_at_the_other() {
    let Some((first, second)) = two_gateways().await else {
        return;
    };
    second
        .invoke("list_issues", json!({}))
        .await
        .assert_status(200);
    first.set_mode("list_issues", "deny").await;
    second
        .invoke("list_issues", json!({}))
        .await
        .assert_error(403, "denied");
}

#[tokio::test]
async fn a_credential_that_one_rotated_goes_out_from_the_other() {
    let Some((first, second)) = two_gateways().await else {
        return;
    };
    let call = || second.invoke("list_issues", json!({}));
    call().await.assert_status(200);
    let path = format!("/connections/{}", first.connection_id);
    let body = json!({ "credential": first.credential_of("rotated") });
    first.admin("PUT", &path, body).await.assert_status(200);
    call().await.assert_status(200);
    let accounts: Vec<_> = (second.upstreams.linear.requests().into_iter())
        .map(|request| request.account)
        .collect();
    assert_eq!(accounts, [None, Some("rotated".to_owned())]);

    // And what the other learns of it, the one shows.
    first.upstreams.linear.revoke(&token_of("rotated"));
    call().await.assert_error(502, "unauthorized");
    let listed = first.admin("GET", "/connections", Value::Null).await;
    assert_eq!(listed.json["connections"][0]["status"], "needs_reauth");
}

#[tokio::test]
async fn a_gateway_that_starts_leaves_alone_what_another_executes() {
    let Some(builder) = TestHost::builder().postgres().await else {
        return;
    };
    let first = builder.start().await;
    let gate = first.upstreams.linear.hold();
    let start_another = async {
        first.upstreams.linear.wait_for_requests(1).await;
        let second = first.second_gateway().await;
        let list = second.agent("GET", "/invocations", Value::Null).await;
        gate.release();
        list
    };
    let (answer, list) = tokio::join!(first.invoke("list_issues", json!({})), start_another);
    assert_eq!(list.json["invocations"][0]["status"], "executing");
    answer.assert_status(200);
    assert_eq!(first.recorded(&answer).await["status"], "completed");
}

/// The stored statuses, the oldest first.
async fn statuses(host: &TestHost) -> Vec<Value> {
    let list = host.agent("GET", "/invocations", Value::Null).await;
    let rows = list.json["invocations"].as_array().unwrap().iter();
    rows.rev().map(|row| row["status"].clone()).collect()
}

#[tokio::test]
async fn a_killed_gateway_loses_its_own_and_nothing_of_anothers() {
    let Some(builder) = TestHost::builder().postgres().await else {
        return;
    };
    let survivor = Arc::new(builder.start().await);
    let linear = &survivor.upstreams.linear;
    let gate = linear.hold();
    // What runs on it ends wherever it stands, like a process that is killed.
    let doomed = Runtime::new().unwrap();
    let another = Arc::clone(&survivor);
    doomed.spawn(async move {
        let gateway = another.second_gateway().await;
        gateway.invoke("list_issues", json!({ "first": 1 })).await
    });
    linear.wait_for_requests(1).await;
    // Rows of one moment have no order.
    survivor.clock.advance(Duration::from_secs(1));
    let own = Arc::clone(&survivor);
    let own = tokio::spawn(async move { own.invoke("list_issues", json!({ "first": 2 })).await });
    linear.wait_for_requests(2).await;
    doomed.shutdown_background();

    tend(&survivor.gateway).await.unwrap();
    assert_eq!(statuses(&survivor).await, ["executing", "executing"]);
    survivor.clock.advance(LEASE + Duration::from_secs(1));
    survivor.clock.set_database_ahead(Duration::from_secs(6));
    tend(&survivor.gateway).await.unwrap();
    assert_eq!(statuses(&survivor).await, ["executing", "executing"]);
    survivor.clock.set_database_ahead(Duration::from_secs(5));
    tend(&survivor.gateway).await.unwrap();
    assert_eq!(statuses(&survivor).await, ["failed", "executing"]);

    let history = survivor.agent("GET", "/invocations", Value::Null).await;
    let error = &history.json["invocations"][1]["error"];
    assert_eq!(error["code"], "outcome_unknown");
    gate.release();
    let answer = own.await.unwrap();
    answer.assert_status(200);
    assert_eq!(survivor.recorded(&answer).await["status"], "completed");
    // The killed gateway's request went out once, and nobody repeated it.
    assert_eq!(linear.requests().len(), 2);
}

#[tokio::test]
async fn a_gateway_that_takes_longer_than_its_lease_renews_it() {
    let Some((first, second)) = two_gateways().await else {
        return;
    };
    let gate = first.upstreams.linear.hold();
    let look = async {
        first.upstreams.linear.wait_for_requests(1).await;
        for _ in 0..10 {
            first.clock.advance(LEASE / 3);
            tend(&first.gateway).await.unwrap();
            tend(&second.gateway).await.unwrap();
        }
        gate.release();
    };
    let (answer, ()) = tokio::join!(first.invoke("list_issues", json!({})), look);
    answer.assert_status(200);
    assert_eq!(first.recorded(&answer).await["status"], "completed");
}

#[tokio::test]
async fn what_comes_after_the_lease_loses_to_what_was_recorded() {
    let Some((first, second)) = two_gateways().await else {
        return;
    };
    let gate = first.upstreams.linear.hold();
    let give_up = async {
        first.upstreams.linear.wait_for_requests(1).await;
        // Paused for so long that it could not renew.
        first.clock.advance(LEASE);
        tend(&second.gateway).await.unwrap();
        gate.release();
    };
    let (answer, ()) = tokio::join!(first.invoke("list_issues", json!({})), give_up);
    answer.assert_error(502, "outcome_unknown");
    assert_eq!(first.recorded(&answer).await["status"], "failed");
}

#[tokio::test]
async fn a_gateway_whose_clock_is_off_is_not_ready() {
    let Some(builder) = TestHost::builder().postgres().await else {
        return;
    };
    let host = builder.start().await;
    let ready = || host.request("GET", "/readyz", "", Value::Null);
    host.clock.set_database_ahead(Duration::from_secs(5));
    assert_eq!(ready().await.json["checks"]["clock"], "ok");
    host.clock
        .set_database_ahead(Duration::from_micros(5_000_001));
    let answer = ready().await;
    answer.assert_error(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "5");
    let checks = json!({ "storage": "ok", "clock": "failed" });
    assert_eq!(answer.json["checks"], checks);
}

#[tokio::test]
async fn what_changes_at_one_counts_at_the_other_at_once() {
    let Some((first, second)) = two_gateways().await else {
        return;
    };
    let call = || second.invoke("list_issues", json!({}));
    // From now on the second has a copy of what the session may use.
    call().await.assert_status(200);
    let path = format!("/connections/{}", first.connection_id);
    let body = json!({ "credential": { "type": "token", "token": canary!("another") } });
    first.admin("PUT", &path, body).await.assert_status(200);
    call().await.assert_error(502, "unauthorized");
    first
        .admin("DELETE", &path, Value::Null)
        .await
        .assert_status(204);
    call().await.assert_error(502, "connection_missing");
    let path = format!("/sessions/{}/close", first.session_id);
    first
        .admin("POST", &path, Value::Null)
        .await
        .assert_status(200);
    call().await.assert_error(409, "session_closed");
}
