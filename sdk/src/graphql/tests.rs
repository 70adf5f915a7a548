//! What becomes of answers, through a scripted host.

use std::{rc::Rc, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::{
    http::{HttpErrorKind, Method},
    provider::Endpoint,
    testing::{Reply, Script},
};

const API: Graphql = Graphql::new("api", "/graphql");

const ENDPOINTS: &[Endpoint] = &[Endpoint::new("api", "https://api.example.com")
    .routes(&[crate::provider::Route::post("/graphql")])];

#[derive(Debug, Deserialize, PartialEq)]
struct Viewer {
    name: String,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Data {
    viewer: Viewer,
}

/// A host that answers everything with this reply.
fn script(reply: Reply) -> (Rc<Script>, Context) {
    let script = Rc::new(Script::new(ENDPOINTS));
    script.expect_always(reply);
    (
        Rc::clone(&script),
        Context::new(script, "Linear", String::new()),
    )
}

fn query(reply: Reply) -> Result<Data> {
    API.query(&script(reply).1, "query { viewer { name } }", json!({}))
}

fn mutate(reply: Reply) -> Result<Value> {
    API.mutate(&script(reply).1, "mutation { noop }", json!({}))
}

fn refusal(extensions: &Value) -> Value {
    json!({ "data": null, "errors": [{ "message": "Nope", "extensions": extensions }] })
}

#[test]
fn the_operation_is_sent_as_json() {
    let (script, ctx) = script(Reply::json(
        200,
        json!({ "data": { "viewer": { "name": "Ada" } } }),
    ));

    let data: Data = API
        .query(
            &ctx,
            "query($n: Int) { viewer { name } }",
            json!({ "n": 1 }),
        )
        .unwrap();

    assert_eq!(data.viewer.name, "Ada");
    let sent = script.requests().remove(0);
    assert_eq!(sent.header("content-type"), Some("application/json"));
    assert_eq!(
        sent.json(),
        json!({ "query": "query($n: Int) { viewer { name } }", "variables": { "n": 1 } })
    );
}

#[test]
fn errors_with_status_200_are_errors() {
    let error = query(Reply::json(200, refusal(&json!({ "code": "FORBIDDEN" })))).unwrap_err();

    assert_eq!(error.code(), ErrorCode::Forbidden);
    assert_eq!(error.message(), "Linear refused: Nope");
}

#[test]
fn partial_data_is_an_error() {
    let body = json!({ "data": { "viewer": { "name": "Ada" } }, "errors": [{ "message": "teams: timed out" }] });
    let error = query(Reply::json(200, body)).unwrap_err();

    assert_eq!(error.code(), ErrorCode::Upstream);
    assert!(error.message().contains("teams: timed out"));
}

#[test]
fn an_empty_list_of_errors_is_none() {
    let body = json!({ "data": { "viewer": { "name": "Ada" } }, "errors": [] });

    assert_eq!(query(Reply::json(200, body)).unwrap().viewer.name, "Ada");
}

#[test]
fn words_for_users_are_preferred() {
    let extensions =
        json!({ "code": "INPUT_ERROR", "userPresentableMessage": "The title is too long." });
    let error = query(Reply::json(200, refusal(&extensions))).unwrap_err();

    assert_eq!(error.code(), ErrorCode::InvalidParams);
    assert_eq!(error.message(), "Linear refused: The title is too long.");
}

#[test]
fn a_rate_limit_with_status_400_is_a_rate_limit() {
    let reply =
        Reply::json(400, refusal(&json!({ "code": "RATELIMITED" }))).header("retry-after", "3");
    let error = mutate(reply).unwrap_err();

    assert_eq!(error.code(), ErrorCode::RateLimited);
    assert!(error.is_retryable());
    assert_eq!(error.wait(), Some(Duration::from_secs(3)));
}

#[test]
fn a_rate_limited_query_is_sent_again_whatever_the_status() {
    for status in [200, 400, 429] {
        let limited = Reply::json(status, refusal(&json!({ "code": "RATELIMITED" })));
        let (script, ctx) = script(Reply::json(
            200,
            json!({ "data": { "viewer": { "name": "Ada" } } }),
        ));
        script.expect(Method::Post, "/graphql", limited.header("retry-after", "3"));

        let data: Data = API
            .query(&ctx, "query { viewer { name } }", json!({}))
            .unwrap();

        assert_eq!(data.viewer.name, "Ada");
        assert_eq!(script.waits(), [Duration::from_secs(3)]);
    }
}

#[test]
fn a_query_is_sent_three_times_at_most() {
    let (script, ctx) = script(Reply::text(503, ""));

    let error = API.query::<Data>(&ctx, "query { viewer { name } }", json!({}));

    assert_eq!(error.unwrap_err().code(), ErrorCode::Upstream);
    assert_eq!(script.requests().len(), 3);
}

#[test]
fn a_mutation_is_sent_once_whatever_is_answered() {
    for reply in [
        Reply::text(503, ""),
        Reply::text(429, ""),
        Reply::json(400, refusal(&json!({ "code": "RATELIMITED" }))),
    ] {
        let (script, ctx) = script(reply.header("retry-after", "0"));
        let outcome = API.mutate::<Value>(&ctx, "mutation { noop }", json!({}));
        assert!(outcome.is_err());
        assert_eq!(script.requests().len(), 1);
    }
}

#[test]
fn a_provider_may_want_no_retry_of_queries() {
    let (script, ctx) = script(Reply::text(503, ""));
    let once = API.no_retry();
    assert!(
        once.query::<Data>(&ctx, "query { viewer { name } }", json!({}))
            .is_err()
    );
    assert_eq!(script.requests().len(), 1);
}

#[test]
fn the_status_decides_where_the_errors_say_nothing() {
    assert_eq!(
        query(Reply::json(404, refusal(&json!({}))))
            .unwrap_err()
            .code(),
        ErrorCode::NotFound
    );
    assert_eq!(
        query(Reply::text(401, "no")).unwrap_err().code(),
        ErrorCode::Unauthorized
    );
    assert_eq!(
        query(Reply::text(429, "")).unwrap_err().code(),
        ErrorCode::RateLimited
    );
    let misleading = refusal(&json!({ "code": "INPUT_ERROR" }));
    assert_eq!(
        query(Reply::json(401, misleading)).unwrap_err().code(),
        ErrorCode::Unauthorized
    );
}

#[test]
fn garbage_is_the_upstreams_fault() {
    for body in [
        "<html>",
        "",
        "[]",
        "{}",
        r#"{"data":null}"#,
        r#"{"data":{"viewer":{}}}"#,
        r#"{"errors":"no"}"#,
    ] {
        let error = query(Reply::text(200, body)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Upstream, "{body}");
    }
}

#[test]
fn data_of_another_shape_is_told() {
    let error = query(Reply::json(
        200,
        json!({ "data": { "viewer": { "name": 7 } } }),
    ))
    .unwrap_err();

    assert_eq!(
        error.message(),
        "Linear sent an answer that cannot be understood: \
         invalid type: integer `7`, expected a string at line 1 column 27.",
    );
}

#[test]
fn only_queries_are_retryable_when_the_outcome_is_unknown() {
    assert!(query(Reply::text(503, "")).unwrap_err().is_retryable());
    assert!(!mutate(Reply::text(503, "")).unwrap_err().is_retryable());
    assert!(
        query(Reply::error(HttpErrorKind::Timeout, true))
            .unwrap_err()
            .is_retryable()
    );
    assert!(
        !mutate(Reply::error(HttpErrorKind::Timeout, true))
            .unwrap_err()
            .is_retryable()
    );
}

#[test]
fn a_mutation_that_met_a_failing_upstream_may_have_happened() {
    let with_data = json!({
        "data": { "noop": { "success": true } },
        "errors": [{ "message": "Nope", "extensions": { "code": "FORBIDDEN" } }],
    });
    let limited = json!({ "code": "RATELIMITED" });
    for (status, body, code) in [
        (500, refusal(&json!({})), ErrorCode::Upstream),
        (
            500,
            refusal(&json!({ "code": "INPUT_ERROR" })),
            ErrorCode::InvalidParams,
        ),
        (503, refusal(&limited), ErrorCode::RateLimited),
        (
            200,
            refusal(&json!({ "code": "INTERNAL" })),
            ErrorCode::Upstream,
        ),
        (
            200,
            refusal(&json!({ "code": "TIMEOUT" })),
            ErrorCode::Timeout,
        ),
        (200, with_data, ErrorCode::Forbidden),
    ] {
        let error = mutate(Reply::json(status, body.clone())).unwrap_err();
        assert_eq!(error.code(), code, "{status} {body}");
        assert!(!error.is_retryable(), "{status} {body}");
        assert_eq!(
            error.message(),
            "Linear refused: Nope. It may have happened all the same: look before you ask for it \
             again.",
            "{status} {body}"
        );
    }
}

#[test]
fn a_mutation_that_was_refused_did_not_happen() {
    for (status, code) in [
        (200, "FORBIDDEN"),
        (400, "INPUT_ERROR"),
        (400, "RATELIMITED"),
    ] {
        let error = mutate(Reply::json(status, refusal(&json!({ "code": code })))).unwrap_err();
        assert_eq!(error.message(), "Linear refused: Nope", "{code}");
    }
}

#[test]
fn a_query_that_failed_changed_nothing() {
    let failed =
        |status, code| query(Reply::json(status, refusal(&json!({ "code": code })))).unwrap_err();

    for error in [failed(500, "INTERNAL"), failed(200, "TIMEOUT")] {
        assert!(error.is_retryable());
        assert_eq!(error.message(), "Linear refused: Nope");
    }
}

#[test]
fn at_most_three_errors_are_told() {
    let errors: Vec<_> = (0..50)
        .map(|number| json!({ "message": format!("error {number}") }))
        .collect();
    let error = query(Reply::json(200, json!({ "errors": errors }))).unwrap_err();

    assert_eq!(error.message(), "Linear refused: error 0; error 1; error 2");
}
