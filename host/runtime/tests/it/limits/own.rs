//! Limits that an operator gave one plugin.

use std::time::Duration;

use portcullis_core::invocation::FailureCode;
use portcullis_runtime::OwnLimits;
use serde_json::{Value, json};

use crate::harness::{Answers, Expect as _, Guest, Held, ok_response};

/// Longer than any test.
const FOREVER: Duration = Duration::from_mins(10);

/// The probe where this plugin has limits of its own.
async fn giving(id: &'static str, own: OwnLimits) -> Guest {
    Guest::probe_with(|config| {
        config.own_limits.insert(id.parse().unwrap(), own);
    })
    .await
}

/// The call must be stopped, and be told which key is its own.
async fn check_stops(own: OwnLimits, action: &str, params: Value, expected: (FailureCode, &str)) {
    let guest = giving("probe", own).await.outbound(Held::new());
    let (code, message) = guest.call(action, params).await.stopped();
    assert_eq!(code, expected.0, "{message}");
    let key = format!("plugins.limits.probe.{}", expected.1);
    assert!(message.contains(&key), "{message}");
}

fn get() -> Value {
    json!({ "endpoint": "api", "method": "GET", "path": "/" })
}

#[tokio::test]
async fn less_cpu_time_than_usual() {
    let own = OwnLimits {
        cpu_time: Some(Duration::from_millis(20)),
        ..OwnLimits::default()
    };
    let expected = (FailureCode::CpuExceeded, "cpu_time_ms");
    check_stops(own, "spin", json!({}), expected).await;
}

#[tokio::test]
async fn less_time_than_usual() {
    let own = OwnLimits {
        deadline: Some(Duration::from_millis(20)),
        ..OwnLimits::default()
    };
    let expected = (FailureCode::DeadlineExceeded, "deadline_ms");
    check_stops(own, "fetch", get(), expected).await;
}

#[tokio::test]
async fn a_shorter_result_than_usual() {
    let own = OwnLimits {
        result_bytes: Some(100),
        ..OwnLimits::default()
    };
    let guest = giving("probe", own.clone()).await;
    guest.result("huge_result", json!({ "bytes": 100 })).await;
    let expected = (FailureCode::TooLarge, "result_bytes");
    check_stops(own, "huge_result", json!({ "bytes": 101 }), expected).await;
}

#[tokio::test]
async fn fewer_requests_than_usual() {
    let own = OwnLimits {
        http_requests: Some(1),
        ..OwnLimits::default()
    };
    let guest = giving("probe", own).await;
    let guest = guest.outbound(Answers(|_| Ok(ok_response(""))));
    let params = json!({ "requests": [get(), get()] });
    let answers = guest.result("fetch_many", params).await;
    assert_eq!(answers[0]["response"]["status"], 200);
    let message = answers[1]["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("plugins.limits.probe.http_requests"),
        "{message}"
    );
}

/// More than the limits of the other plugins would allow.
#[tokio::test]
async fn more_than_usual() {
    let guest = Guest::probe_with(|config| {
        config.limits.deadline = Duration::from_millis(1_001);
        config.limits.result_bytes = 1;
        config.limits.http_requests = 0;
        let own = OwnLimits {
            deadline: Some(FOREVER),
            result_bytes: Some(1 << 20),
            http_requests: Some(1),
            ..OwnLimits::default()
        };
        config.own_limits.insert("probe".parse().unwrap(), own);
    });
    let guest = guest.await.outbound(Answers(|_| Ok(ok_response("yes"))));
    // Leaves more than a second of its own deadline, and not of the usual one.
    assert_eq!(guest.result("wait", json!(20)).await, true);
    let answer = guest.result("fetch", get()).await;
    assert_eq!(answer["response"]["body"], "yes");
}

/// It is the deadline that ends a guest which may compute for ever.
#[tokio::test]
async fn more_cpu_time_than_usual() {
    let guest = Guest::probe_with(|config| {
        config.limits.cpu_time = Duration::from_millis(20);
        let own = OwnLimits {
            cpu_time: Some(FOREVER),
            deadline: Some(Duration::from_millis(200)),
            ..OwnLimits::default()
        };
        config.own_limits.insert("probe".parse().unwrap(), own);
    });
    let code = guest.await.stop_code("spin", json!({})).await;
    assert_eq!(code, FailureCode::DeadlineExceeded);
}

#[tokio::test]
async fn what_one_plugin_has_another_has_not() {
    let own = OwnLimits {
        calls_per_plugin: Some(1),
        memory_bytes: Some(1 << 20),
        cpu_time: Some(Duration::from_millis(1)),
        deadline: Some(Duration::from_millis(1)),
        result_bytes: Some(1),
        http_requests: Some(0),
        max_request_body_bytes: Some(1),
        max_response_body_bytes: Some(1),
        max_response_wire_bytes: Some(1),
    };
    let (guest, usual) = tokio::join!(giving("other", own), Guest::probe());
    assert_eq!(guest.plugin.limits(), usual.plugin.limits());
    let usual = usual.plugin.egress().limits();
    assert_eq!(guest.plugin.egress().limits(), usual);
}

/// A plugin describes itself before anybody knows which it is.
#[tokio::test]
async fn describing_has_the_usual_limits() {
    let own = OwnLimits {
        cpu_time: Some(Duration::ZERO),
        result_bytes: Some(1),
        ..OwnLimits::default()
    };
    let guest = giving("probe", own).await;
    assert_eq!(guest.plugin.limits().cpu_time, Duration::ZERO);
}
