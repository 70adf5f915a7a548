//! CPU time: who pays for what, and who is kept waiting.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_core::invocation::FailureCode;
use portcullis_core::time::Timestamp;
use serde_json::json;

use crate::harness::{Answers, Expect as _, Guest, Held, ok_response};

const LIMIT: Duration = Duration::from_millis(50);

/// Longer than any test.
const FOREVER: Duration = Duration::from_mins(10);

#[tokio::test]
async fn a_guest_that_computes_for_ever_is_stopped_at_its_cpu_limit() {
    let guest = Guest::probe_with(|config| config.limits.cpu_time = LIMIT).await;
    let report = guest.call("spin", json!({})).await;
    let used = report.usage.cpu_time;
    let (code, message) = report.stopped();
    assert_eq!(code, FailureCode::CpuExceeded);
    assert!(message.contains("50 ms of CPU time"), "{message}");
    assert!(used >= LIMIT, "{used:?}");
}

#[tokio::test]
async fn host_calls_and_waiting_give_no_fresh_cpu_time() {
    let guest = Guest::probe_with(|config| config.limits.cpu_time = LIMIT)
        .await
        .outbound(Answers(|_| Ok(ok_response(""))));
    let code = guest.stop_code("spin_with_host_calls", get()).await;
    assert_eq!(code, FailureCode::CpuExceeded);
}

#[tokio::test]
async fn a_call_below_the_limit_is_told_what_it_used() {
    let guest = Guest::probe().await;
    let report = guest.call("echo", json!({})).await;
    let (used, memory) = (report.usage.cpu_time, report.usage.memory_bytes);
    report.completed();
    assert!(
        used > Duration::ZERO && used < Duration::from_secs(2),
        "{used:?}"
    );
    assert!(memory >= 64 << 10, "{memory}");
}

/// The other guest uses up its time on the only thread while this one waits. If
/// the wait were counted, this one would have to pay for the other.
#[tokio::test]
async fn waiting_for_http_costs_no_cpu_time() {
    let held = Held::new();
    let guest = Guest::probe_with(|config| config.limits.cpu_time = LIMIT)
        .await
        .outbound(held.clone());
    for (action, params) in [
        ("fetch", get()),
        ("fetch_many", json!({ "requests": [get()] })),
    ] {
        let waiting = tokio::spawn({
            let guest = guest.clone();
            async move { guest.call(action, params).await }
        });
        held.arrivals(1).await;
        let code = guest.stop_code("spin", json!({})).await;
        assert_eq!(code, FailureCode::CpuExceeded);
        held.release(1);
        let report = waiting.await.unwrap();
        assert!(report.usage.cpu_time < LIMIT, "{:?}", report.usage);
        report.completed();
    }
}

fn get() -> serde_json::Value {
    json!({ "endpoint": "api", "method": "GET", "path": "/" })
}

#[tokio::test]
async fn a_guest_that_computes_lets_others_run() {
    let guest = Guest::probe_with(|config| {
        config.limits.cpu_time = FOREVER;
        config.limits.deadline = FOREVER;
    })
    .await;
    let spinning = tokio::spawn({
        let guest = guest.clone();
        async move { guest.call("spin", json!({})).await }
    });
    // The spinning guest is first in the queue of the only thread.
    tokio::task::yield_now().await;
    for round in 0..3 {
        assert_eq!(guest.result("echo", json!(round)).await, json!(round));
    }
    assert!(!spinning.is_finished());
    spinning.abort();
}

#[tokio::test]
async fn guests_have_threads_of_their_own_and_requests_run_elsewhere() {
    let threads = Arc::new(Mutex::new(Vec::new()));
    let note = {
        let threads = Arc::clone(&threads);
        move |what| {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            threads.lock().unwrap().push((what, name == "guest"));
        }
    };
    let guest = Guest::probe()
        .await
        .clock({
            let note = note.clone();
            move || {
                note("clock");
                Timestamp::from_micros(0)
            }
        })
        .outbound(Answers(move |_| {
            note("request");
            Ok(ok_response(""))
        }));
    guest.result("now", json!({})).await;
    guest.result("fetch", get()).await;
    assert_eq!(
        *threads.lock().unwrap(),
        [("clock", true), ("request", false)]
    );
}
