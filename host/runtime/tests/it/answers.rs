//! What becomes of a guest's answers.

use portcullis_core::invocation::FailureCode;
use serde_json::{Value, json};

use crate::harness::{Expect as _, Guest, KEY, NOW_MICROS};

#[tokio::test]
async fn a_result_comes_back_as_it_was_made() {
    let guest = Guest::probe().await;
    let params = json!({ "b": [1, 2.5, null], "a": "é\u{0}\u{1F980}", "": { "nested": true } });
    assert_eq!(guest.result("echo", params.clone()).await, params);
    // The order of keys is the guest's.
    let echoed = guest.result("echo", params.clone()).await.to_string();
    assert_eq!(echoed, params.to_string());
}

#[tokio::test]
async fn a_result_may_be_large() {
    let guest = Guest::probe().await;
    let params = json!({ "count": 2_000, "row": { "text": "x".repeat(1_000) } });
    let result = guest.result("rows", params).await;
    assert_eq!(result["rows"][1_999]["key"], "row 1999 of 2000");
}

#[tokio::test]
async fn a_guest_is_told_the_time_and_the_idempotency_key() {
    let guest = Guest::probe().await;
    assert_eq!(guest.result("now", json!({})).await, json!(NOW_MICROS));
    assert_eq!(guest.result("key", json!({})).await, json!(KEY));
}

#[tokio::test]
async fn a_result_that_is_not_json_is_the_providers_fault() {
    let guest = Guest::probe().await;
    for text in ["", "not json", "{", "{} {}", "NaN", "\"\u{1}\"", "'a'"] {
        let (code, message) = guest.call("text", json!({ "text": text })).await.stopped();
        assert_eq!(code, FailureCode::ProviderInternal, "{text:?}");
        assert!(message.contains("not valid JSON"), "{message}");
        assert!(text.len() < 3 || !message.contains(text), "{message}");
    }
}

#[tokio::test]
async fn what_the_standard_leaves_open_has_one_outcome() {
    let guest = Guest::probe().await;
    for (text, written) in [
        (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
        ("[-0,-0.0]", "[-0.0,-0.0]"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "1.8446744073709552e+19"),
        (r#""\u0000""#, r#""\u0000""#),
        (r#""\ud83d\ude00""#, "\"😀\""),
    ] {
        let result = guest.result("text", json!({ "text": text })).await;
        assert_eq!(result.to_string(), written, "{text}");
    }
    for text in [
        "1e400",
        "-1e400",
        r#""\ud800""#,
        r#"{"\udc00":1}"#,
        "\"\u{0}\"",
        "[1,]",
    ] {
        let (code, message) = guest.call("text", json!({ "text": text })).await.stopped();
        assert_eq!(code, FailureCode::ProviderInternal, "{text:?}");
        assert!(message.contains("not valid JSON"), "{message}");
    }
}

#[tokio::test]
async fn a_result_may_be_nested_so_deep_and_no_deeper() {
    let guest = Guest::probe().await;
    let nested = |arrays: usize| json!({ "text": "[".repeat(arrays) + &"]".repeat(arrays) });
    let result = guest.result("text", nested(120)).await;
    assert_eq!(depth(&result), 120);
    for levels in [121, 127, 128] {
        let code = guest.stop_code("text", nested(levels)).await;
        assert_eq!(code, FailureCode::ProviderInternal);
    }
    // Deep enough to end any parser's stack that knows no limit.
    let code = guest.stop_code("text", nested(1_000_000)).await;
    assert_eq!(code, FailureCode::ProviderInternal);
}

fn depth(mut value: &Value) -> usize {
    let mut depth = 1;
    while let Some(inner) = value.get(0) {
        value = inner;
        depth += 1;
    }
    depth
}

#[tokio::test]
async fn every_error_code_has_its_failure_code() {
    let guest = Guest::probe().await;
    for (code, expected) in [
        ("invalid-params", FailureCode::InvalidParams),
        ("unauthorized", FailureCode::Unauthorized),
        ("forbidden", FailureCode::Forbidden),
        ("not-found", FailureCode::NotFound),
        ("conflict", FailureCode::Conflict),
        ("rate-limited", FailureCode::RateLimited),
        ("upstream", FailureCode::Upstream),
        ("timeout", FailureCode::Timeout),
        ("denied-egress", FailureCode::DeniedEgress),
        ("connection-missing", FailureCode::ConnectionMissing),
        ("internal", FailureCode::ProviderInternal),
    ] {
        let params = json!({ "code": code, "message": "why", "retryable": false });
        let error = guest.call("fail", params).await.failed();
        assert_eq!(error.code, expected, "{code}");
    }
}

#[tokio::test]
async fn an_error_keeps_its_words_and_its_advice() {
    let guest = Guest::probe().await;
    for (retryable, retry_after_ms) in [(true, Some(1500)), (true, None), (false, Some(u64::MAX))] {
        let params = json!({
            "code": "rate-limited",
            "message": "Too fast.\nWait.",
            "retryable": retryable,
            "retry_after_ms": retry_after_ms,
        });
        let error = guest.call("fail", params).await.failed();
        assert_eq!(error.message, "Too fast.\nWait.");
        assert_eq!(error.retryable, retryable);
        assert_eq!(error.retry_after_ms, retry_after_ms);
    }
}

async fn message_of(guest: &Guest, message: &str) -> String {
    let params = json!({ "code": "upstream", "message": message, "retryable": false });
    guest.call("fail", params).await.failed().message
}

#[tokio::test]
async fn an_error_cannot_steer_a_terminal() {
    let guest = Guest::probe().await;
    let message = message_of(&guest, "\u{1b}[2Jgone\u{7}\u{9b}1m\r\n\tnext\u{0}").await;
    assert_eq!(message, "[2Jgone1m\n\tnext");
}

#[tokio::test]
async fn an_error_is_cut_at_4_kib_between_characters() {
    let guest = Guest::probe().await;
    let fits = "x".repeat(4096);
    assert_eq!(message_of(&guest, &fits).await, fits);
    // The last character has two bytes, and the first of them is byte 4096.
    let straddles = format!("{}é", "x".repeat(4095));
    assert_eq!(message_of(&guest, &straddles).await, "x".repeat(4095));
}

#[tokio::test]
async fn an_error_contains_no_secret() {
    let secret = "sk_live_0123456789";
    let guest = Guest::probe().await.secret(secret);
    let message = message_of(&guest, &format!("The token {secret} was refused.")).await;
    assert_eq!(message, "The token [REDACTED] was refused.");
    // Half of it would be left if it were cut first.
    let at_the_cut = format!("{}{secret}", "x".repeat(4090));
    assert_eq!(
        message_of(&guest, &at_the_cut).await,
        format!("{}[REDAC", "x".repeat(4090))
    );
}
