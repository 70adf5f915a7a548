//! Tickets: what a browser sends instead of a token.

use std::time::Duration;

use futures_util::future::join_all;
use portcullis::actions::upkeep::sweep;
use portcullis_tests::{MEMBER, ORG, Served, TestHost, TestHostBuilder};
use serde_json::{Value, json};

use super::client::{Opening, open};
use super::run_at_once;

async fn ticket(host: &TestHost) -> String {
    let path = format!("/{}/events/ticket", host.session_id);
    let token = &host.member_token;
    let given = host.request("POST", &path, token, Value::Null).await;
    given.assert_status(200);
    given.text_field("ticket")
}

/// How many are kept.
async fn kept(host: &TestHost) -> usize {
    let dump = host.dump().await;
    let digests = dump.iter();
    digests
        .filter(|(place, _)| place == "event_tickets.digest")
        .count()
}

async fn a_ticket_opens_one_stream(builder: TestHostBuilder) {
    let host = builder.start().await;
    let served = Served::start(&host).await;
    let ticket = ticket(&host).await;
    let opening = || open(&served, &host.session_id).ticket(&ticket);
    let mut client = opening().connect().await;
    let selected = client.answer.headers()["sec-websocket-protocol"].to_str();
    let expected = format!("portcullis.ticket.{ticket}");
    assert_eq!(selected.unwrap(), expected);
    let run = run_at_once(&host).await;
    client.expect("action_completed", &run).await;
    for _ in 0..2 {
        assert_eq!(opening().refusal().await, 401);
    }
}

async fn a_ticket_is_good_for_half_a_minute(builder: TestHostBuilder) {
    let host = builder.start().await;
    let served = Served::start(&host).await;
    let tickets = [ticket(&host).await, ticket(&host).await];
    assert_eq!(kept(&host).await, 2);
    host.clock.advance(Duration::from_micros(29_999_999));
    let opening = open(&served, &host.session_id).ticket(&tickets[0]);
    opening.connect().await;
    host.clock.advance(Duration::from_micros(1));
    let opening = open(&served, &host.session_id).ticket(&tickets[1]);
    assert_eq!(opening.refusal().await, 401);
    sweep(&host.gateway).await.unwrap();
    assert_eq!(kept(&host).await, 0);
}

on_both! {
    a_ticket_opens_one_stream,
    a_ticket_is_good_for_half_a_minute,
}

#[tokio::test]
async fn whatever_is_wrong_with_a_ticket_the_answer_is_the_same() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let other = host.open_session(json!({})).await;
    let mut answers = Vec::new();
    let mut refuse = async |opening: Opening| {
        let refused = opening.refused().await;
        let body = refused.body().clone().unwrap_or_default();
        let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
        body["error"]["requestId"] = Value::Null;
        answers.push((refused.status(), body));
    };
    let session = host.session_id.as_str();
    refuse(open(&served, session).ticket("")).await;
    refuse(open(&served, session).ticket(&"a".repeat(64))).await;
    refuse(open(&served, session).ticket(&"a".repeat(5_000))).await;
    refuse(open(&served, &other).ticket(&ticket(&host).await)).await;
    refuse(open(&served, "no-id").ticket(&ticket(&host).await)).await;
    let upper = ticket(&host).await.to_uppercase();
    refuse(open(&served, session).ticket(&upper)).await;
    let (first, second) = (ticket(&host).await, ticket(&host).await);
    refuse(open(&served, session).ticket(&first).ticket(&second)).await;
    let with_token = open(&served, session).ticket(&first);
    refuse(with_token.token(&host.member_token)).await;
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
        assert_eq!(answer.0, 401);
    }
    // Those were not used up.
    open(&served, session).ticket(&first).connect().await;
}

#[tokio::test]
async fn a_ticket_is_worth_what_its_holder_may() {
    let host = TestHost::start().await;
    let served = Served::start(&host).await;
    let ticket = ticket(&host).await;
    let path = format!("/v1/orgs/{ORG}/members/{MEMBER}");
    let removed = host.operator("DELETE", &path, Value::Null).await;
    removed.assert_status(204);
    let opening = open(&served, &host.session_id).ticket(&ticket);
    assert_eq!(opening.refusal().await, 404);
}

#[tokio::test]
async fn tickets_are_for_people_who_may_look_into_the_session() {
    let host = TestHost::start().await;
    let stranger = host.other_organization("globex").await;
    let path = format!("/{}/events/ticket", host.session_id);
    for (token, status, code) in [
        (host.sandbox_token.as_str(), 403, "forbidden"),
        (portcullis_tests::OPERATOR_KEY, 403, "forbidden"),
        (&stranger, 404, "not_found"),
        ("", 401, "unauthorized"),
    ] {
        let refused = host.request("POST", &path, token, Value::Null).await;
        refused.assert_error(status, code);
    }
}

#[tokio::test]
async fn a_ticket_is_not_kept_as_it_is() {
    let host = TestHost::start().await;
    let ticket = ticket(&host).await;
    assert_eq!(kept(&host).await, 1);
    let ticket = ticket.as_bytes();
    for (place, value) in host.dump().await {
        let is_in = value.windows(ticket.len()).any(|part| part == ticket);
        assert!(!is_in, "{place}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_with_one_ticket_one_listens() {
    let Some(builder) = TestHost::builder().postgres().await else {
        return;
    };
    let first = builder.start().await;
    let second = first.second_gateway().await;
    let served = [Served::start(&first).await, Served::start(&second).await];
    let ticket = ticket(&first).await;
    let opening = served.iter().cycle().take(16).map(|served| {
        let opening = open(served, &first.session_id).ticket(&ticket);
        opening.try_connect()
    });
    let opened = join_all(opening).await;
    assert_eq!(opened.iter().filter(|opened| opened.is_ok()).count(), 1);
}
