//! How much may cross the boundary.

use portcullis_core::invocation::FailureCode;
use portcullis_runtime::SandboxConfig;
use serde_json::json;

use crate::harness::{Expect as _, Guest};

const HOST_CALL: usize = 64 << 10;
const RESULT: usize = 32 << 10;

fn small(config: &mut SandboxConfig) {
    config.limits.host_call_bytes = HOST_CALL;
    config.limits.result_bytes = RESULT;
}

#[tokio::test]
async fn a_result_has_its_limit() {
    let guest = Guest::probe_with(small).await;
    let fits = guest
        .result("huge_result", json!({ "bytes": RESULT }))
        .await;
    assert_eq!(fits.to_string().len(), RESULT);
    let (code, message) = guest
        .call("huge_result", json!({ "bytes": RESULT + 1 }))
        .await
        .stopped();
    assert_eq!(code, FailureCode::TooLarge);
    assert!(
        message.contains("32769 bytes; the limit is 32768"),
        "{message}"
    );
}

/// This is how we notice when wasmtime words its error differently.
#[tokio::test]
async fn a_result_beyond_what_a_host_call_takes_is_too_large_as_well() {
    let guest = Guest::probe_with(small).await;
    let code = guest
        .stop_code("huge_result", json!({ "bytes": HOST_CALL + 1 }))
        .await;
    assert_eq!(code, FailureCode::TooLarge);
}

#[tokio::test]
async fn a_host_call_has_its_limit() {
    let guest = Guest::probe_with(small).await;
    guest
        .result("huge_log", json!({ "bytes": HOST_CALL }))
        .await;
    let (code, message) = guest
        .call("huge_log", json!({ "bytes": HOST_CALL + 1 }))
        .await
        .stopped();
    assert_eq!(code, FailureCode::TooLarge);
    assert!(message.contains("65536 bytes"), "{message}");
}

#[tokio::test]
async fn each_host_call_has_the_limit_to_itself() {
    let guest = Guest::probe_with(small).await;
    let params = json!({ "line": "x".repeat(HOST_CALL / 2), "times": 10 });
    guest.result("log_flood", params).await;
}
