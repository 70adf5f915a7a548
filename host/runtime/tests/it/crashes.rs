//! Traps, and what is left after them: nothing.

use portcullis_core::invocation::FailureCode;
use portcullis_core::time::Timestamp;
use serde_json::json;

use crate::harness::{Expect as _, Guest};

#[tokio::test]
async fn a_trap_and_a_panic_are_told_as_such() {
    let guest = Guest::probe().await;
    for action in ["trap", "panic"] {
        let params = json!({ "secret": "words of the guest" });
        let (code, message) = guest.call(action, params).await.stopped();
        assert_eq!(code, FailureCode::Trapped, "{action}");
        assert_eq!(
            message,
            "the provider stopped abruptly, as programs do that panic"
        );
    }
}

#[tokio::test]
async fn a_guest_that_recurses_for_ever_runs_out_of_stack() {
    let guest = Guest::probe().await;
    assert_eq!(
        guest.result("recurse", json!({ "depth": 1000 })).await,
        1000
    );
    let (code, message) = guest.call("recurse", json!({})).await.stopped();
    assert_eq!(code, FailureCode::Trapped);
    assert_eq!(
        message,
        "the provider used up its 512 KiB of stack (sandbox.stack_bytes)"
    );
}

#[tokio::test]
async fn after_every_kind_of_end_the_next_call_works() {
    let guest = Guest::probe_with(|config| {
        config.concurrent_calls = 1;
        config.limits.cpu_time = std::time::Duration::from_millis(20);
    })
    .await;
    for (action, params) in [
        ("trap", json!({})),
        ("panic", json!({})),
        ("recurse", json!({})),
        ("spin", json!({})),
        ("allocate", json!({ "bytes": 100 << 20 })),
        ("huge_result", json!({ "bytes": 5 << 20 })),
        ("huge_log", json!({ "bytes": 7 << 20 })),
        ("text", json!({ "text": "no JSON" })),
    ] {
        guest.call(action, params).await.stopped();
        let params = json!({ "after": action });
        assert_eq!(guest.result("echo", params.clone()).await, params);
    }
}

#[tokio::test]
async fn nothing_survives_from_one_call_into_the_next() {
    let guest = Guest::probe_with(|config| config.concurrent_calls = 1).await;
    for _ in 0..3 {
        assert_eq!(guest.result("remember", json!({})).await, 1);
    }
}

#[tokio::test]
async fn an_action_that_does_not_exist_is_the_guests_to_refuse() {
    let guest = Guest::probe().await;
    let error = guest.call("no_such_action", json!({})).await.failed();
    assert_eq!(error.code, FailureCode::ProviderInternal);
}

#[tokio::test]
async fn a_defect_of_the_host_ends_its_call_and_no_other() {
    let guest = Guest::probe().await;
    let broken = guest.clone().clock(|| -> Timestamp { panic!("no time") });
    let (code, message) = broken.call("now", json!({})).await.stopped();
    assert_eq!(code, FailureCode::Internal);
    assert!(!message.contains("no time"), "{message}");
    guest.result("now", json!({})).await;
}
