//! Requests between the guest and the way out.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis_core::plugin::Method;
use portcullis_runtime::egress::{HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::harness::{Answers, Expect as _, Guest, Held, ok_response};

fn get(path: &str) -> Value {
    json!({ "endpoint": "api", "method": "GET", "path": path })
}

#[tokio::test]
async fn a_request_leaves_as_the_guest_made_it() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let guest = Guest::probe().await.outbound(Answers({
        let sent = Arc::clone(&sent);
        move |request| {
            sent.lock().unwrap().push(request);
            Ok(ok_response(""))
        }
    }));
    let params = json!({
        "endpoint": "api",
        "method": "PATCH",
        "path": "/a%20b",
        "query": [["q", "x y"], ["q", "é"]],
        "headers": [["X-One", "1"], ["x-one", ""]],
        "body": "ünïcode",
        "timeout_ms": 1500,
    });
    guest.result("fetch", params).await;
    guest.result("fetch", get("")).await;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let full = HttpRequest {
        endpoint: "api".to_owned(),
        method: Method::Patch,
        path: "/a%20b".to_owned(),
        query: vec![pair("q", "x y"), pair("q", "é")],
        headers: vec![pair("X-One", "1"), pair("x-one", "")],
        body: Some("ünïcode".into()),
        timeout: Some(Duration::from_millis(1500)),
    };
    let empty = HttpRequest {
        endpoint: "api".to_owned(),
        method: Method::Get,
        path: String::new(),
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        timeout: None,
    };
    assert_eq!(*sent.lock().unwrap(), [full, empty]);
}

#[tokio::test]
async fn a_response_arrives_as_it_was_received() {
    let guest = Guest::probe().await.outbound(Answers(|_| {
        Ok(HttpResponse {
            status: 418,
            headers: vec![("x-kind".to_owned(), "teapot".to_owned())],
            body: b"short and stout".to_vec(),
        })
    }));
    assert_eq!(
        guest.result("fetch", get("/")).await,
        json!({ "response": {
            "status": 418,
            "headers": [["x-kind", "teapot"]],
            "body": "short and stout",
        }})
    );
}

#[tokio::test]
async fn what_a_guest_forwards_is_what_it_was_given() {
    let guest = Guest::probe()
        .await
        .outbound(Answers(|request: HttpRequest| {
            let is_as_given = request.body.as_deref() == Some(br#"{"token":"as it was given"}"#);
            Ok(HttpResponse {
                status: if is_as_given { 200 } else { 400 },
                headers: Vec::new(),
                body: Vec::new(),
            })
        }));
    let params = json!({ "token": "as it was given" });
    assert_eq!(guest.result("forward", params).await, json!(200));
}

#[tokio::test]
async fn every_kind_of_error_arrives_as_itself() {
    let guest = Guest::probe().await;
    for (kind, expected) in [
        (HttpErrorKind::Denied, "Denied"),
        (HttpErrorKind::InvalidRequest, "InvalidRequest"),
        (HttpErrorKind::ConnectionMissing, "ConnectionMissing"),
        (HttpErrorKind::Dns, "Dns"),
        (HttpErrorKind::Connect, "Connect"),
        (HttpErrorKind::Tls, "Tls"),
        (HttpErrorKind::Timeout, "Timeout"),
        (HttpErrorKind::TooLarge, "TooLarge"),
        (HttpErrorKind::TooManyRequests, "TooManyRequests"),
        (HttpErrorKind::Protocol, "Protocol"),
    ] {
        let request_sent = kind == HttpErrorKind::Timeout;
        let guest = guest.clone().outbound(Answers(move |_| {
            Err(HttpError {
                kind,
                denial: None,
                message: "why".to_owned(),
                request_sent,
            })
        }));
        let answer = guest.result("fetch", get("/")).await;
        assert_eq!(error_kind(&answer), expected);
        assert_eq!(answer["error"]["message"], "why");
        assert_eq!(answer["error"]["request_sent"], request_sent);
    }
}

/// The bare name of the error's kind.
fn error_kind(answer: &Value) -> &str {
    let kind = answer["error"]["kind"].as_str().unwrap_or_default();
    kind.trim_start_matches("ErrorKind::")
}

/// Answers with the path, so that answers can be told apart.
async fn guest_of_a_mirror(http_requests: u32) -> Guest {
    Guest::probe_with(|config| config.limits.http_requests = http_requests)
        .await
        .outbound(Answers(|request: HttpRequest| {
            Ok(ok_response(&request.path))
        }))
}

/// The bodies of responses, and the kinds of errors.
fn summary(answers: &Value) -> Vec<&str> {
    let answers = answers.as_array().unwrap().iter();
    answers
        .map(|answer| match answer["response"]["body"].as_str() {
            Some(body) => body,
            None => error_kind(answer),
        })
        .collect()
}

fn gets(count: usize) -> Value {
    let requests: Vec<_> = (0..count).map(|index| get(&format!("/{index}"))).collect();
    json!({ "requests": requests })
}

#[tokio::test]
async fn requests_beyond_the_limit_of_a_call_are_not_sent() {
    let guest = guest_of_a_mirror(3).await;
    let report = guest.call("fetch_many", gets(5)).await;
    assert_eq!(report.usage.http_requests, 3);
    let answers = report.completed();
    assert_eq!(
        summary(&answers),
        ["/0", "/1", "/2", "TooManyRequests", "TooManyRequests"]
    );
    assert_eq!(answers[3]["error"]["request_sent"], false);
    // The next call has the limit to itself.
    let answers = guest.result("fetch_many", gets(3)).await;
    assert_eq!(summary(&answers), ["/0", "/1", "/2"]);
}

#[tokio::test]
async fn send_all_sends_eight_at_most_and_keeps_their_order() {
    let guest = guest_of_a_mirror(100).await;
    let report = guest.call("fetch_many", gets(10)).await;
    assert_eq!(report.usage.http_requests, 8);
    let answers = guest.result("fetch_many", gets(10)).await;
    assert_eq!(
        summary(&answers),
        [
            "/0",
            "/1",
            "/2",
            "/3",
            "/4",
            "/5",
            "/6",
            "/7",
            "TooManyRequests",
            "TooManyRequests"
        ]
    );
    assert_eq!(guest.result("fetch_many", gets(0)).await, json!([]));
}

#[tokio::test]
async fn send_all_sends_all_at_once() {
    let held = Held::new();
    let guest = Guest::probe().await.outbound(held.clone());
    let call = tokio::spawn(async move { guest.result("fetch_many", gets(8)).await });
    held.arrivals(8).await;
    held.release(8);
    assert_eq!(summary(&call.await.unwrap()), ["released"; 8]);
}

#[tokio::test]
async fn a_defect_of_the_way_out_is_an_error_of_its_request() {
    let guest = Guest::probe()
        .await
        .outbound(Answers(|_| panic!("an internal matter")));
    let answer = guest.result("fetch", get("/")).await;
    assert_eq!(error_kind(&answer), "Protocol");
    assert_eq!(answer["error"]["request_sent"], true);
    assert!(!answer.to_string().contains("an internal matter"));
}
