//! Requests that were right until something became of them: cut anywhere, with a
//! character put anywhere, and with any part replaced. Whatever it is now, somebody
//! is answered, and it is never the gateway's fault.

use axum::http::{Method, Request, header};
use portcullis_tests::{Answer, OPERATOR_KEY, ORG, TestHost};
use serde_json::{Value, json};

/// What parsers trip over.
const ODDITIES: [&str; 9] = [
    "\"", "{", "]", ",", "\\ud800", "\u{0}", "1e999", "\u{feff}", "null",
];

/// What may stand in the place of any part.
fn values() -> Vec<Value> {
    let long = "x".repeat(10_000);
    let deep = (0..120).fold(json!(0), |inner, _| json!([inner]));
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("\u{0}"),
        json!("../\u{202e}é😀'\"<>"),
        json!(long),
        json!([]),
        json!({}),
        json!({ "": "", "__proto__": {}, "$ref": "#" }),
        deep,
    ]
}

/// The text with every single change.
fn changed(body: &Value) -> Vec<String> {
    let text = body.to_string();
    let mut all: Vec<_> = (0..text.len()).map(|end| text[..end].to_owned()).collect();
    for at in 0..=text.len() {
        let (before, after) = text.split_at(at);
        all.extend(ODDITIES.map(|oddity| format!("{before}{oddity}{after}")));
    }
    for value in values() {
        all.extend(replaced(body, &value).iter().map(Value::to_string));
    }
    all
}

/// The value with each of its parts replaced by another one.
fn replaced(value: &Value, by: &Value) -> Vec<Value> {
    let mut all = vec![by.clone()];
    if let Value::Object(members) = value {
        for (name, member) in members {
            for other in replaced(member, by) {
                let mut members = members.clone();
                members.insert(name.clone(), other);
                all.push(members.into());
            }
        }
    }
    all
}

async fn post(host: &TestHost, path: &str, token: &str, body: String) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into());
    host.send(request.unwrap()).await
}

async fn check(host: &TestHost, path: &str, token: &str, body: &Value) {
    let mut refused = 0;
    for body in changed(body) {
        let answer = post(host, path, token, body.clone()).await;
        let shown: String = body.chars().take(200).collect();
        assert!(answer.status < 500, "{shown}: {}", answer.text);
        if answer.status >= 400 {
            refused += 1;
            assert!(!answer.code().is_empty(), "{shown}: {}", answer.text);
            assert!(!answer.message().is_empty(), "{shown}: {}", answer.text);
            assert!(answer.text.len() < 5_000, "{shown}: {}", answer.text);
        }
    }
    assert!(refused > 500, "only {refused}");
}

#[tokio::test]
async fn an_invocation_with_any_one_change_is_answered() {
    let host = TestHost::start().await;
    let body =
        json!({ "integration": "linear", "action": "list_issues", "params": { "first": 1 } });
    let path = host.actions("/invoke");
    check(&host, &path, &host.sandbox_token, &body).await;
}

#[tokio::test]
async fn a_request_of_an_admin_with_any_one_change_is_answered() {
    let host = TestHost::start().await;
    let connection = json!({
        "provider": "linear", "credential": { "type": "token", "token": "lin_api_0123456789" },
    });
    let path = format!("/v1/orgs/{ORG}/connections");
    check(&host, &path, &host.admin_token, &connection).await;
}

#[tokio::test]
async fn a_request_of_the_operator_with_any_one_change_is_answered() {
    let host = TestHost::start().await;
    let token = json!({ "kind": "sandbox", "sessionId": host.session_id });
    check(&host, "/v1/tokens", OPERATOR_KEY, &token).await;
}
