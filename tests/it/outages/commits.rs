//! A commit that nobody confirms, since its connection is lost: what is told is
//! that nobody knows, and what is done is never done twice.

use portcullis_test_postgres::{Loss, Proxy};
use portcullis_tests::{Answer, TestHost};
use serde_json::json;

use super::{
    assert_given_up_while_busy, assert_nothing_half_done_and_all_well, assert_recorded_once,
    assert_unknown, created, large_issue,
};

/// A host on Postgres with a proxy in between; none where there is no server.
async fn host() -> Option<(TestHost, Proxy)> {
    let builder = TestHost::builder().postgres().await?;
    let proxy = builder.database().proxy().await.unwrap();
    let host = builder.postgres_at(proxy.url()).start().await;
    host.set_mode("create_issue", "allow").await;
    Some((host, proxy))
}

async fn create(host: &TestHost) -> Answer {
    host.invoke_with_key("k", "create_issue", large_issue())
        .await
}

#[tokio::test]
async fn a_request_that_was_admitted_unheard_is_not_executed() {
    let Some((host, proxy)) = host().await else {
        return;
    };
    proxy.lose_next_commit(Loss::Answer);
    assert_unknown(&create(&host).await);
    assert_eq!(host.recorded_count().await, 1);
    assert_given_up_while_busy(&host).await;
    // Nor is it when it is sent again: that is the same request.
    create(&host).await.assert_error(502, "outcome_unknown");
    assert_eq!(created(&host), 0);
}

#[tokio::test]
async fn a_request_whose_admission_was_lost_can_be_sent_again() {
    let Some((host, proxy)) = host().await else {
        return;
    };
    proxy.lose_next_commit(Loss::Request);
    assert_unknown(&create(&host).await);
    assert_nothing_half_done_and_all_well(&host).await;
}

#[tokio::test]
async fn a_change_that_was_not_confirmed_is_there_or_is_not() {
    for (loss, status) in [(Loss::Answer, 403), (Loss::Request, 200)] {
        let Some((host, proxy)) = host().await else {
            return;
        };
        proxy.lose_next_commit(loss);
        let deny = json!({ "mode": "deny" });
        let told = host.admin("PUT", "/modes/linear/list_issues", deny).await;
        assert_unknown(&told);
        let answer = host.invoke("list_issues", json!({})).await;
        assert_eq!(answer.status, status, "{loss:?}");
    }
}

#[tokio::test]
async fn an_outcome_that_was_not_confirmed_is_written_once() {
    for loss in [Loss::Answer, Loss::Request] {
        let Some((host, proxy)) = host().await else {
            return;
        };
        let gate = host.upstreams.linear.hold();
        let lose = async {
            host.upstreams.linear.wait_for_requests(1).await;
            proxy.lose_next_outcome(loss);
            gate.release();
        };
        let (answer, ()) = tokio::join!(host.invoke("list_issues", json!({})), lose);
        assert_recorded_once(&host, &answer).await;
        assert!(!proxy.will_lose(), "{loss:?}");
    }
}
