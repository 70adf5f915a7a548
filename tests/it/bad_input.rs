//! Requests nobody should send: each is refused with the reason, and the
//! gateway goes on serving.

mod bodies;
mod changed;

use axum::body::Body;
use axum::http::{Request, header};
use portcullis_tests::{Answer, TestHost, bearer, call, canary};
use serde_json::{Value, json};

/// Sends text as the body of an invocation.
async fn invoke_with(host: &TestHost, body: impl Into<Body>) -> Answer {
    let request = Request::post(host.actions("/invoke"))
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", host.sandbox_token),
        )
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into());
    host.send(request.unwrap()).await
}

#[tokio::test]
async fn what_is_no_json_is_called_that() {
    let host = TestHost::start().await;
    let deep_params = format!(
        r#"{{"integration":"linear","action":"list_issues","params":{}"#,
        r#"{"a":"#.repeat(200_000)
    );
    let deep_array = format!(r#"{{"params":{}"#, "[".repeat(200_000));
    let not_utf8 = b"{\"integration\":\"\xff\"}".to_vec();
    for body in [
        Vec::new(),
        b" \n".to_vec(),
        b"{".to_vec(),
        br#"{"integration":"linear",}"#.to_vec(),
        br#"{"integration":"linear","action":"list_issues","params":{}} x"#.to_vec(),
        not_utf8,
        deep_params.into_bytes(),
        deep_array.into_bytes(),
    ] {
        let answer = invoke_with(&host, body).await;
        answer.assert_error(400, "invalid_json");
        assert!(answer.text.len() < 1000, "{}", answer.text);
    }
    assert!(host.upstreams.linear.requests().is_empty());
}

#[tokio::test]
async fn a_body_of_another_shape_is_told_where() {
    let host = TestHost::start().await;
    let nested = "[".repeat(200_000);
    let named = format!(r#"{{"integration":{}"#, r#"{"a":"#.repeat(200_000));
    for (body, path, rule) in [
        ("[]", "", "type"),
        (r#"["linear","list_issues",{}]"#, "", "type"),
        ("null", "", "type"),
        (r#""linear""#, "", "type"),
        (nested.as_str(), "", "type"),
        (named.as_str(), "/integration", "type"),
        ("{}", "/integration", "required"),
        (
            r#"{"integration":"linear","params":{}}"#,
            "/action",
            "required",
        ),
        (
            r#"{"integration":"linear","action":"list_issues"}"#,
            "/params",
            "required",
        ),
        (
            r#"{"integration":7,"action":"list_issues","params":{}}"#,
            "/integration",
            "type",
        ),
        (
            r#"{"integration":"linear","action":["a"],"params":{}}"#,
            "/action",
            "type",
        ),
        (
            r#"{"integration":"linear","action":"list_issues","params":{},"mode":"allow"}"#,
            "/mode",
            "additionalProperties",
        ),
    ] {
        let answer = invoke_with(&host, body.to_owned()).await;
        answer.assert_field(path, rule);
        assert!(answer.text.len() < 1000, "{}", answer.text);
    }
    assert!(host.upstreams.linear.requests().is_empty());
}

#[tokio::test]
async fn an_answer_does_not_repeat_what_may_be_a_secret() {
    let host = TestHost::start().await;
    let secret = canary!("lin_api_in_the_wrong_place");
    for body in [
        json!({ "provider": "linear", "credential": secret }),
        json!({ "provider": "linear", "credential": { "type": "token", "token": [secret] } }),
        json!({ "provider": "linear", "credential": { "type": "token", "token": format!("{secret} ") } }),
        json!({ "provider": [secret], "credential": { "type": "token", "token": secret } }),
    ] {
        let answer = host.admin("POST", "/connections", body).await;
        answer.assert_error(400, "invalid_request");
        assert!(!answer.text.contains(secret), "{}", answer.text);
    }
}

#[tokio::test]
async fn all_violations_of_params_are_told_at_once() {
    let host = TestHost::start().await;
    let params = json!({ "title": "", "priority": 9, "labelIds": [1], "asignee": "ada" });
    let answer = host.invoke("create_issue", params).await;
    answer.assert_error(400, "invalid_params");
    assert_eq!(
        answer.violations(),
        [
            ("/params/asignee", "additionalProperties"),
            ("/params/labelIds/0", "type"),
            ("/params/priority", "maximum"),
            ("/params/teamId", "required"),
            ("/params/title", "minLength"),
        ]
    );
    let unknown = &answer.json["error"]["details"][0]["message"];
    assert!(
        unknown.as_str().unwrap().contains("assigneeId"),
        "{unknown}"
    );
    assert!(answer.json.get("invocation").is_none());

    for params in [json!([]), json!(null), json!("first"), json!(1)] {
        let answer = host.invoke("list_issues", params).await;
        answer.assert_error(400, "invalid_params");
        assert_eq!(answer.violations(), [("/params", "type")]);
    }
    let listed = host.agent("GET", "/invocations", Value::Null).await;
    assert_eq!(listed.json["total"], 0);
    assert!(host.upstreams.linear.requests().is_empty());
}

#[tokio::test]
async fn params_that_break_many_rules_get_a_bounded_answer() {
    let host = TestHost::start().await;
    let params: Value = (0..5000).map(|n| (format!("p{n}"), json!(n))).collect();
    let answer = host.invoke("create_issue", params).await;
    answer.assert_error(400, "invalid_params");
    assert!((1..=32).contains(&answer.violations().len()));
    assert!(answer.text.len() < 32_000);
}

#[tokio::test]
async fn an_unknown_source_or_action_is_told_apart() {
    let host = TestHost::start().await;
    let ask = async |integration: &str, action: &str| {
        let body = json!({ "integration": integration, "action": action, "params": {} });
        host.agent("POST", "/invoke", body).await
    };
    let long = "a".repeat(10_000);
    for source in ["linaer", "", "Not An Id", "linear/../linear", &long] {
        let answer = ask(source, "list_issues").await;
        answer.assert_error(404, "unknown_source");
        assert!(answer.text.len() < 1000, "{}", answer.text);
    }
    let misspelled = ask("linear", "list_isues").await;
    misspelled.assert_error(422, "unknown_action");
    assert!(
        misspelled.message().contains("did you mean `list_issues`?"),
        "{}",
        misspelled.text
    );
    for action in ["zzz", "", "list\nissues", &long] {
        let answer = ask("linear", action).await;
        answer.assert_error(422, "unknown_action");
        assert!(answer.text.len() < 1000, "{}", answer.text);
    }
    assert!(ask("linear", "zzz").await.message().contains("list_issues"));
}

#[tokio::test]
async fn an_idempotency_key_is_sent_once_and_readable() {
    let host = TestHost::start().await;
    let send = async |keys: &[&[u8]]| {
        let path = host.actions("/invoke");
        let body = call("list_issues", &json!({}));
        let mut request = bearer("POST", &path, &host.sandbox_token, &body);
        for key in keys {
            let value = header::HeaderValue::from_bytes(key).unwrap();
            request.headers_mut().append("idempotency-key", value);
        }
        host.send(request).await
    };
    let long = [b'k'; 256];
    let refused: &[&[&[u8]]] = &[
        &[b""],
        &[&long],
        &[b"a", b"b"],
        &[b"a", b"a"],
        &["ü".as_bytes()],
    ];
    for keys in refused {
        let answer = send(keys).await;
        answer.assert_field("/headers/idempotency-key", "format");
    }
    assert!(host.upstreams.linear.requests().is_empty());
    send(&[&long[..255]]).await.assert_status(200);
}

#[tokio::test]
async fn a_route_that_does_not_exist_is_not_found() {
    let host = TestHost::start().await;
    let session = host.session_id.clone();
    let long = format!("/{}", "a".repeat(5000));
    for path in [
        "/",
        "/v1",
        "/v2/orgs",
        "/v1/orgs/acme",
        "/v1/orgs/acme/nothing",
        "/v1/orgs/acme/modes/linear",
        "/v1/plugins/",
        &format!("/{session}"),
        &format!("/{session}/actions"),
        &format!("/{session}/actions/nothing"),
        &format!("/{session}/actions/guide/linear/more"),
        &long,
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = host.operator(method, path, Value::Null).await;
            answer.assert_error(404, "not_found");
            assert!(answer.text.len() < 1000, "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_route_that_takes_another_method_says_which() {
    let host = TestHost::start().await;
    let invoke = host.actions("/invoke");
    let available = host.actions("/available");
    for (method, path, allowed) in [
        ("GET", invoke.as_str(), "POST"),
        ("POST", &available, "GET,HEAD"),
        ("PATCH", "/v1/orgs", "GET,HEAD,POST"),
        ("GET", "/v1/tokens", "POST"),
        ("GET", "/v1/orgs/acme/members/max", "PUT,DELETE"),
        ("DELETE", "/healthz", "GET,HEAD"),
    ] {
        let answer = host.operator(method, path, Value::Null).await;
        answer.assert_error(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn an_id_that_is_no_uuid_names_nothing() {
    let host = TestHost::start().await;
    let simple = host.session_id.replace('-', "");
    let braced = format!("%7B{}%7D", host.session_id);
    for id in ["no-uuid", "%00", "..%2f..", &simple, &braced] {
        for path in [
            format!("/{id}/actions/available"),
            host.actions(&format!("/invocations/{id}")),
        ] {
            host.request("GET", &path, &host.sandbox_token, Value::Null)
                .await
                .assert_error(404, "not_found");
        }
        for (method, path) in [
            ("PUT", format!("/connections/{id}")),
            ("DELETE", format!("/connections/{id}")),
            ("POST", format!("/sessions/{id}/close")),
            ("GET", format!("/automations/{id}/modes")),
        ] {
            let body = json!({ "credential": { "type": "token", "token": canary!("t") } });
            host.admin(method, &path, body)
                .await
                .assert_error(404, "not_found");
        }
        host.operator("DELETE", &format!("/v1/egress-grants/{id}"), Value::Null)
            .await
            .assert_error(404, "not_found");
    }
    // Percent-encoded bytes that are no UTF-8 cannot be any id.
    let answer = host
        .operator("DELETE", "/v1/egress-grants/%ff", Value::Null)
        .await;
    assert!([400, 404].contains(&answer.status), "{}", answer.text);
    answer.assert_error(answer.status, answer.code());
}

#[tokio::test]
async fn a_query_is_read_strictly() {
    let host = TestHost::start().await;
    for (query, path) in [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("status=done", "/status"),
        ("status=", "/status"),
    ] {
        for answer in both_lists(&host, query).await {
            answer.assert_error(400, "invalid_request");
            assert_eq!(answer.violations()[0].0, path, "{query}");
        }
    }
    for query in [
        "limit=ten",
        "limit=-1",
        "limit=4294967296",
        "limit=1&limit=2",
        "offset=-1",
        "page=2",
    ] {
        for answer in both_lists(&host, query).await {
            answer.assert_error(400, "invalid_request");
        }
    }
    for query in [
        "limit=1",
        "limit=100",
        "offset=4294967295",
        "status=pending",
    ] {
        for answer in both_lists(&host, query).await {
            answer.assert_status(200);
            assert_eq!(answer.json, json!({ "invocations": [], "total": 0 }));
        }
    }
}

/// A query of a session's list and of its organization's.
async fn both_lists(host: &TestHost, query: &str) -> [Answer; 2] {
    let path = format!("/invocations?{query}");
    [
        host.agent("GET", &path, Value::Null).await,
        host.admin("GET", &path, Value::Null).await,
    ]
}

#[tokio::test]
async fn a_body_up_to_the_limit_is_read_and_one_byte_more_is_not() {
    let host = TestHost::start().await;
    let body = |length: usize| {
        let call = call("list_issues", &json!({})).to_string();
        format!("{call}{}", " ".repeat(length - call.len()))
    };
    invoke_with(&host, body(1 << 20)).await.assert_status(200);
    invoke_with(&host, body((1 << 20) + 1))
        .await
        .assert_error(413, "payload_too_large");
}
