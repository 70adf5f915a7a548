//! Bearer credentials: which are taken, for how long, and which prove nothing.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use portcullis_tests::{Answer, ORG, TestHost};
use serde_json::{Value, json};

use super::{NOTHING, operator_routes, org_routes, session_routes};

/// Asks for a session's catalog with these `Authorization` headers.
async fn ask(host: &TestHost, authorization: &[&str]) -> Answer {
    let mut request = Request::get(host.actions("/available"));
    for value in authorization {
        request = request.header(header::AUTHORIZATION, *value);
    }
    host.send(request.body(Body::empty()).unwrap()).await
}

#[track_caller]
fn assert_unauthorized(answer: &Answer, code: &str) {
    answer.assert_error(401, code);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn every_route_but_the_health_checks_needs_a_credential() {
    let host = TestHost::start().await;
    let mut routes = session_routes(&host.session_id);
    routes.extend(session_routes(NOTHING));
    routes.extend(org_routes(ORG));
    routes.extend(operator_routes());
    for (method, path) in routes {
        let request = Request::builder().method(method).uri(&path);
        let answer = host.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 401, "{method} {path}: {}", answer.text);
        assert_unauthorized(&answer, "unauthorized");
    }
    for path in ["/healthz", "/readyz"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        host.send(request).await.assert_status(200);
    }
}

#[tokio::test]
async fn one_bearer_credential_is_needed() {
    let host = TestHost::start().await;
    let token = host.sandbox_token.clone();
    let bearer = format!("Bearer {token}");
    ask(&host, &[&bearer]).await.assert_status(200);
    ask(&host, &[&format!("bearer {token}")])
        .await
        .assert_status(200);
    let refused: &[&[&str]] = &[
        &[],
        &[""],
        &["Bearer"],
        &["Bearer "],
        &["Bearer garbage"],
        &["Bearer a.b.c"],
        &[&token],
        &[&format!("Basic {token}")],
        &["Basic YWRhOnBhc3N3b3Jk"],
        &[&bearer, &bearer],
        &[&bearer, "Basic YWRhOnBhc3N3b3Jk"],
        &[&format!("{bearer}, {bearer}")],
    ];
    for headers in refused {
        assert_unauthorized(&ask(&host, headers).await, "unauthorized");
    }
}

#[tokio::test]
async fn a_sandbox_token_lives_a_day_and_a_users_an_hour() {
    let host = TestHost::start().await;
    let check = async |token: &str| {
        host.request("GET", &host.actions("/available"), token, Value::Null)
            .await
    };
    host.clock.advance(Duration::from_secs(3599));
    check(&host.admin_token).await.assert_status(200);
    host.clock.advance(Duration::from_secs(1));
    assert_unauthorized(&check(&host.admin_token).await, "token_expired");
    check(&host.sandbox_token).await.assert_status(200);
    host.clock.advance(Duration::from_secs(23 * 3600 - 1));
    check(&host.sandbox_token).await.assert_status(200);
    host.clock.advance(Duration::from_secs(1));
    assert_unauthorized(&check(&host.sandbox_token).await, "token_expired");
}

#[tokio::test]
async fn a_forged_token_proves_nothing() {
    let host = TestHost::start().await;
    for forged in forgeries(&host) {
        let answer = ask(&host, &[&format!("Bearer {forged}")]).await;
        assert_unauthorized(&answer, "unauthorized");
    }
}

/// What somebody may try who has a token and does not have its key.
fn forgeries(host: &TestHost) -> Vec<String> {
    let parts: Vec<&str> = host.sandbox_token.split('.').collect();
    let [head, claims, signature] = parts.try_into().unwrap();
    let user_signature = host.admin_token.rsplit_once('.').unwrap().1;
    let mut flipped = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[0] ^= 1;
    let flipped = BASE64_URL_SAFE_NO_PAD.encode(flipped);
    let none = part(&json!({ "alg": "none", "typ": "JWT" }));
    let hs512 = part(&json!({ "alg": "HS512", "typ": "JWT" }));
    let mut longer = decoded(claims);
    longer["exp"] = json!(4_102_444_800_u32);
    let longer_claims = part(&longer);
    vec![
        format!("{head}.{claims}.{flipped}"),
        format!("{head}.{claims}.{user_signature}"),
        format!("{head}.{claims}."),
        format!("{head}.{claims}"),
        format!("{head}.{longer_claims}.{signature}"),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{hs512}.{claims}.{signature}"),
        signed(Algorithm::HS512, &decoded(claims)),
        signed(Algorithm::HS256, &decoded(claims)),
    ]
}

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Signed with the very secret from the configuration, which is no token's key.
fn signed(algorithm: Algorithm, claims: &Value) -> String {
    let key = EncodingKey::from_secret("t".repeat(40).as_bytes());
    encode(&Header::new(algorithm), claims, &key).unwrap()
}
