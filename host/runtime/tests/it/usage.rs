//! What a call is told to have used, and how busy the sandbox says it is.

use std::time::{Duration, Instant};

use portcullis_core::invocation::FailureCode;
use portcullis_runtime::SandboxLoad;
use serde_json::json;

use crate::harness::{Expect as _, Guest, Held, Silence};

#[tokio::test]
async fn waiting_for_a_place_and_for_upstreams_is_told_apart() {
    let held = Held::new();
    let guest = Guest::with_one_place(Duration::from_mins(1), &held).await;
    assert_eq!(guest.sandbox.load().in_use, 0);
    let first = guest.fetch();
    held.arrivals(1).await;
    let arrived = Instant::now();
    let second = guest.fetch();
    guest.until(|load| load.waiting == 1).await;
    assert_eq!(
        guest.sandbox.load(),
        SandboxLoad {
            places: 1,
            in_use: 1,
            waiting: 1,
            queue_timeouts: 0,
            queue_overflows: 0
        }
    );
    let waited = arrived.elapsed();
    held.release(1);
    let first = first.await.unwrap();
    assert!(first.usage.upstream_time >= waited, "{:?}", first.usage);
    assert!(!first.usage.instantiate_time.is_zero());
    held.arrivals(1).await;
    held.release(1);
    let second = second.await.unwrap();
    assert!(!second.usage.queue_time.is_zero());
    assert!(second.usage.queue_time >= first.usage.queue_time);
    first.completed();
    second.completed();
    assert_eq!(guest.sandbox.load().waiting, 0);
}

#[tokio::test]
async fn a_wait_that_the_deadline_ends_counts() {
    let deadline = Duration::from_millis(200);
    let guest = Guest::probe_with(|config| config.limits.deadline = deadline)
        .await
        .outbound(Silence);
    let report = guest.fetch().await.unwrap();
    assert!(!report.usage.upstream_time.is_zero(), "{:?}", report.usage);
    assert_eq!(
        report.outcome.as_str(),
        FailureCode::DeadlineExceeded.as_str()
    );
}

#[tokio::test]
async fn a_call_that_finds_no_place_is_counted() {
    let held = Held::new();
    let guest = Guest::with_one_place(Duration::ZERO, &held).await;
    let first = guest.fetch();
    held.arrivals(1).await;
    assert_eq!(guest.stop_code("echo", json!({})).await, FailureCode::Busy);
    assert_eq!(guest.sandbox.load().queue_timeouts, 1);
    held.release(1);
    first.await.unwrap().completed();
}
