//! Calls of a version that another has replaced.

use std::sync::Arc;

use portcullis_core::invocation::FailureCode;
use portcullis_core::time::Timestamp;
use serde_json::json;
use tokio::sync::Notify;

use crate::harness::{Expect as _, Guest, NOW_MICROS};

#[tokio::test]
async fn a_version_counts_its_calls() {
    let guest = Guest::probe().await;
    let expected = json!({ "before": "edition: first", "after": "edition: first" });
    assert_eq!(
        guest.result("edition", json!({ "wait": 1 })).await,
        expected
    );
    assert_eq!(guest.plugin.running_calls(), 0);
}

#[tokio::test]
async fn calls_that_are_ended_leave_their_places() {
    let begun = Arc::new(Notify::new());
    let guest = Guest::probe_with(|config| config.concurrent_calls = 1)
        .await
        .clock({
            let begun = Arc::clone(&begun);
            move || {
                begun.notify_one();
                Timestamp::from_micros(NOW_MICROS)
            }
        });
    let waiting = tokio::spawn({
        let guest = guest.clone();
        async move { guest.call("edition", json!({ "wait": 20_000 })).await }
    });
    begun.notified().await;
    assert_eq!(guest.plugin.running_calls(), 1);
    guest.plugin.end_calls();
    let (code, message) = waiting.await.unwrap().stopped();
    assert_eq!(code, FailureCode::DeadlineExceeded);
    assert!(message.contains("plugins.drain_seconds"), "{message}");
    assert_eq!(guest.plugin.running_calls(), 0);
    // For good: one that was admitted before and begins now has had its time.
    let late = guest.call("echo", json!({})).await;
    assert_eq!(late.stopped().0, FailureCode::DeadlineExceeded);
}

#[tokio::test]
async fn a_version_is_kept_by_those_who_use_it() {
    let guest = Guest::probe().await;
    let weak = guest.plugin.downgrade();
    assert!(weak.upgrade().is_some());
    drop(guest);
    assert!(weak.upgrade().is_none());
}
