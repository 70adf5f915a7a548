//! The one place where causes become statuses, codes and words.

use std::any::Any;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use portcullis_core::schema::Violation;
use portcullis_storage::{Constraint, Error as StorageError};
use serde::Serialize;
use serde_json::Value;

use super::request::current_request_id;
use crate::auth::AuthError;
use crate::error::Error;

/// When to repeat a request that an outage of the database stopped. About what a
/// restart or a backup takes; a lock has been waited for as long already.
pub(super) const OUTAGE_RETRY: Duration = Duration::from_secs(5);

/// An answer of 400 and above.
#[derive(Debug)]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) details: Vec<Detail>,
    pub(super) retry_after: Option<Duration>,
    /// The invocation that stands beside the error, where one exists.
    pub(super) invocation: Option<Value>,
}

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Detail {
    /// JSON Pointer into the request.
    pub(super) path: String,
    /// The rule's short name.
    pub(super) rule: String,
    /// What is wrong and what would be right.
    pub(super) message: String,
}

impl From<Violation> for Detail {
    fn from(violation: Violation) -> Self {
        Self {
            path: violation.path,
            rule: violation.rule,
            message: violation.message,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    invocation: Option<Value>,
    error: ErrorBody,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody {
    code: &'static str,
    message: String,
    request_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Detail>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            details: Vec::new(),
            retry_after: None,
            invocation: None,
        }
    }

    /// A request that cannot be read as what the route takes.
    pub(super) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// A field that breaks a rule.
    pub(super) fn invalid_field(
        path: impl Into<String>,
        rule: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        let mut error = Self::invalid_request(message.clone());
        error.details.push(Detail {
            path: path.into(),
            rule: rule.into(),
            message,
        });
        error
    }

    fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the gateway failed; its log tells why under this request id",
        )
    }

    /// The database cannot be used, and nothing was done.
    fn unavailable(error: &StorageError) -> Self {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "the database is unavailable"
        );
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the database cannot be used at the moment and nothing was done; repeat the request \
             in a few seconds",
        )
        .retry_after(OUTAGE_RETRY)
    }

    fn outcome_unknown(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "outcome_unknown",
            message,
        )
    }

    fn retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }
}

/// Keeps the cause, which no answer carries.
fn log(error: &Error) {
    tracing::error!(error = error as &dyn std::error::Error, "a request failed");
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        let code = match error {
            AuthError::Invalid => "unauthorized",
            AuthError::Expired => "token_expired",
        };
        Self::new(StatusCode::UNAUTHORIZED, code, error.to_string())
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found", message),
            Error::UnknownSource(_) => Self::new(StatusCode::NOT_FOUND, "unknown_source", message),
            Error::UnknownAction { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_action", message)
            }
            Error::InvalidParams(violations) => {
                let mut error = Self::new(StatusCode::BAD_REQUEST, "invalid_params", message);
                error.details = violations.into_iter().map(Detail::from).collect();
                error
            }
            Error::InvalidField {
                path,
                rule,
                message,
            } => Self::invalid_field(path, rule, message),
            Error::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, "forbidden", message),
            Error::Exists(_) => Self::new(StatusCode::CONFLICT, "already_exists", message),
            Error::SessionClosed => Self::new(StatusCode::CONFLICT, "session_closed", message),
            Error::IdempotencyKeyReused => {
                Self::new(StatusCode::CONFLICT, "idempotency_key_reused", message)
            }
            Error::RateLimited { retry_after, .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message)
                    .retry_after(retry_after)
            }
            Error::TooManyPending { retry_after, .. } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_pending", message)
                    .retry_after(retry_after)
            }
            Error::ShuttingDown => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "shutting_down", message)
                    .retry_after(Duration::from_secs(1))
            }
            Error::Storage(StorageError::Conflict {
                constraint: constraint @ Constraint::Reference,
            }) => Self::new(StatusCode::CONFLICT, "conflict", constraint.to_string()),
            Error::Storage(error @ StorageError::Unavailable { .. }) => Self::unavailable(&error),
            Error::Unrecorded(_) => {
                log(&error);
                Self::outcome_unknown(message)
            }
            // Not 503: whoever repeats the request may do twice what was done.
            Error::Storage(StorageError::Unconfirmed { .. }) => {
                log(&error);
                Self::outcome_unknown(
                    "the database did not confirm whether this took effect; look before you \
                     repeat it",
                )
            }
            Error::Storage(_) | Error::Vault(_) | Error::Internal(_) => {
                log(&error);
                Self::internal()
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Body {
            invocation: self.invocation,
            error: ErrorBody {
                code: self.code,
                message: self.message,
                request_id: current_request_id(),
                details: self.details,
            },
        };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(retry_after) = self.retry_after {
            // At least a second: 0 would ask for an immediate retry.
            let seconds = retry_after.as_secs_f64().ceil().max(1.0);
            if let Ok(value) = HeaderValue::from_str(&format!("{seconds:.0}")) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// Answers what no route takes.
pub(super) async fn not_found(method: Method, uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(200).collect();
    ApiError::new(
        StatusCode::NOT_FOUND,
        "not_found",
        format!("there is no route {method} {path}"),
    )
}

/// Answers a route that takes other methods.
pub(super) async fn method_not_allowed(method: Method) -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("this route does not take {method}; see the Allow header"),
    )
}

/// Answers for a handler that panicked. The panic's text stays in the log.
pub(super) fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::internal().into_response()
}
