//! The record of what a fake received.
//!
//! Credentials never get in here: headers that could hold one are recorded by name only, and the
//! token itself is replaced wherever else it appears.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, request::Parts};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::credential::{AuthorizationForm, Credential};

/// How many requests are kept; the oldest go first. A demo may run for days.
const MAX_REQUESTS: usize = 10_000;

/// Longer bodies are recorded by their length alone, so that a full journal stays below a gigabyte.
const MAX_RECORDED_BODY_BYTES: usize = 64 * 1024;

/// Headers whose values are recorded. None of them carries a credential.
const RECORDED_VALUES: [&str; 7] = [
    "accept",
    "accept-encoding",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "user-agent",
];

/// One request as a fake received it. Serialized in camelCase by `GET /__requests`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedRequest {
    /// Position in the order of arrival, from 1.
    pub sequence: u64,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path as sent, still percent-encoded.
    pub path: String,
    /// The query as sent, without the question mark; empty when there was none.
    pub query: String,
    /// Every header received, by lower-case name. The value is `None` unless the header is one of a
    /// few that cannot carry a credential; repeated values are joined by `", "`.
    pub headers: BTreeMap<String, Option<String>>,
    /// The body: as JSON if it parses, else as text; null if it was empty or longer than 64 KiB.
    pub body: Value,
    /// Length of the body in bytes.
    pub body_bytes: usize,
    /// Whether the right credential was there, once, in a form the vendor accepts.
    pub authorized: bool,
    /// The form of the `Authorization` header, right or wrong; `None` when it was absent or
    /// repeated.
    pub authorization: Option<AuthorizationForm>,
    /// The account whose token it was, as it was named to
    /// [`FakeUpstream::accept`](crate::FakeUpstream::accept); `None` for the token the fake was
    /// started with, and where none was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// The requests received so far, and a way to wait for more.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: Mutex<VecDeque<RecordedRequest>>,
    received: watch::Sender<u64>,
}

impl Journal {
    pub(crate) fn record(&self, head: &Parts, body: &Bytes, credential: &Credential) {
        let mut entry = describe(head, body, credential);
        let mut entries = self.entries();
        self.received.send_modify(|received| {
            *received += 1;
            entry.sequence = *received;
        });
        if entries.len() == MAX_REQUESTS {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(crate) fn snapshot(&self) -> Vec<RecordedRequest> {
        self.entries().iter().cloned().collect()
    }

    /// Waits until `count` requests have been received since the start.
    pub(crate) async fn reached(&self, count: u64) {
        let waited = self
            .received
            .subscribe()
            .wait_for(|received| *received >= count)
            .await
            .map(drop);
        waited.expect("the sender lives in `self`");
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<RecordedRequest>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn describe(head: &Parts, body: &Bytes, credential: &Credential) -> RecordedRequest {
    let authorization = credential.judge(&head.headers);
    RecordedRequest {
        sequence: 0,
        method: head.method.to_string(),
        path: credential.scrub(head.uri.path()),
        query: credential.scrub(head.uri.query().unwrap_or_default()),
        headers: describe_headers(&head.headers, credential),
        body: describe_body(body, credential),
        body_bytes: body.len(),
        authorized: authorization.authorized,
        authorization: authorization.form,
        account: authorization.account,
    }
}

fn describe_headers(
    headers: &HeaderMap,
    credential: &Credential,
) -> BTreeMap<String, Option<String>> {
    let describe = |name: &http::HeaderName| {
        let value = RECORDED_VALUES
            .contains(&name.as_str())
            .then(|| credential.scrub(&joined_values(headers, name)));
        (name.to_string(), value)
    };
    headers.keys().map(describe).collect()
}

fn joined_values(headers: &HeaderMap, name: &http::HeaderName) -> String {
    let values = headers.get_all(name).iter();
    values
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect::<Vec<_>>()
        .join(", ")
}

fn describe_body(body: &Bytes, credential: &Credential) -> Value {
    if body.is_empty() || body.len() > MAX_RECORDED_BODY_BYTES {
        return Value::Null;
    }
    let text = credential.scrub(&String::from_utf8_lossy(body));
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

#[cfg(test)]
mod tests {
    use http::Request;
    use serde_json::json;

    use super::*;

    fn record(journal: &Journal, request: Request<&'static str>) {
        let credential = Credential::new("s3cret", &[AuthorizationForm::Bearer]);
        let (head, body) = request.into_parts();
        journal.record(&head, &Bytes::from_static(body.as_bytes()), &credential);
    }

    fn recorded(request: Request<&'static str>) -> RecordedRequest {
        let journal = Journal::default();
        record(&journal, request);
        journal.snapshot().remove(0)
    }

    #[test]
    fn the_token_is_recorded_nowhere() {
        let request = Request::post("/p/s3cret?key=s3cret")
            .header("authorization", "Bearer s3cret")
            .header("x-key", "s3cret")
            .header("user-agent", "s3cret")
            .body(r#"{"leak":"s3cret"}"#);
        let entry = recorded(request.unwrap());
        let text = serde_json::to_string(&entry).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
        assert!(entry.authorized);
        assert_eq!(entry.path, "/p/[credential]");
        assert_eq!(entry.headers["authorization"], None);
    }

    #[test]
    fn a_wrong_token_is_not_recorded_either() {
        let request = Request::get("/")
            .header("authorization", "Bearer other")
            .body("");
        let entry = recorded(request.unwrap());
        assert!(!entry.authorized);
        assert_eq!(entry.authorization, Some(AuthorizationForm::Bearer));
        assert!(!serde_json::to_string(&entry).unwrap().contains("other"));
    }

    #[test]
    fn bodies_are_json_or_text_or_null() {
        let body = |text| recorded(Request::post("/").body(text).unwrap()).body;
        assert_eq!(body(r#"{"a":1}"#), json!({"a": 1}));
        assert_eq!(body("a=1&b=2"), json!("a=1&b=2"));
        assert_eq!(body(""), Value::Null);
    }

    #[test]
    fn the_oldest_requests_go_first() {
        let journal = Journal::default();
        for _ in 0..=MAX_REQUESTS {
            record(&journal, Request::get("/").body("").unwrap());
        }
        let entries = journal.snapshot();
        assert_eq!(entries.len(), MAX_REQUESTS);
        assert_eq!(entries[0].sequence, 2);
    }
}
