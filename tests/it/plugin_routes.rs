//! The routes of plugins: installing, comparing, deciding, and what is refused.

mod bad_components;
mod deciding;
mod installing;
mod signed;

use axum::body::Body;
use axum::http::{Request, header};
use portcullis_tests::{Answer, OPERATOR_KEY, TestHost, linear_component};
use serde_json::Value;

/// A host that takes plugins that nobody signed.
async fn host() -> TestHost {
    TestHost::builder()
        .set("plugins.require_signed", "none")
        .start()
        .await
}

/// The request that installs a component.
fn upload(component: impl Into<Body>) -> Request<Body> {
    Request::post("/v1/plugins")
        .header(header::AUTHORIZATION, format!("Bearer {OPERATOR_KEY}"))
        .header(header::CONTENT_TYPE, "application/wasm")
        .body(component.into())
        .unwrap()
}

async fn install(host: &TestHost, component: Vec<u8>) -> Answer {
    host.send(upload(component)).await
}

/// Linear with a custom section at its end: other bytes, and the same in everything
/// else.
fn rebuilt(note: &str) -> Vec<u8> {
    let name = b"note";
    let length = 1 + name.len() + note.len();
    assert!(length < 0x80, "{note}");
    let mut component = linear_component();
    component.extend([0, u8::try_from(length).unwrap(), 4]);
    component.extend(name);
    component.extend(note.as_bytes());
    component
}

async fn get(host: &TestHost, path: &str) -> Value {
    let answer = host.operator("GET", path, Value::Null).await;
    answer.assert_status(200);
    answer.json
}

/// Every version that is listed, as its state and digest.
async fn listed(host: &TestHost) -> Vec<(String, String)> {
    let listed = get(host, "/v1/plugins").await;
    let versions = listed["plugins"].as_array().unwrap().iter();
    let text = |version: &Value, name: &str| version[name].as_str().unwrap().to_owned();
    versions
        .map(|version| (text(version, "state"), text(version, "digest")))
        .collect()
}
