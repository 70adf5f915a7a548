//! The wall-clock deadline of a call.

use std::time::Duration;

use portcullis_core::invocation::FailureCode;
use serde_json::json;

use crate::harness::{Ending, Expect as _, Guest, Held};

const DEADLINE: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_call_that_waits_too_long_is_stopped_with_its_request() {
    let held = Held::new();
    let guest = Guest::probe_with(|config| config.limits.deadline = DEADLINE)
        .await
        .outbound(held.clone());
    let get = json!({ "endpoint": "api", "method": "GET", "path": "/" });
    let (code, message) = guest.call("fetch", get).await.stopped();
    assert_eq!(code, FailureCode::DeadlineExceeded);
    assert!(message.contains("100 ms"), "{message}");
    assert!(message.contains("whether the upstream acted is unknown"));
    assert_eq!(held.ending().await, Ending::Dropped);
}

#[tokio::test]
async fn a_call_that_computes_too_long_is_stopped_though_it_has_cpu_time_left() {
    let guest = Guest::probe_with(|config| {
        config.limits.cpu_time = Duration::from_mins(10);
        config.limits.deadline = DEADLINE;
    })
    .await;
    let code = guest.stop_code("spin", json!({})).await;
    assert_eq!(code, FailureCode::DeadlineExceeded);
}
