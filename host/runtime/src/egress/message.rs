//! What goes in and what comes out: the host's form of `http.wit`.

use std::time::Duration;

use portcullis_core::plugin::Method;

/// One request, as the guest made it: nothing in it has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The name of a declared endpoint.
    pub endpoint: String,
    /// Must be among the endpoint's routes.
    pub method: Method,
    /// Path below the endpoint's base, starting with `/`.
    pub path: String,
    /// Parameters in order, not encoded.
    pub query: Vec<(String, String)>,
    /// Names in any case.
    pub headers: Vec<(String, String)>,
    /// `None`: no body.
    pub body: Option<Vec<u8>>,
    /// `None`: whatever is left of the call.
    pub timeout: Option<Duration>,
}

/// A complete response of any status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// 100 to 999.
    pub status: u16,
    /// Names in lower case. What only concerns the connection, cookies, and
    /// whatever repeats the credential are not among them.
    pub headers: Vec<(String, String)>,
    /// Decompressed, with occurrences of the credential replaced.
    pub body: Vec<u8>,
}

/// Why there is no response; the error kinds of `http.wit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpErrorKind {
    /// The host's policy: endpoint, method, path or address is not allowed.
    Denied,
    /// The request breaks a rule of the interface.
    InvalidRequest,
    /// No connection for the credential that the endpoint takes.
    ConnectionMissing,
    /// The name of the endpoint's host does not resolve.
    Dns,
    /// No connection could be made.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// No complete response in time.
    Timeout,
    /// Request or response is over a limit.
    TooLarge,
    /// The call has made as many requests as it may; counted by the caller.
    TooManyRequests,
    /// The connection broke, or what came back is not HTTP.
    Protocol,
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    /// Closed set.
    pub kind: HttpErrorKind,
    /// For the guest: no credential, no resolved address, no host that the
    /// provider did not declare itself.
    pub message: String,
    /// False only when certainly no byte of the request left the host.
    pub request_sent: bool,
}

impl HttpError {
    /// An error from before anything was sent.
    pub(super) fn unsent(kind: HttpErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            request_sent: false,
        }
    }

    /// An error from when the upstream may have the request.
    pub(super) fn sent(kind: HttpErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            request_sent: true,
        }
    }
}
