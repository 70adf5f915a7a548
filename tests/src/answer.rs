//! What the gateway answered.

use axum::body::Body;
use axum::http::{HeaderMap, Response};
use http_body_util::BodyExt as _;
use portcullis_test_canary::{Place, canaries};
use serde_json::Value;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; null where it is none.
    pub json: Value,
}

impl Answer {
    /// Puts an answer together. Fails when there is a credential in it.
    #[track_caller]
    pub(crate) fn new(status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        search(&headers, &body);
        let text = String::from_utf8(body).expect("UTF-8");
        Self {
            status,
            headers,
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    /// Reads a response.
    pub async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Self::new(parts.status.as_u16(), parts.headers, bytes.to_vec())
    }

    /// A header's value; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// `error.code`; empty where there is none.
    pub fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    /// `error.message`; empty where there is none.
    pub fn message(&self) -> &str {
        self.json["error"]["message"].as_str().unwrap_or_default()
    }

    /// A field that holds text, such as `id` or `token`.
    #[track_caller]
    pub fn text_field(&self, name: &str) -> String {
        let text = self.json[name].as_str();
        text.unwrap_or_else(|| panic!("no {name} in {}", self.text))
            .to_owned()
    }

    /// `error.details` as pairs of path and rule.
    pub fn violations(&self) -> Vec<(&str, &str)> {
        let details = self.json["error"]["details"].as_array();
        let text = |detail: &'_ Value, field: &str| detail[field].as_str().is_some();
        details
            .into_iter()
            .flatten()
            .inspect(|detail| assert!(text(detail, "message"), "{detail}"))
            .map(|detail| {
                (
                    detail["path"].as_str().expect("a path"),
                    detail["rule"].as_str().expect("a rule"),
                )
            })
            .collect()
    }

    /// Fails unless this is an error of the contract's shape.
    #[track_caller]
    pub fn assert_error(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        assert!(!self.message().is_empty(), "{}", self.text);
        let request_id = self.json["error"]["requestId"].as_str();
        assert!(request_id.is_some_and(|id| !id.is_empty()), "{}", self.text);
        assert_eq!(request_id, Some(self.header("x-request-id")));
    }

    /// Fails unless a field of the request was refused, and this one for this
    /// rule.
    #[track_caller]
    pub fn assert_field(&self, path: &str, rule: &str) {
        self.assert_error(400, "invalid_request");
        assert_eq!(self.violations(), [(path, rule)], "{}", self.text);
    }

    /// Fails unless the status is this one.
    #[track_caller]
    pub fn assert_status(&self, status: u16) {
        assert_eq!(self.status, status, "{}", self.text);
    }
}

/// Fails when there is a credential in the headers or in the body.
#[track_caller]
fn search(headers: &HeaderMap, body: &[u8]) {
    let mut answer = Vec::new();
    for (name, value) in headers {
        answer.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
    }
    answer.extend_from_slice(body);
    canaries().look_and_expect_nothing(Place::Answer, "an answer", &answer);
}
