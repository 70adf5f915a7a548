//! A file that is locked, whose disk is full, or that is gone.

use std::time::Duration;

use portcullis_storage::SqliteOptions;
use portcullis_tests::TestHost;
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};

use super::{
    Outage, answer_with_outage_in_a_call, assert_given_up_while_busy,
    assert_nothing_half_done_and_all_well, assert_ready, assert_recorded_once, assert_unavailable,
    large_issue, lose_an_outcome,
};

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

/// What somebody else does to the file, and then takes back.
struct Meddling {
    outsider: SqliteConnection,
    begin: &'static str,
    end: &'static str,
}

impl Outage for Meddling {
    async fn begin(&mut self) {
        run(self.begin, &mut self.outsider).await;
    }

    async fn end(&mut self) {
        run(self.end, &mut self.outsider).await;
    }
}

async fn lock(host: &TestHost) -> Meddling {
    Meddling {
        outsider: host.outsider().await,
        begin: "BEGIN IMMEDIATE",
        end: "COMMIT",
    }
}

async fn full_disk(host: &TestHost) -> Meddling {
    Meddling {
        outsider: host.outsider().await,
        begin: FILL,
        end: "DROP TABLE filling",
    }
}

#[tokio::test]
async fn an_outcome_is_recorded_after_a_lock() {
    let host = host().await;
    let answer = answer_with_outage_in_a_call(&host, lock(&host).await).await;
    assert_recorded_once(&host, &answer).await;
}

#[tokio::test]
async fn an_outcome_is_recorded_after_the_disk_was_full() {
    let host = host().await;
    let answer = answer_with_outage_in_a_call(&host, full_disk(&host).await).await;
    assert_recorded_once(&host, &answer).await;
}

#[tokio::test]
async fn an_outcome_that_cannot_be_recorded_is_given_up_after_its_lease() {
    let host = host().await;
    lose_an_outcome(&host, lock(&host).await).await;
    assert_given_up_while_busy(&host).await;
}

#[tokio::test]
async fn a_gateway_whose_file_is_gone_is_not_ready_until_it_is_back() {
    let host = host().await;
    let path = host.data.path().join("portcullis.db");
    let away = host.data.path().join("away.db");
    std::fs::rename(&path, &away).unwrap();
    assert_ready(&host, 503).await;
    let refused = host.invoke_with_key("k", "create_issue", large_issue());
    assert_unavailable(&refused.await);
    std::fs::rename(&away, &path).unwrap();
    assert_ready(&host, 200).await;
    assert_nothing_half_done_and_all_well(&host).await;
}
