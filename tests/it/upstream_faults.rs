//! A provider that misbehaves costs the call that met it, and nothing else.

use portcullis_tests::{Answer, LINEAR_TOKEN, TestHost};
use portcullis_upstreams::Fault;
use serde_json::{Value, json};

/// Meets a fault that lasts, checks that answer and row tell the same, and that
/// the next call works once it is over.
async fn meet(host: &TestHost, fault: Fault, status: u16, code: &str) -> Answer {
    host.upstreams.linear.fault(fault);
    let answer = host.invoke("list_issues", json!({ "first": 1 })).await;
    check_failed(host, &answer, status, code).await;
    host.upstreams.linear.reset_fault();
    host.invoke("list_issues", json!({ "first": 1 }))
        .await
        .assert_status(200);
    answer
}

async fn check_failed(host: &TestHost, answer: &Answer, status: u16, code: &str) {
    answer.assert_error(status, code);
    assert!(!answer.text.contains(LINEAR_TOKEN), "{}", answer.text);
    let invocation = &answer.json["invocation"];
    assert_eq!(invocation["status"], "failed");
    assert_eq!(invocation["error"]["code"], code);
    assert_eq!(
        invocation["error"]["message"],
        answer.json["error"]["message"]
    );
    assert!(!invocation["completedAt"].is_null());
    let mut recorded = host.recorded(answer).await;
    let result = recorded.as_object_mut().unwrap().remove("result");
    assert_eq!(result, Some(Value::Null));
    assert_eq!(recorded, *invocation);
}

#[tokio::test]
async fn a_rate_limit_is_told_with_the_time_to_wait() {
    let host = TestHost::start().await;
    let fault = Fault::RateLimit {
        retry_after_seconds: 37,
    };
    let answer = meet(&host, fault, 502, "rate_limited").await;
    assert!(answer.message().contains("37 s"), "{}", answer.text);
    // The call has no 37 s, so it is not even tried. The other one works.
    assert_eq!(host.upstreams.linear.requests().len(), 1 + 1);
}

#[tokio::test]
async fn an_outage_of_the_upstream_is_told_after_three_requests() {
    let host = TestHost::start().await;
    let answer = meet(&host, Fault::Status { status: 503 }, 502, "upstream").await;
    assert!(answer.message().contains("503"), "{}", answer.text);
    assert_eq!(host.upstreams.linear.requests().len(), 3 + 1);
}

#[tokio::test]
async fn a_read_survives_an_upstream_that_is_busy_for_a_moment() {
    let host = TestHost::start().await;
    for fault in momentary() {
        let before = host.upstreams.linear.requests().len();
        host.upstreams.linear.fault_for(fault.clone(), 1);
        host.invoke("list_issues", json!({ "first": 1 }))
            .await
            .assert_status(200);
        let sent = host.upstreams.linear.requests().len() - before;
        assert_eq!(sent, 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_write_is_sent_once_however_short_an_upstream_is_busy() {
    let host = TestHost::start().await;
    host.set_mode("add_comment", "allow").await;
    for (sent, fault) in (1..).zip(momentary()) {
        host.upstreams.linear.fault_for(fault.clone(), 1);
        let params = json!({ "issueId": "ENG-1", "body": "Written once" });
        let answer = host.invoke("add_comment", params).await;
        answer.assert_status(502);
        let requests = host.upstreams.linear.requests();
        assert_eq!(requests.len(), sent, "{fault:?}");
    }
}

/// What an upstream answers that would answer the next request.
fn momentary() -> [Fault; 3] {
    [
        Fault::RateLimit {
            retry_after_seconds: 0,
        },
        Fault::Status { status: 429 },
        Fault::Status { status: 503 },
    ]
}

#[tokio::test]
async fn garbage_is_the_upstreams_fault() {
    let host = TestHost::start().await;
    meet(&host, Fault::Garbage, 502, "upstream").await;
}

#[tokio::test]
async fn fifty_megabytes_are_not_read() {
    let host = TestHost::start().await;
    let fault = Fault::Huge { bytes: 50 << 20 };
    let answer = meet(&host, fault, 502, "upstream").await;
    assert!(
        answer.message().contains("8388608 bytes"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_redirect_to_the_metadata_service_is_not_followed() {
    let host = TestHost::start().await;
    let fault = Fault::Redirect {
        location: "http://169.254.169.254/latest/meta-data/".to_owned(),
    };
    meet(&host, fault, 502, "upstream").await;
}

#[tokio::test]
async fn a_redirect_to_the_same_place_is_not_followed_either() {
    let host = TestHost::start().await;
    let fault = Fault::Redirect {
        location: format!("{}/graphql", host.upstreams.linear.url()),
    };
    meet(&host, fault, 502, "upstream").await;
    // One request of the call that met it, one of the call after it.
    assert_eq!(host.upstreams.linear.requests().len(), 2);
}

#[tokio::test]
async fn half_an_answer_is_no_answer() {
    let host = TestHost::start().await;
    meet(&host, Fault::HalfBody, 502, "upstream").await;
}

#[tokio::test]
async fn a_broken_connection_is_told_and_nothing_is_repeated() {
    let host = TestHost::start().await;
    meet(&host, Fault::Disconnect, 502, "upstream").await;
    assert_eq!(host.upstreams.linear.requests().len(), 2);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_not_sent_again() {
    let host = TestHost::start().await;
    host.set_mode("add_comment", "allow").await;
    for (sent, fault) in [(1, Fault::Disconnect), (2, Fault::HalfBody)] {
        host.upstreams.linear.fault_for(fault, 1);
        let params = json!({ "issueId": "ENG-1", "body": "Written once" });
        let answer = host.invoke("add_comment", params).await;
        check_failed(&host, &answer, 502, "upstream").await;
        assert_eq!(host.upstreams.linear.requests().len(), sent);
    }
}

#[tokio::test]
async fn an_upstream_that_never_answers_meets_the_deadline() {
    let host = TestHost::builder()
        .set("sandbox.deadline_ms", 400)
        .start()
        .await;
    host.upstreams.linear.fault(Fault::Hang);
    let answer = host.invoke("list_issues", json!({})).await;
    check_failed(&host, &answer, 504, "deadline_exceeded").await;
}

#[tokio::test]
async fn a_loopback_address_without_a_grant_is_not_contacted() {
    let host = TestHost::builder().without_grant().start().await;
    let answer = host.invoke("list_issues", json!({})).await;
    check_failed(&host, &answer, 502, "denied_egress").await;
    assert_eq!(host.upstreams.linear.requests().len(), 0);
}

#[tokio::test]
async fn a_wrong_credential_is_told_without_being_shown() {
    let mut host = TestHost::start().await;
    let wrong = "lin_api_wrong_0123456789abcdef";
    host.connection_id = host
        .connect(json!({ "credential": { "type": "token", "token": wrong } }))
        .await;
    host.enter_new_session(json!({})).await;
    let answer = host.invoke("list_issues", json!({})).await;
    answer.assert_error(502, "unauthorized");
    assert!(!answer.text.contains(wrong));
    assert!(!host.upstreams.linear.requests()[0].authorized);
}
