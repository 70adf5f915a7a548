//! Who may open a stream, and from which pages.

use portcullis_tests::{OPERATOR_KEY, Served, TestHost};
use serde_json::{Value, json};

use super::client::{listen, open};
use super::run_at_once;

const NOTHING: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn those_who_may_look_into_a_session_may_listen() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    for token in [&host.sandbox_token, &host.member_token, &host.admin_token] {
        open(&served, &host.session_id).token(token).connect().await;
    }
}

#[tokio::test]
async fn nobody_else_may() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let stranger = host.other_organization("globex").await;
    let other = host.open_session(json!({})).await;
    let other_agent = host.sandbox_token_of(&other).await;
    let removed = host.user_token("acme", "nobody").await;
    for (session, token, status) in [
        (host.session_id.as_str(), OPERATOR_KEY, 403),
        (&host.session_id, &stranger, 404),
        (&host.session_id, &other_agent, 404),
        (&host.session_id, &removed, 404),
        (&host.session_id, "nonsense", 401),
        (NOTHING, &host.member_token, 404),
        ("no-id", &host.member_token, 404),
    ] {
        let opening = open(&served, session).token(token);
        assert_eq!(opening.refusal().await, status, "{session} {token}");
    }
    assert_eq!(open(&served, &host.session_id).refusal().await, 401);
    let twice = open(&served, &host.session_id)
        .token(&host.member_token)
        .token(&host.member_token);
    assert_eq!(twice.refusal().await, 401);
}

#[tokio::test]
async fn a_request_for_no_websocket_is_told_so() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    for extra in [
        "",
        "connection: upgrade\r\nupgrade: h2c\r\n",
        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n",
        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 8\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ] {
        let mut wire = served.connect().await;
        let (session, token) = (&host.session_id, &host.member_token);
        let request = format!(
            "GET /{session}/events HTTP/1.1\r\nhost: gateway\r\n\
             authorization: Bearer {token}\r\n{extra}\r\n"
        );
        wire.send(request).await.unwrap();
        let answer = wire.answer().await.unwrap();
        answer.assert_error(426, "upgrade_required");
        assert_eq!(answer.header("upgrade"), "websocket");
        assert_eq!(answer.header("sec-websocket-version"), "13");
    }
}

#[tokio::test]
async fn a_page_of_a_stranger_opens_nothing() {
    let host = TestHost::builder()
        .set("server.allowed_origins", "https://inbox.example.com")
        .start()
        .await;
    let served = Served::start(&host).await;
    let from = |origin: &str| {
        open(&served, &host.session_id)
            .token(&host.member_token)
            .header("origin", origin)
    };
    let own = format!("http://{}", served.address);
    for origin in [own.as_str(), "https://inbox.example.com"] {
        from(origin).connect().await;
    }
    for origin in [
        "https://evil.example",
        "http://inbox.example.com",
        "http://127.0.0.1",
        "null",
        "",
    ] {
        assert_eq!(from(origin).refusal().await, 403, "{origin}");
    }
    let two = from(&own).header("origin", "https://evil.example");
    assert_eq!(two.refusal().await, 403);
}

#[tokio::test]
async fn streams_have_places_of_their_own() {
    let host = TestHost::builder()
        .set("server.max_connections", 1)
        .set("server.max_event_streams", 2)
        .start()
        .await;
    let served = Served::start(&host).await;
    let first = listen(&host, &served).await;
    let mut second = listen(&host, &served).await;
    let refused = open(&served, &host.session_id)
        .token(&host.member_token)
        .refused()
        .await;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "10");
    assert_eq!(host.gateway.events.count(), 2);
    let shown = host.operator("GET", "/metrics", Value::Null).await;
    assert!(
        shown.text.contains("portcullis_event_streams_open 2\n"),
        "{}",
        shown.text
    );

    first.leave().await;
    while host.gateway.events.count() == 2 {
        tokio::task::yield_now().await;
    }
    let mut third = listen(&host, &served).await;
    let run = run_at_once(&host).await;
    for client in [&mut second, &mut third] {
        client.expect("action_completed", &run).await;
    }
}

#[tokio::test]
async fn no_session_takes_all_the_places() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let mut open_ones = Vec::new();
    for _ in 0..64 {
        open_ones.push(listen(&host, &served).await);
    }
    let one_more = open(&served, &host.session_id).token(&host.member_token);
    assert_eq!(one_more.refusal().await, 503);
    let other = host.open_session(json!({})).await;
    let elsewhere = open(&served, &other).token(&host.member_token);
    elsewhere.connect().await;
}
