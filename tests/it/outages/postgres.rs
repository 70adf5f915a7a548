//! A server that goes away in the midst of things, and comes back.

use futures_util::future::join_all;
use portcullis_test_postgres::TestDatabase;
use portcullis_tests::TestHost;
use serde_json::{Value, json};

use super::{
    Outage, answer_with_outage_in_a_call, assert_given_up_while_busy,
    assert_nothing_half_done_and_all_well, assert_ready, assert_recorded_once, assert_unavailable,
    large_issue, lose_an_outcome,
};

/// Holds the lock of every session.
const HOLD_SESSIONS: &str = "BEGIN; SELECT id FROM sessions FOR UPDATE";

/// Makes whoever adds an idempotency key wait for as long as this connection
/// lives.
const HOLD_KEYS: &str = "
    CREATE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END';
    CREATE TRIGGER wait_for_the_test BEFORE INSERT ON idempotency_keys
        FOR EACH ROW EXECUTE FUNCTION wait_for_the_test();
    SELECT pg_advisory_lock(1)";

/// A host on Postgres; none where there is no server.
async fn host() -> Option<TestHost> {
    let host = TestHost::builder().postgres().await?.start().await;
    host.set_mode("create_issue", "allow").await;
    Some(host)
}

/// Nobody can connect.
struct Gone<'a>(&'a TestDatabase);

impl Outage for Gone<'_> {
    async fn begin(&mut self) {
        self.0.take_away().await.unwrap();
    }

    async fn end(&mut self) {
        self.0.put_back().await.unwrap();
    }
}

#[tokio::test]
async fn requests_without_the_database_are_refused_and_leave_nothing() {
    let Some(host) = host().await else {
        return;
    };
    let mut outage = Gone(host.database());
    outage.begin().await;
    let first = host.invoke_with_key("k", "create_issue", large_issue());
    let second = host.invoke("list_issues", json!({}));
    let third = host.admin(
        "PUT",
        "/modes/linear/list_issues",
        json!({ "mode": "deny" }),
    );
    let fourth = host.agent("GET", "/available", Value::Null);
    let (first, second, third, fourth) = tokio::join!(first, second, third, fourth);
    for answer in [first, second, third, fourth] {
        assert_unavailable(&answer);
    }
    assert_ready(&host, 503).await;
    let alive = host.request("GET", "/healthz", "", Value::Null).await;
    alive.assert_status(200);
    outage.end().await;
    assert_ready(&host, 200).await;
    assert_nothing_half_done_and_all_well(&host).await;
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
}

/// Asks while somebody holds what the request needs, ends every connection once
/// it waits for that, and fails unless it left nothing.
async fn cut_off_while_it_waits(hold: &'static str) {
    let Some(host) = host().await else {
        return;
    };
    let database = host.database();
    let mut outsider = database.connect().await.unwrap();
    sqlx::raw_sql(hold).execute(&mut outsider).await.unwrap();
    let cut = async {
        database.wait_for_waiters(1).await.unwrap();
        database.end_connections().await.unwrap();
    };
    let asked = host.invoke_with_key("k", "create_issue", large_issue());
    let (answer, ()) = tokio::join!(asked, cut);
    assert_unavailable(&answer);
    assert_nothing_half_done_and_all_well(&host).await;
}

#[tokio::test]
async fn a_request_that_is_cut_off_before_its_row_leaves_nothing() {
    cut_off_while_it_waits(HOLD_SESSIONS).await;
}

#[tokio::test]
async fn a_request_that_is_cut_off_between_its_row_and_its_key_leaves_neither() {
    cut_off_while_it_waits(HOLD_KEYS).await;
}

#[tokio::test]
async fn a_server_that_started_again_between_requests_is_not_noticed() {
    let Some(host) = host().await else {
        return;
    };
    // Several connections, idle from now on.
    join_all((0..8).map(|_| host.agent("GET", "/available", Value::Null))).await;
    host.database().end_connections().await.unwrap();
    assert_ready(&host, 200).await;
    assert_nothing_half_done_and_all_well(&host).await;
}

#[tokio::test]
async fn an_outcome_is_recorded_after_the_database_was_gone() {
    let Some(host) = host().await else {
        return;
    };
    let answer = answer_with_outage_in_a_call(&host, Gone(host.database())).await;
    assert_recorded_once(&host, &answer).await;
}

#[tokio::test]
async fn an_outcome_that_cannot_be_recorded_is_given_up_after_its_lease() {
    let Some(host) = host().await else {
        return;
    };
    lose_an_outcome(&host, Gone(host.database())).await;
    assert_given_up_while_busy(&host).await;
}
