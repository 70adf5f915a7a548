//! What a client meets under each fault, and whether the request was carried out.

use std::time::Instant;

use futures_util::StreamExt;
use portcullis_upstreams::{FakeUpstream, Fault, linear::ids};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{TOKEN, ask, data, linear, post_fault, query};

const CREATE: &str = r"mutation($team: String!) {
    issueCreate(input: { teamId: $team, title: $team }) { success }
}";

async fn create(fake: &FakeUpstream) -> reqwest::Result<Response> {
    query(fake, CREATE, &json!({ "team": ids::TEAM_ENG }))
        .send()
        .await
}

/// How many issues the fake holds beyond those it started with.
async fn created(fake: &FakeUpstream) -> usize {
    let answer = data(fake, "{ issues { nodes { id } } }", Value::Null).await;
    answer["issues"]["nodes"].as_array().unwrap().len() - 8
}

#[tokio::test]
async fn slow_answers_after_the_delay_and_carries_out() {
    let fake = linear().await;
    fake.fault_for(Fault::Slow { delay_ms: 50 }, 1);
    let started = Instant::now();
    assert_eq!(create(&fake).await.unwrap().status(), StatusCode::OK);
    assert!(started.elapsed().as_millis() >= 50);
    assert_eq!(created(&fake).await, 1);
}

#[tokio::test]
async fn rate_limit_is_refused_in_linears_way() {
    let fake = linear().await;
    fake.fault_for(
        Fault::RateLimit {
            retry_after_seconds: 30,
        },
        1,
    );
    let response = create(&fake).await.unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(response.headers()["retry-after"], "30");
    assert_eq!(response.headers()["x-ratelimit-requests-remaining"], "0");
    assert!(
        response
            .headers()
            .contains_key("x-ratelimit-requests-reset")
    );
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "RATELIMITED");
    assert_eq!(created(&fake).await, 0);
}

#[tokio::test]
async fn status_answers_that_status_and_carries_nothing_out() {
    let fake = linear().await;
    fake.fault_for(Fault::Status { status: 503 }, 1);
    assert_eq!(
        create(&fake).await.unwrap().status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(created(&fake).await, 0);
}

#[tokio::test]
async fn garbage_is_an_ok_that_is_not_json() {
    let fake = linear().await;
    fake.fault_for(Fault::Garbage, 1);
    let response = create(&fake).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.json::<Value>().await.is_err());
    assert_eq!(created(&fake).await, 0);
}

#[tokio::test]
async fn huge_streams_exactly_that_many_bytes_of_json() {
    let fake = linear().await;
    for bytes in [2, 65_536, 65_538, 1_000_000] {
        fake.fault(Fault::Huge { bytes });
        let response = ask(&fake).await;
        assert_eq!(response.content_length(), None);
        let body = response.bytes().await.unwrap();
        assert_eq!(body.len() as u64, bytes);
        assert!(serde_json::from_slice::<String>(&body).is_ok());
    }
}

#[tokio::test]
async fn huge_can_be_left_after_the_first_bytes() {
    let fake = linear().await;
    fake.fault(Fault::Huge { bytes: u64::MAX });
    let mut body = ask(&fake).await.bytes_stream();
    assert!(!body.next().await.unwrap().unwrap().is_empty());
    drop(body);
    fake.reset_fault();
    assert_eq!(ask(&fake).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn redirect_names_the_other_place() {
    let fake = linear().await;
    let location = "http://169.254.169.254/".to_owned();
    fake.fault_for(
        Fault::Redirect {
            location: location.clone(),
        },
        1,
    );
    let response = create(&fake).await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(response.headers()["location"], location);
    assert_eq!(created(&fake).await, 0);
}

#[tokio::test]
async fn half_body_breaks_off_and_carries_out() {
    let fake = linear().await;
    fake.fault_for(Fault::HalfBody, 1);
    let response = create(&fake).await.unwrap();
    let announced = response.content_length().unwrap();
    let chunks: Vec<_> = response.bytes_stream().collect().await;
    let received: usize = chunks.iter().flatten().map(bytes::Bytes::len).sum();
    assert_eq!(received as u64, announced / 2);
    assert!(chunks.last().unwrap().is_err());
    assert_eq!(created(&fake).await, 1);
}

#[tokio::test]
async fn disconnect_gives_no_answer_and_carries_out() {
    let fake = linear().await;
    fake.fault_for(Fault::Disconnect, 1);
    assert!(create(&fake).await.is_err());
    assert_eq!(created(&fake).await, 1);
}

#[tokio::test]
async fn disconnect_before_gives_no_answer_and_carries_nothing_out() {
    let fake = linear().await;
    fake.fault_for(Fault::DisconnectBefore, 1);
    assert!(create(&fake).await.is_err());
    assert_eq!(fake.requests().len(), 1);
    assert_eq!(created(&fake).await, 0);
}

#[tokio::test]
async fn refusal_is_an_error_of_that_code_and_carries_nothing_out() {
    let fake = linear().await;
    let error = "FEATURE_NOT_ACCESSIBLE".to_owned();
    fake.fault_for(Fault::Refusal { error }, 1);
    let response = create(&fake).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = response.json().await.unwrap();
    let code = &body["errors"][0]["extensions"]["code"];
    assert_eq!(code, "FEATURE_NOT_ACCESSIBLE");
    assert_eq!(created(&fake).await, 0);
}

#[tokio::test]
async fn echo_adds_the_credential_to_every_text_and_carries_out() {
    let fake = linear().await;
    fake.fault_for(Fault::Echo, 1);
    let response = ask(&fake).await;
    assert_eq!(response.headers()["x-echo"], TOKEN);
    let body: Value = response.json().await.unwrap();
    let expected = format!("Ada Okafor {TOKEN}");
    assert_eq!(body["data"]["viewer"]["name"], expected);
    fake.fault_for(Fault::Echo, 1);
    create(&fake).await.unwrap();
    assert_eq!(created(&fake).await, 1);
}

#[tokio::test]
async fn hang_answers_only_after_the_reset() {
    let fake = linear().await;
    fake.fault_for(Fault::Hang, 1);
    let request = query(&fake, CREATE, &json!({ "team": ids::TEAM_ENG }));
    let hanging = tokio::spawn(request.send());
    fake.wait_for_requests(1).await;
    // The count is used up, so the next request goes through while the first still hangs.
    assert_eq!(created(&fake).await, 0);
    assert!(!hanging.is_finished());
    post_fault(&fake, json!({ "kind": "reset" })).await;
    assert_eq!(hanging.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(created(&fake).await, 1);
}

#[tokio::test]
async fn a_counted_fault_ends_by_itself_and_an_uncounted_one_by_reset() {
    let fake = linear().await;
    post_fault(
        &fake,
        json!({ "kind": "status", "status": 500, "count": 2 }),
    )
    .await;
    for expected in [500, 500, 200, 200] {
        assert_eq!(ask(&fake).await.status(), expected);
    }
    post_fault(&fake, json!({ "kind": "status", "status": 500 })).await;
    for _ in 0..3 {
        assert_eq!(ask(&fake).await.status(), 500);
    }
    post_fault(&fake, json!({ "kind": "reset" })).await;
    assert_eq!(ask(&fake).await.status(), 200);
}

#[tokio::test]
async fn requests_under_a_fault_are_recorded() {
    let fake = linear().await;
    fake.fault(Fault::Garbage);
    ask(&fake).await;
    assert_eq!(fake.requests().len(), 1);
}
