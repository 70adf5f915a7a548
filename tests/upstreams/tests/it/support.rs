//! Starting a fake and talking to it.

use std::sync::Once;

use portcullis_upstreams::{FakeLinear, FakeOptions, FakeSentry, FakeSlack, FakeUpstream};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect::Policy};
use serde_json::{Value, json};

pub(crate) const TOKEN: &str = "lin_api_0123456789";

pub(crate) async fn linear() -> FakeUpstream {
    FakeLinear::start(FakeOptions::new(TOKEN)).await.unwrap()
}

pub(crate) async fn sentry() -> FakeUpstream {
    FakeSentry::start(FakeOptions::new(TOKEN)).await.unwrap()
}

pub(crate) async fn slack() -> FakeUpstream {
    FakeSlack::start(FakeOptions::new(TOKEN)).await.unwrap()
}

/// A client that follows no redirects and uses no proxy. Even for plain HTTP, reqwest wants to know
/// which cryptography it would use.
pub(crate) fn client() -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .unwrap();
    });
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .build()
        .unwrap()
}

/// A GraphQL request with the right token.
pub(crate) fn query(fake: &FakeUpstream, document: &str, variables: &Value) -> RequestBuilder {
    client()
        .post(format!("{}/graphql", fake.url()))
        .header("authorization", TOKEN)
        .json(&json!({ "query": document, "variables": variables }))
}

/// The answer's data; fails on errors.
pub(crate) async fn data(fake: &FakeUpstream, document: &str, variables: Value) -> Value {
    let response = query(fake, document, &variables).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body: Value = response.json().await.unwrap();
    assert_eq!(body.get("errors"), None, "{body}");
    body["data"].take()
}

/// The answer's first error; fails unless there is one.
pub(crate) async fn error(
    fake: &FakeUpstream,
    document: &str,
    variables: Value,
) -> (StatusCode, Value) {
    let response = query(fake, document, &variables).send().await.unwrap();
    let status = response.status();
    let mut body: Value = response.json().await.unwrap();
    assert!(body["errors"][0].is_object(), "{body}");
    (status, body["errors"][0].take())
}

/// A request of no interest in itself.
pub(crate) async fn ask(fake: &FakeUpstream) -> Response {
    query(fake, "{ viewer { name } }", &Value::Null)
        .send()
        .await
        .unwrap()
}

/// A request below the address of a fake, with the right token as `Bearer`.
pub(crate) fn bearer(fake: &FakeUpstream, method: &str, path: &str) -> RequestBuilder {
    let url = format!("{}{path}", fake.url());
    client()
        .request(method.parse().unwrap(), url)
        .bearer_auth(TOKEN)
}

/// Status and JSON of an answer.
pub(crate) async fn answered(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

pub(crate) async fn post_fault(fake: &FakeUpstream, fault: Value) -> (StatusCode, Value) {
    let request = client()
        .post(format!("{}/__fault", fake.url()))
        .json(&fault);
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

/// The members named `key` of an array of objects.
pub(crate) fn pluck<'a>(array: &'a Value, key: &str) -> Vec<&'a str> {
    array
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member[key].as_str().unwrap())
        .collect()
}
