//! The fake Sentry: finding, changing, commenting, and who may.

mod access;
mod changes;
mod listing;

use portcullis_upstreams::{FakeUpstream, sentry::ids};
use serde_json::Value;

use crate::support::{answered, bearer};

const ISSUES: &str = "/api/0/organizations/acme/issues/";

/// A path below an issue.
fn below(issue: &str, rest: &str) -> String {
    format!("{ISSUES}{issue}/{rest}")
}

/// What is read there; fails unless it is answered with 200.
async fn read(fake: &FakeUpstream, path: &str) -> Value {
    let (status, body) = answered(bearer(fake, "GET", path)).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// What is answered to a body of JSON.
async fn send(fake: &FakeUpstream, method: &str, path: &str, body: Value) -> (u16, Value) {
    answered(bearer(fake, method, path).json(&body)).await
}

/// Changes WEB-1.
async fn update(fake: &FakeUpstream, fields: Value) -> (u16, Value) {
    send(fake, "PUT", &below(ids::ISSUE_TYPE_ERROR, ""), fields).await
}

/// Comments on WEB-1.
async fn comment(fake: &FakeUpstream, text: &str) -> (u16, Value) {
    let path = below(ids::ISSUE_TYPE_ERROR, "notes/");
    send(fake, "POST", &path, serde_json::json!({ "text": text })).await
}
