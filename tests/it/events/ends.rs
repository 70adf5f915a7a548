//! How streams end: each with a reason that says what to do.

use std::time::Duration;

use futures_util::future::join_all;
use portcullis_tests::{MEMBER, ORG, Served, TestHost};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::client::{listen, open};
use super::run_at_once;

/// How many events a test makes at once.
const AT_ONCE: usize = 16;

/// So often that a test can wait for it.
async fn host_that_pings() -> TestHost {
    TestHost::builder()
        .set("server.event_ping_seconds", 1)
        .start()
        .await
}

#[tokio::test]
async fn a_removed_member_is_sent_away() {
    let host = host_that_pings().await;
    let served = Served::start(&host).await;
    let mut member = listen(&host, &served).await;
    let admin = open(&served, &host.session_id).token(&host.admin_token);
    let mut admin = admin.connect().await;
    member.pinged().await;
    let path = format!("/v1/orgs/{ORG}/members/{MEMBER}");
    let removed = host.operator("DELETE", &path, Value::Null).await;
    removed.assert_status(204);
    let (code, reason) = member.closed().await;
    assert_eq!(code, 1008);
    assert!(reason.contains("no longer listen"), "{reason}");
    let run = run_at_once(&host).await;
    admin.expect("action_completed", &run).await;
}

#[tokio::test]
async fn a_stream_does_not_outlive_its_credential() {
    let host = host_that_pings().await;
    let served = Served::start(&host).await;
    let path = format!("/{}/events/ticket", host.session_id);
    let token = &host.member_token;
    let given = host.request("POST", &path, token, Value::Null).await;
    let ticket = given.text_field("ticket");
    let by_ticket = open(&served, &host.session_id).ticket(&ticket);
    let mut by_ticket = by_ticket.connect().await;
    let mut by_token = listen(&host, &served).await;
    by_token.pinged().await;
    host.clock.advance(Duration::from_hours(1));
    for client in [&mut by_ticket, &mut by_token] {
        assert_eq!(client.closed().await.0, 1008);
    }
}

#[tokio::test]
async fn a_client_that_answers_no_pings_is_given_up() {
    let host = host_that_pings().await;
    let served = Served::start(&host).await;
    let mut client = listen(&host, &served).await;
    let (pings, code, reason) = client.closed_without_answering().await;
    assert!(pings > 0);
    assert_eq!((code, reason.as_str()), (1008, "no answer to pings"));
    assert_eq!(host.gateway.events.let_go(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_that_does_not_read_is_let_go_and_nobody_waits_for_it() {
    let host = TestHost::builder()
        .set("admission.invocations_per_minute", 100_000)
        .start()
        .await;
    let served = Served::start(&host).await;
    host.set_mode("add_comment", "deny").await;
    let mut slow = listen(&host, &served).await;
    let mut quick = listen(&host, &served).await;
    let long = json!({ "issueId": "ENG-1", "body": "x".repeat(8_000) });
    let mut told = 0;
    while host.gateway.events.let_go() == 0 {
        let some = (0..AT_ONCE).map(|_| host.invoke("add_comment", long.clone()));
        for denied in join_all(some).await {
            denied.assert_error(403, "denied");
            quick.event().await;
        }
        told += AT_ONCE;
        assert!(told < 5_000, "nobody was let go");
    }
    assert!(told > 256, "{told}");
    let (code, reason) = slow.closed().await;
    assert_eq!(code, 1013);
    assert!(reason.contains("list the invocations"), "{reason}");
    let run = run_at_once(&host).await;
    quick.expect("action_completed", &run).await;
    assert_eq!(host.gateway.events.let_go(), 1);
    let shown = host.operator("GET", "/metrics", Value::Null).await;
    let dropped = "portcullis_event_streams_dropped_total 1\n";
    assert!(shown.text.contains(dropped), "{}", shown.text);
}

#[tokio::test]
async fn a_shutdown_tells_what_still_ran_and_says_goodbye() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut clients = [listen(&host, &served).await, listen(&host, &served).await];
    let gate = host.upstreams.linear.hold();
    let mut stopped = None;
    let stopping = async {
        host.upstreams.linear.wait_for_requests(1).await;
        stopped = Some(served.stop());
        gate.release();
    };
    let (answer, ()) = tokio::join!(host.invoke("list_issues", json!({})), stopping);
    answer.assert_status(200);
    for client in &mut clients {
        let id = super::id_of(&answer.json);
        client.expect("action_completed", &id).await;
        let (code, reason) = client.closed().await;
        assert_eq!(code, 1001);
        assert!(reason.contains("connect again"), "{reason}");
    }
    stopped.unwrap().await.unwrap().unwrap();
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_a_client_that_does_not_answer() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let _deaf = listen(&host, &served).await;
    let stopped = served.stop();
    let stopped = timeout(Duration::from_secs(30), stopped).await;
    stopped.expect("an end").unwrap().unwrap();
}
