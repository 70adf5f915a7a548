//! Several gateways on one Postgres are one service.

use std::future::Future;

use futures_util::future::join_all;
use portcullis_tests::{Answer, TestHost};
use serde_json::{Value, json};

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
