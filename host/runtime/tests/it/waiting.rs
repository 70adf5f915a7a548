//! Guests that wait for time to pass.

use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_core::invocation::FailureCode;
use portcullis_core::time::Timestamp;
use portcullis_runtime::{CallReport, SandboxConfig};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::harness::{Expect as _, Guest, NOW_MICROS};

#[tokio::test]
async fn a_wait_takes_the_time_it_was_asked_to() {
    let guest = Guest::probe().await;
    let began = Instant::now();
    assert_eq!(guest.result("wait", json!(20)).await, true);
    assert!(began.elapsed() >= Duration::from_millis(20));
    assert_eq!(guest.result("wait", json!(0)).await, true);
}

/// Each of them would take longer than the test otherwise.
#[tokio::test]
async fn a_wait_that_leaves_less_than_a_second_of_the_call_is_refused_at_once() {
    let guest = Guest::probe_with(|config| config.limits.deadline = Duration::from_mins(10)).await;
    for milliseconds in [599_001, 600_000, u32::MAX] {
        assert_eq!(guest.result("wait", json!(milliseconds)).await, false);
    }
    let hasty = Guest::probe_with(|config| config.limits.deadline = Duration::from_millis(900));
    assert_eq!(hasty.await.result("wait", json!(0)).await, false);
}

/// The other guest uses up its time on the only thread meanwhile. If the wait
/// were counted, this one would have to pay for the other.
#[tokio::test]
async fn waiting_costs_no_cpu_time() {
    const LIMIT: Duration = Duration::from_millis(50);
    let (guest, waiting) = waiting(200, |config| config.limits.cpu_time = LIMIT).await;
    let code = guest.stop_code("spin", json!({})).await;
    assert_eq!(code, FailureCode::CpuExceeded);
    let report = waiting.await.unwrap();
    assert!(report.usage.cpu_time < LIMIT, "{:?}", report.usage);
    assert_eq!(report.completed(), true);
}

#[tokio::test]
async fn a_waiting_call_that_is_given_up_leaves_its_place() {
    let (guest, waiting) = waiting(500_000, |config| {
        config.concurrent_calls = 1;
        config.queue_timeout = Duration::from_mins(1);
        config.limits.deadline = Duration::from_mins(10);
    })
    .await;
    waiting.abort();
    guest.result("echo", json!({})).await;
}

/// A guest, and a call of it that waits.
async fn waiting(
    milliseconds: u32,
    change: impl FnOnce(&mut SandboxConfig),
) -> (Guest, JoinHandle<CallReport>) {
    let begun = Arc::new(Notify::new());
    let guest = Guest::probe_with(change).await.clock({
        let begun = Arc::clone(&begun);
        move || {
            begun.notify_one();
            Timestamp::from_micros(NOW_MICROS)
        }
    });
    let call = tokio::spawn({
        let guest = guest.clone();
        async move { guest.call("wait", Value::from(milliseconds)).await }
    });
    begun.notified().await;
    (guest, call)
}
