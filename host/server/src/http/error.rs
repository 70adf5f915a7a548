//! The one place where causes become statuses, codes and words.
//!
//! `code` is the table of codes, `failure` tells how failed invocations are
//! answered.

pub(super) mod code;
mod failure;

use std::any::Any;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use portcullis_core::invocation::FailureCode;
use portcullis_core::schema::Violation;
use portcullis_storage::{Constraint, Error as StorageError};
use serde::Serialize;
use utoipa::ToSchema;

use super::names::ErrorCodeName;
use super::objects::InvocationObject;
use super::request::current_request_id;
use crate::auth::AuthError;
use crate::error::{Error, Undecided};
use crate::plugins::PluginError;
pub(super) use code::{CanFail, Code, ErrorCode};

/// When to repeat a request that an outage of the database stopped. About what a
/// restart or a backup takes; a lock has been waited for as long already.
pub(super) const OUTAGE_RETRY: Duration = Duration::from_secs(5);

/// When to ask again for a stream of events: somebody may have left.
const STREAM_RETRY: Duration = Duration::from_secs(10);

/// An answer of 400 and above.
#[derive(Debug)]
pub(super) struct ApiError {
    /// Decides the status.
    pub(super) code: ErrorCode,
    pub(super) message: String,
    pub(super) details: Vec<Detail>,
    pub(super) retry_after: Option<Duration>,
    /// The invocation that stands beside the error, where one exists.
    pub(super) invocation: Option<Box<InvocationObject>>,
}

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Detail {
    /// JSON Pointer into the request.
    #[schema(example = "/params/title")]
    pub(super) path: String,
    /// The rule's short name.
    #[schema(example = "required")]
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

/// What every answer of 400 and above holds.
#[derive(Serialize, ToSchema)]
#[schema(as = ErrorBody)]
pub(super) struct Body {
    /// The invocation, where one exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    invocation: Option<Box<InvocationObject>>,
    error: ErrorObject,
}

/// What went wrong and what to do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Error)]
pub(super) struct ErrorObject {
    /// For programs.
    #[schema(value_type = ErrorCodeName)]
    code: &'static str,
    /// For people: what happened and what to do.
    message: String,
    /// The request's id, as in the answer's `X-Request-Id` and in the gateway's
    /// log.
    #[schema(format = "uuid")]
    request_id: String,
    /// Each violation, where something in the request is not as it should be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    details: Vec<Detail>,
}

impl ErrorObject {
    /// An error of the request that is being answered.
    pub(super) fn new(code: ErrorCode, message: impl Into<String>, details: Vec<Detail>) -> Self {
        Self {
            code: code.as_str(),
            message: message.into(),
            request_id: current_request_id(),
            details,
        }
    }
}

impl ApiError {
    pub(super) fn new(code: impl Into<ErrorCode>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            details: Vec::new(),
            retry_after: None,
            invocation: None,
        }
    }

    /// A request that cannot be read as what the route takes.
    pub(super) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, message)
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

    pub(super) fn internal() -> Self {
        Self::new(
            Code::Internal,
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
            Code::Unavailable,
            "the database cannot be used at the moment and nothing was done; repeat the request \
             in a few seconds",
        )
        .retry_after(OUTAGE_RETRY)
    }

    fn outcome_unknown(message: impl Into<String>) -> Self {
        Self::new(Code::OutcomeUnknown, message)
    }

    fn retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }
}

const fn undecided(why: Undecided) -> Code {
    match why {
        Undecided::AlreadyDecided => Code::AlreadyDecided,
        Undecided::Expired => Code::Expired,
        Undecided::DefinitionChanged => Code::DefinitionChanged,
        Undecided::ConnectionChanged => Code::ConnectionChanged,
        Undecided::DeniedMeanwhile => Code::DeniedMeanwhile,
        Undecided::SessionClosed => Code::SessionClosed,
    }
}

const fn plugin(refused: &PluginError) -> Code {
    match refused {
        PluginError::Invalid(_)
        | PluginError::Manifest(_)
        | PluginError::OtherPlugin { .. }
        | PluginError::Taken(_) => Code::InvalidPlugin,
        PluginError::Signature(_) => Code::InvalidSignature,
        PluginError::Unsigned(_) => Code::SignatureRequired,
        PluginError::NotStaged { .. } => Code::NotStaged,
        PluginError::ActiveChanged { .. } => Code::ActiveChanged,
        PluginError::NoEarlierVersion { .. } => Code::NoEarlierVersion,
        PluginError::Unloadable { .. } => Code::PluginUnloadable,
        PluginError::InUse { .. } => Code::PluginInUse,
    }
}

/// Keeps the cause, which no answer carries.
fn log(error: &Error) {
    tracing::error!(error = error as &dyn std::error::Error, "a request failed");
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        let code = match error {
            AuthError::Invalid => Code::Unauthorized,
            AuthError::Expired => Code::TokenExpired,
        };
        Self::new(code, error.to_string())
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::NotFound(_) => Self::new(Code::NotFound, message),
            Error::UnknownSource(_) => Self::new(Code::UnknownSource, message),
            Error::UnknownAction { .. } => Self::new(Code::UnknownAction, message),
            Error::InvalidParams(violations) => {
                let mut error = Self::new(Code::InvalidParams, message);
                error.details = violations.into_iter().map(Detail::from).collect();
                error
            }
            Error::InvalidField {
                path,
                rule,
                message,
            } => Self::invalid_field(path, rule, message),
            Error::Forbidden(_) => Self::new(Code::Forbidden, message),
            Error::Exists(_) => Self::new(Code::AlreadyExists, message),
            Error::SessionClosed => Self::new(Code::SessionClosed, message),
            Error::Undecided { invocation, why } => Self {
                invocation: Some(Box::new(InvocationObject::from(&*invocation))),
                ..Self::new(undecided(why), message)
            },
            Error::NoResult(invocation) => Self {
                invocation: Some(Box::new(InvocationObject::from(&*invocation))),
                ..Self::new(Code::NoResult, message)
            },
            Error::ResultExpired(invocation) => Self {
                invocation: Some(Box::new(InvocationObject::from(&*invocation))),
                ..Self::new(Code::ResultExpired, message)
            },
            Error::Astray(_) => Self::new(Code::NothingThere, message),
            Error::IdempotencyKeyReused => Self::new(Code::IdempotencyKeyReused, message),
            Error::DefinitionChanged(_) => Self::new(Code::DefinitionChanged, message),
            Error::RateLimited { retry_after, .. } => {
                Self::new(Code::RateLimited, message).retry_after(retry_after)
            }
            Error::TooManyPending { retry_after, .. } => {
                Self::new(Code::TooManyPending, message).retry_after(retry_after)
            }
            Error::TooManyStreams(_) => {
                Self::new(Code::TooManyStreams, message).retry_after(STREAM_RETRY)
            }
            Error::Plugin(refused) => Self::new(plugin(&refused), message),
            Error::Busy => {
                Self::new(FailureCode::Busy, message).retry_after(Duration::from_secs(1))
            }
            Error::ShuttingDown => {
                Self::new(Code::ShuttingDown, message).retry_after(Duration::from_secs(1))
            }
            Error::Storage(StorageError::Conflict {
                constraint: constraint @ Constraint::Reference,
            }) => Self::new(Code::Conflict, constraint.to_string()),
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
        let status = self.code.status();
        let body = Body {
            invocation: self.invocation,
            error: ErrorObject::new(self.code, self.message, self.details),
        };
        let mut response = (status, Json(body)).into_response();
        if let Some(retry_after) = self.retry_after {
            // At least a second: 0 would ask for an immediate retry.
            let seconds = retry_after.as_secs_f64().ceil().max(1.0);
            if let Ok(value) = HeaderValue::from_str(&format!("{seconds:.0}")) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
        }
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        if status == StatusCode::UPGRADE_REQUIRED {
            let headers = response.headers_mut();
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            let version = HeaderValue::from_static("13");
            headers.insert(header::SEC_WEBSOCKET_VERSION, version);
        }
        response
    }
}

/// Answers what no route takes.
pub(super) async fn not_found(method: Method, uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(200).collect();
    ApiError::new(Code::NotFound, format!("there is no route {method} {path}"))
}

/// Answers a route that takes other methods.
pub(super) async fn method_not_allowed(method: Method) -> ApiError {
    ApiError::new(
        Code::MethodNotAllowed,
        format!("this route does not take {method}; see the Allow header"),
    )
}

/// Answers for a handler that panicked. What there is to tell of it is told by
/// [`crate::panics`].
pub(super) fn panicked(_panic: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::internal().into_response()
}
