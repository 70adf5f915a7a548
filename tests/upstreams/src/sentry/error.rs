//! Sentry's refusals: a status and a body that says why.

use std::time::Duration;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

use super::quota;
use crate::TimeSource;

/// A request that is not carried out.
#[derive(Debug)]
pub(crate) struct SentryError {
    status: StatusCode,
    body: Value,
}

impl SentryError {
    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "Authentication credentials were not provided.",
        )
    }

    pub(crate) fn invalid_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Invalid token")
    }

    pub(crate) fn forbidden() -> Self {
        let detail = "You do not have permission to perform this action.";
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// Also what somebody hears who may not know that it exists.
    pub(crate) fn not_found() -> Self {
        let detail = "The requested resource does not exist";
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(crate) fn bad_request(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// What is wrong with a field of the body.
    pub(crate) fn invalid_field(field: &str, reason: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            body: json!({ field: [reason] }),
        }
    }

    fn new(status: StatusCode, detail: &str) -> Self {
        Self {
            status,
            body: json!({ "detail": detail }),
        }
    }
}

impl IntoResponse for SentryError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

pub(super) fn refused(error: &str) -> Response {
    SentryError::bad_request(error).into_response()
}

/// Sentry names the moment at which the quota is renewed, and no time to wait.
pub(super) fn rate_limited(clock: &TimeSource, retry_after: Duration) -> Response {
    let detail = "You are attempting to use this endpoint too frequently.";
    let error = SentryError::new(StatusCode::TOO_MANY_REQUESTS, detail);
    (quota::exhausted(clock, retry_after), error).into_response()
}
