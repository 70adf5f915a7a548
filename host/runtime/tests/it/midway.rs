//! Calls that end in the middle of something, and floods that end at a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use portcullis_core::invocation::FailureCode;
use serde_json::json;

use crate::harness::{Answers, Expect as _, Guest, ok_response};

/// The probe, and how many of its requests have gone out.
async fn counted() -> (Guest, Arc<AtomicU32>) {
    let sent = Arc::new(AtomicU32::new(0));
    let guest = Guest::probe().await.outbound(Answers({
        let sent = Arc::clone(&sent);
        move |_| {
            sent.fetch_add(1, Ordering::SeqCst);
            Ok(ok_response("an answer"))
        }
    }));
    (guest, sent)
}

#[tokio::test]
async fn a_crash_between_requests_counts_what_was_sent() {
    for (after, how, requests, expected) in [
        ("send", "panic", 1, FailureCode::Trapped),
        ("send_all", "trap", 2, FailureCode::Trapped),
        ("log", "overflow", 0, FailureCode::Trapped),
        ("send", "exhaustion", 1, FailureCode::MemoryExceeded),
    ] {
        let (guest, sent) = counted().await;
        let params = json!({ "after": after, "how": how });
        let report = guest.call("crash_midway", params).await;
        assert_eq!(report.usage.http_requests, requests, "{after} {how}");
        // What would have followed has not.
        assert_eq!(sent.load(Ordering::SeqCst), requests, "{after} {how}");
        let (code, message) = report.stopped();
        assert_eq!(code, expected, "{message}");
        assert!(!message.contains("in the middle"), "{message}");
    }
}

#[tokio::test]
async fn a_flood_of_requests_ends_at_the_limit() {
    for (action, at_once) in [("request_flood", false), ("send_all_flood", true)] {
        let (guest, sent) = counted().await;
        let limit = guest.plugin.limits().http_requests;
        let expected = if at_once { 8 } else { limit };
        let report = guest.call(action, json!({ "requests": 1000 })).await;
        assert_eq!(report.usage.http_requests, expected);
        assert_eq!(sent.load(Ordering::SeqCst), expected);
        let refused = 1000 - expected;
        assert_eq!(
            report.completed(),
            json!({ "response": expected, "ErrorKind::TooManyRequests": refused })
        );
    }
}
