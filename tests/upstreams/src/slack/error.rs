//! Slack's refusals: `{"ok": false, "error": "…"}`, with status 200 but for too many requests.

use std::time::Duration;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use serde_json::{Value, json};

/// Why a method did not do what it was asked for.
#[derive(Debug)]
pub(crate) struct SlackError(Value);

impl SlackError {
    /// An error that says no more than its name.
    pub(crate) fn named(error: &str) -> Self {
        Self(json!({ "ok": false, "error": error }))
    }

    /// The token is good for something else.
    pub(crate) fn missing_scope(needed: &str, provided: &[String]) -> Self {
        Self(json!({
            "ok": false,
            "error": "missing_scope",
            "needed": needed,
            "provided": provided.join(","),
        }))
    }

    /// An argument is of another type.
    pub(crate) fn must_be_text(argument: &str) -> Self {
        let message = format!("[ERROR] must be a string [json-pointer:/{argument}]");
        Self(json!({
            "ok": false,
            "error": "invalid_arguments",
            "response_metadata": { "messages": [message] },
        }))
    }
}

impl IntoResponse for SlackError {
    fn into_response(self) -> Response {
        Json(self.0).into_response()
    }
}

pub(super) fn refused(error: &str) -> Response {
    SlackError::named(error).into_response()
}

pub(super) fn rate_limited(retry_after: Duration) -> Response {
    let wait = HeaderValue::from(retry_after.as_secs());
    (
        StatusCode::TOO_MANY_REQUESTS,
        [(RETRY_AFTER, wait)],
        SlackError::named("ratelimited"),
    )
        .into_response()
}
