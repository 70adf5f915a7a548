//! What JSON leaves open, and what is only almost JSON, from guests and agents.

use axum::http::{Request, header};
use portcullis_tests::{Answer, TestHost, TestHostBuilder};
use serde_json::{Value, json};

use crate::full_results::{gather, probing};

on_both![
    a_guests_odd_result_has_one_outcome,
    a_result_that_is_as_deep_as_can_be_is_read_everywhere,
    an_agents_odd_params_arrive_as_they_are_shown,
    params_that_are_no_json_reach_nobody,
];

async fn answer_text(host: &TestHost, text: &str) -> Answer {
    let params = json!({ "text": text });
    let body = json!({ "integration": "probe", "action": "text", "params": params });
    host.agent("POST", "/invoke", body).await
}

/// Lets the probe echo params that are written so.
async fn echo(host: &TestHost, params: &str) -> Answer {
    let body = format!(r#"{{"integration":"probe","action":"echo","params":{params}}}"#);
    let request = Request::post(host.actions("/invoke"))
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", host.sandbox_token),
        )
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into());
    host.send(request.unwrap()).await
}

async fn a_guests_odd_result_has_one_outcome(builder: TestHostBuilder) {
    let host = probing(builder).await;
    for (text, written) in [
        (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
        (
            "[-0, 18446744073709551616, 9007199254740993]",
            "[-0.0,1.8446744073709552e+19,9007199254740993]",
        ),
        (r#""\u0000\ud83d\ude00""#, "\"\\u0000😀\""),
        ("null", "null"),
    ] {
        let answer = answer_text(&host, text).await;
        answer.assert_status(200);
        assert_eq!(answer.json["result"].to_string(), written, "{text}");
        let recorded = host.recorded(&answer).await;
        assert_eq!(recorded["result"].to_string(), written, "{text}");
    }
    for text in [
        "1e400",
        r#""\ud800""#,
        "\"\u{0}\"",
        "{'a':1}",
        &"[".repeat(121),
    ] {
        let answer = answer_text(&host, text).await;
        answer.assert_error(502, "provider_internal");
    }
}

/// Arrays within each other, with this innermost.
fn nested(levels: usize, innermost: &str) -> String {
    "[".repeat(levels) + innermost + &"]".repeat(levels)
}

async fn a_result_that_is_as_deep_as_can_be_is_read_everywhere(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let deep = nested(119, "");
    let text = format!("[{deep},{}]", json!("x".repeat(20_000)));
    let answer = answer_text(&host, &text).await;
    answer.assert_status(200);
    assert_eq!(answer.json["invocation"]["resultTruncated"], true);
    assert_eq!(answer.json["result"]["items"][0].to_string(), deep);
    assert_eq!(
        host.recorded(&answer).await["result"],
        answer.json["result"]
    );
    let id = answer.json["invocation"]["id"].as_str().unwrap();
    assert_eq!(gather(&host, id, "").await.0.to_string(), text);
    let answer = answer_text(&host, &format!("[{text}]")).await;
    answer.assert_error(502, "provider_internal");
    assert!(answer.message().contains("nested"), "{}", answer.text);
}

async fn an_agents_odd_params_arrive_as_they_are_shown(builder: TestHostBuilder) {
    let host = probing(builder).await;
    let deep = format!(r#"{{"a":{}}}"#, nested(119, ""));
    for (params, written) in [
        (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
        (r#"{"a":-0}"#, r#"{"a":-0.0}"#),
        (
            r#"{"a":18446744073709551616}"#,
            r#"{"a":1.8446744073709552e+19}"#,
        ),
        (r#"{"\u0000":"\u0000"}"#, r#"{"\u0000":"\u0000"}"#),
        (&deep, &deep),
    ] {
        let answer = echo(&host, params).await;
        answer.assert_status(200);
        assert_eq!(answer.json["result"].to_string(), written, "{params}");
        let shown = &answer.json["invocation"]["params"];
        assert_eq!(shown.to_string(), written, "{params}");
    }
}

async fn params_that_are_no_json_reach_nobody(builder: TestHostBuilder) {
    let host = probing(builder).await;
    for params in [
        r#"{"a":1e400}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"\udc00":1}"#,
        "{\"a\":\"\u{0}\"}",
        r#"{"a":NaN}"#,
        r#"{"a":01}"#,
    ] {
        let refused = echo(&host, params).await;
        refused.assert_error(400, "invalid_json");
    }
    let deep = format!(r#"{{"a":{}}}"#, nested(120, ""));
    echo(&host, &deep).await.assert_field("/params", "maxDepth");
    let listed = host.agent("GET", "/invocations", Value::Null).await;
    assert_eq!(listed.json["total"], 0);
}
