//! Why there is no response.

use std::fmt;

pub use crate::bindings::portcullis::provider::http::ErrorKind as HttpErrorKind;
use crate::{
    error::{Error, ErrorCode},
    host::wire,
};

/// Why a request has no response.
///
/// `?` turns it into an [`Error`]: what the host refuses becomes `denied_egress`, a missing
/// connection `connection_missing`, a request against the contract's rules `internal`, a timeout
/// `timeout`, everything else `upstream`. The result is retryable when the failure may pass *and*
/// repeating does no harm: the request only reads, or none of it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    kind: HttpErrorKind,
    message: String,
    request_sent: bool,
    read_only: bool,
}

impl HttpError {
    pub(super) fn new(error: &wire::Error, service: &str, read_only: bool) -> Self {
        let message = match error.kind {
            HttpErrorKind::ConnectionMissing => {
                format!(
                    "There is no usable connection to {service}: {}",
                    error.message
                )
            }
            _ => format!("The request to {service} failed: {}", error.message),
        };
        Self {
            kind: error.kind,
            message,
            request_sent: error.request_sent,
            read_only,
        }
    }

    /// A request that never left the provider.
    pub(super) fn unsendable(message: String) -> Self {
        Self {
            kind: HttpErrorKind::InvalidRequest,
            message,
            request_sent: false,
            read_only: true,
        }
    }

    /// What went wrong.
    pub fn kind(&self) -> HttpErrorKind {
        self.kind
    }

    /// What happened, in words fit for an agent.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// True when any byte of the request may have reached the upstream.
    pub fn request_sent(&self) -> bool {
        self.request_sent
    }

    fn code(&self) -> ErrorCode {
        match self.kind {
            HttpErrorKind::Denied | HttpErrorKind::TooManyRequests => ErrorCode::DeniedEgress,
            // Too large before it was sent is the host's refusal; after, it is what the upstream
            // answered.
            HttpErrorKind::TooLarge if !self.request_sent => ErrorCode::DeniedEgress,
            HttpErrorKind::InvalidRequest => ErrorCode::Internal,
            HttpErrorKind::ConnectionMissing => ErrorCode::ConnectionMissing,
            HttpErrorKind::Timeout => ErrorCode::Timeout,
            HttpErrorKind::Dns
            | HttpErrorKind::Connect
            | HttpErrorKind::Tls
            | HttpErrorKind::TooLarge
            | HttpErrorKind::Protocol => ErrorCode::Upstream,
        }
    }

    fn may_pass(&self) -> bool {
        matches!(
            self.kind,
            HttpErrorKind::Dns
                | HttpErrorKind::Connect
                | HttpErrorKind::Timeout
                | HttpErrorKind::Protocol
        )
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for HttpError {}

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Self {
        let harmless = error.read_only || !error.request_sent;
        let told = Self::new(error.code(), error.message.as_str());
        if harmless {
            told.retryable(error.may_pass())
        } else {
            told.of_unknown_outcome()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: HttpErrorKind, request_sent: bool, read_only: bool) -> Error {
        let error = wire::Error {
            kind,
            message: "no route".to_owned(),
            request_sent,
        };
        HttpError::new(&error, "Linear", read_only).into()
    }

    #[test]
    fn every_kind_has_its_code() {
        for (kind, code) in [
            (HttpErrorKind::Denied, ErrorCode::DeniedEgress),
            (HttpErrorKind::InvalidRequest, ErrorCode::Internal),
            (
                HttpErrorKind::ConnectionMissing,
                ErrorCode::ConnectionMissing,
            ),
            (HttpErrorKind::Dns, ErrorCode::Upstream),
            (HttpErrorKind::Connect, ErrorCode::Upstream),
            (HttpErrorKind::Tls, ErrorCode::Upstream),
            (HttpErrorKind::Timeout, ErrorCode::Timeout),
            (HttpErrorKind::TooManyRequests, ErrorCode::DeniedEgress),
            (HttpErrorKind::Protocol, ErrorCode::Upstream),
        ] {
            assert_eq!(error(kind, false, true).code(), code, "{kind:?}");
        }
        assert_eq!(
            error(HttpErrorKind::TooLarge, false, true).code(),
            ErrorCode::DeniedEgress
        );
        assert_eq!(
            error(HttpErrorKind::TooLarge, true, true).code(),
            ErrorCode::Upstream
        );
    }

    #[test]
    fn a_write_that_may_have_arrived_is_not_retryable() {
        assert!(!error(HttpErrorKind::Timeout, true, false).is_retryable());
        assert!(error(HttpErrorKind::Timeout, true, true).is_retryable());
        assert!(error(HttpErrorKind::Connect, false, false).is_retryable());
    }

    #[test]
    fn a_write_that_may_have_arrived_may_have_happened() {
        let told = |request_sent, read_only| {
            let error = error(HttpErrorKind::Timeout, request_sent, read_only);
            error.message().to_owned()
        };

        assert_eq!(
            told(true, false),
            "The request to Linear failed: no route. It may have happened all the same: look \
             before you ask for it again."
        );
        assert_eq!(told(true, true), "The request to Linear failed: no route");
        assert_eq!(told(false, false), "The request to Linear failed: no route");
    }

    #[test]
    fn refusals_are_never_retryable() {
        assert!(!error(HttpErrorKind::Denied, false, true).is_retryable());
        assert!(!error(HttpErrorKind::ConnectionMissing, false, true).is_retryable());
    }
}
