//! Sessions: how they come and end, and whose connections they get.

use std::time::Duration;

use portcullis_tests::{ADMIN, MEMBER, ORG, TestHost};
use serde_json::{Value, json};

use super::{NOTHING, foreign_connection, now};

#[tokio::test]
async fn a_session_goes_on_without_its_removed_connection() {
    let host = TestHost::start().await;
    let path = format!("/connections/{}", host.connection_id);
    host.admin("DELETE", &path, Value::Null)
        .await
        .assert_status(204);
    assert_without_connection(&host, &host.session_id, &host.sandbox_token).await;
}

#[tokio::test]
async fn a_session_without_connections_can_do_nothing() {
    let host = TestHost::start().await;
    for body in [json!({}), json!({ "connectionIds": [] })] {
        let session = host.open_session(body).await;
        let token = host.sandbox_token_of(&session).await;
        assert_without_connection(&host, &session, &token).await;
    }
}

async fn assert_without_connection(host: &TestHost, session: &str, token: &str) {
    let path = format!("/{session}/actions");
    let available = host
        .request("GET", &format!("{path}/available"), token, Value::Null)
        .await;
    available.assert_status(200);
    assert_eq!(available.json["actions"], json!([]));
    let source = &available.json["sources"][0];
    assert_eq!(source["id"], "linear");
    assert_eq!(source["status"], "needs_auth");
    assert!(source["message"].as_str().unwrap().contains("connection"));

    let call = json!({ "integration": "linear", "action": "list_issues", "params": {} });
    let failed = host
        .request("POST", &format!("{path}/invoke"), token, call)
        .await;
    failed.assert_error(502, "connection_missing");
    assert_eq!(failed.json["invocation"]["status"], "failed");
    assert_eq!(failed.json["invocation"]["integrationId"], Value::Null);
    assert!(host.upstreams.linear.requests().is_empty());
}

#[tokio::test]
async fn sessions_are_opened_listed_and_closed() {
    let host = TestHost::start().await;
    host.clock.advance(Duration::from_secs(1));
    let body =
        json!({ "title": "Second", "connectionIds": [host.connection_id], "userId": MEMBER });
    let opened = host.admin("POST", "/sessions", body).await;
    opened.assert_status(201);
    let id = opened.json["id"].as_str().unwrap();
    let mut expected = json!({
        "id": id, "organizationId": ORG, "title": "Second", "userId": MEMBER,
        "automationId": null, "connectionIds": [host.connection_id],
        "createdAt": now(&host), "closedAt": null,
    });
    assert_eq!(opened.json, expected);
    let listed = host.admin("GET", "/sessions", Value::Null).await;
    assert_eq!(listed.json["sessions"][0], expected);
    assert_eq!(listed.json["sessions"][1]["id"], host.session_id);

    host.clock.advance(Duration::from_secs(1));
    let close = format!("/sessions/{id}/close");
    let stranger = host.other_organization("globex").await;
    let foreign = format!("/v1/orgs/globex{close}");
    host.request("POST", &foreign, &stranger, Value::Null)
        .await
        .assert_error(404, "not_found");
    let closed = host.admin("POST", &close, Value::Null).await;
    closed.assert_status(200);
    expected["closedAt"] = json!(now(&host));
    assert_eq!(closed.json, expected);
    for id in [NOTHING, "no-uuid"] {
        host.admin("POST", &format!("/sessions/{id}/close"), Value::Null)
            .await
            .assert_error(404, "not_found");
    }
}

#[tokio::test]
async fn a_session_gets_no_connection_that_is_not_its_own() {
    let host = TestHost::start().await;
    let own = host.connection_id.clone();
    let of_user = host.connect(json!({ "userId": ADMIN })).await;
    let foreign = foreign_connection(&host).await;
    let many = vec![own.clone(); 65];
    for (body, path, rule) in [
        (
            json!({ "connectionIds": [own, NOTHING] }),
            "/connectionIds/1",
            "known",
        ),
        (
            json!({ "connectionIds": [foreign] }),
            "/connectionIds/0",
            "known",
        ),
        (
            json!({ "connectionIds": [of_user] }),
            "/connectionIds/0",
            "owner",
        ),
        (
            json!({ "connectionIds": [own, of_user], "userId": MEMBER }),
            "/connectionIds/1",
            "owner",
        ),
        (
            json!({ "connectionIds": [own, own] }),
            "/connectionIds/1",
            "uniqueItems",
        ),
        (
            json!({ "connectionIds": ["no-uuid"] }),
            "/connectionIds/0",
            "format",
        ),
        (json!({ "connectionIds": [1] }), "/connectionIds/0", "type"),
        (
            json!({ "connectionIds": many }),
            "/connectionIds",
            "maxItems",
        ),
        (json!({ "automationId": NOTHING }), "/automationId", "known"),
        (
            json!({ "automationId": "nightly" }),
            "/automationId",
            "format",
        ),
        (json!({ "userId": "" }), "/userId", "format"),
        (json!({ "title": "t".repeat(201) }), "/title", "maxLength"),
        (json!({ "title": "a\u{0}b" }), "/title", "pattern"),
        (json!({ "name": "x" }), "/name", "additionalProperties"),
    ] {
        let answer = host.admin("POST", "/sessions", body).await;
        answer.assert_field(path, rule);
    }
    host.open_session(json!({ "connectionIds": [own, of_user], "userId": ADMIN }))
        .await;
}
