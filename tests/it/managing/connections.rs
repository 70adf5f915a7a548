//! Connections: what they show, what is refused, and how they change.

use std::time::Duration;

use portcullis_tests::{ADMIN, LINEAR_TOKEN, ORG, TestHost, canary};
use serde_json::{Value, json};

use super::{credential, foreign_connection, now};

#[tokio::test]
async fn a_connection_shows_everything_but_its_token() {
    let host = TestHost::start().await;
    let body = json!({
        "provider": "linear", "userId": ADMIN,
        "credential": { "type": "token", "token": LINEAR_TOKEN, "connectionType": "oauth2" },
        "baseUrls": { "api": "https://linear.example/base" },
    });
    let made = host.admin("POST", "/connections", body).await;
    made.assert_status(201);
    let id = made.json["id"].as_str().unwrap();
    let expected = json!({
        "id": id, "organizationId": ORG, "provider": "linear", "userId": ADMIN,
        "connectionType": "oauth2", "baseUrls": { "api": "https://linear.example/base" },
        "status": "active", "version": 1, "createdAt": now(&host), "updatedAt": now(&host),
    });
    assert_eq!(made.json, expected);
    let listed = host.admin("GET", "/connections", Value::Null).await;
    let connections = listed.json["connections"].as_array().unwrap();
    assert_eq!(connections.len(), 2);
    assert!(connections.contains(&expected), "{}", listed.text);

    host.clock.advance(Duration::from_secs(1));
    let path = format!("/connections/{id}");
    let body = json!({ "credential": credential(canary!("another")), "baseUrls": {} });
    let rotated = host.admin("PUT", &path, body).await;
    rotated.assert_status(200);
    assert_eq!(rotated.json["version"], 2);
    assert_eq!(rotated.json["baseUrls"], json!({}));
    assert_eq!(rotated.json["createdAt"], expected["createdAt"]);
    assert_eq!(rotated.json["updatedAt"], now(&host));

    host.admin("DELETE", &path, Value::Null)
        .await
        .assert_status(204);
    host.admin("DELETE", &path, Value::Null)
        .await
        .assert_error(404, "not_found");
    let body = json!({ "credential": credential(canary!("another")) });
    host.admin("PUT", &path, body)
        .await
        .assert_error(404, "not_found");
    for answer in [&made, &listed, &rotated] {
        assert!(!answer.text.contains(LINEAR_TOKEN));
        assert!(!answer.text.contains(canary!("another")));
    }
}

/// Tries to connect with this field replaced, and fails unless it is refused.
async fn refuses(host: &TestHost, field: &str, value: Value, path: &str, rule: &str) {
    let mut body = json!({ "provider": "linear", "credential": credential(canary!("t")) });
    body[field] = value;
    let answer = host.admin("POST", "/connections", body).await;
    answer.assert_field(path, rule);
}

fn with_type(kind: &str) -> Value {
    json!({ "type": "token", "token": canary!("t"), "connectionType": kind })
}

#[tokio::test]
async fn a_connection_needs_a_provider_and_an_owner_that_can_be() {
    let host = TestHost::start().await;
    for (field, value, path, rule) in [
        ("provider", json!("linaer"), "/provider", "known"),
        ("provider", json!("Not An Id"), "/provider", "known"),
        ("userId", json!("a\nb"), "/userId", "format"),
        ("scopes", json!([]), "/scopes", "additionalProperties"),
    ] {
        refuses(&host, field, value, path, rule).await;
    }
}

#[tokio::test]
async fn a_credential_that_cannot_work_is_refused() {
    let host = TestHost::start().await;
    let long = "t".repeat(16_385);
    for token in ["", "two words", "line\nbreak", "schl\u{fc}ssel", &long] {
        let value = credential(token);
        refuses(&host, "credential", value, "/credential/token", "format").await;
    }
    let scoped = json!({ "type": "token", "token": canary!("t"), "scope": "read" });
    for (value, below, rule) in [
        (with_type("password"), "/connectionType", "enum"),
        (with_type("bot-token"), "", "connection"),
        (json!({ "type": "token" }), "/token", "required"),
        (json!({ "token": canary!("t") }), "/type", "required"),
        (json!("t"), "", "type"),
        (
            json!({ "type": "oauth", "token": canary!("t") }),
            "/type",
            "enum",
        ),
        (json!({ "type": "token", "token": 1 }), "", "type"),
        (scoped, "", "additionalProperties"),
    ] {
        let path = format!("/credential{below}");
        refuses(&host, "credential", value, &path, rule).await;
    }
}

#[tokio::test]
async fn a_base_url_that_cannot_work_is_refused() {
    let host = TestHost::start().await;
    for url in [
        "a.example",
        "ftp://a.example",
        "https://u:p@a.example",
        "https://a.example?q=1",
        "https://a.example#f",
    ] {
        let value = json!({ "api": url });
        refuses(&host, "baseUrls", value, "/baseUrls/api", "format").await;
    }
    for (name, url, path, rule) in [
        (
            "graphql",
            json!("https://a.example"),
            "/baseUrls/graphql",
            "known",
        ),
        (
            "a/~",
            json!("https://a.example"),
            "/baseUrls/a~1~0",
            "known",
        ),
        ("api", json!(1), "/baseUrls/api", "type"),
    ] {
        refuses(&host, "baseUrls", json!({ name: url }), path, rule).await;
    }
}

#[tokio::test]
async fn a_rotation_that_cannot_work_changes_nothing() {
    let host = TestHost::start().await;
    let path = format!("/connections/{}", host.connection_id);
    let nowhere =
        json!({ "credential": credential(canary!("t")), "baseUrls": { "api": "nowhere" } });
    for (body, violated, rule) in [
        (
            json!({ "credential": credential("a b") }),
            "/credential/token",
            "format",
        ),
        (nowhere, "/baseUrls/api", "format"),
        (
            json!({ "credential": with_type("oauth2") }),
            "/credential/connectionType",
            "immutable",
        ),
    ] {
        let answer = host.admin("PUT", &path, body).await;
        answer.assert_field(violated, rule);
    }
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn a_rotated_credential_is_used_from_the_next_call_on() {
    let host = TestHost::start().await;
    let path = format!("/connections/{}", host.connection_id);
    let rotate = async |token: &str| {
        let body = json!({ "credential": credential(token) });
        host.admin("PUT", &path, body).await.assert_status(200);
    };
    rotate(canary!("lin_api_wrong")).await;
    let failed = host.invoke("list_issues", json!({})).await;
    failed.assert_error(502, "unauthorized");
    assert_eq!(failed.json["invocation"]["status"], "failed");
    assert_eq!(failed.json["invocation"]["error"]["code"], "unauthorized");
    assert!(!failed.text.contains("lin_api_wrong"));
    assert!(!host.upstreams.linear.requests()[0].authorized);
    rotate(LINEAR_TOKEN).await;
    host.invoke("list_issues", json!({}))
        .await
        .assert_status(200);
}

#[tokio::test]
async fn another_organizations_connection_cannot_be_changed() {
    let host = TestHost::start().await;
    let foreign = foreign_connection(&host).await;
    let path = format!("/connections/{foreign}");
    let body = json!({ "credential": credential(canary!("mine-now")) });
    host.admin("PUT", &path, body)
        .await
        .assert_error(404, "not_found");
    host.admin("DELETE", &path, Value::Null)
        .await
        .assert_error(404, "not_found");
    let listed = host.admin("GET", "/connections", Value::Null).await;
    assert!(!listed.text.contains(&foreign));
}
