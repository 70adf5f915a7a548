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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

impl HttpErrorKind {
    /// The name in metrics and traces; that of `http.wit` with underscores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::InvalidRequest => "invalid_request",
            Self::ConnectionMissing => "connection_missing",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::TooManyRequests => "too_many_requests",
            Self::Protocol => "protocol",
        }
    }
}

/// Which of the host's rules a denied request breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Denial {
    /// The provider declares no endpoint of that name.
    Endpoint,
    /// The endpoint declares no route for that method and path.
    Route,
    /// The request contains a credential.
    Credential,
    /// The base URL is none that requests could go to.
    BaseUrl,
    /// The base is plain HTTP, and nobody granted it.
    PlainHttp,
    /// The host is or resolves to an address that is not globally routable, and
    /// nobody granted it.
    Address,
}

impl Denial {
    /// The name in metrics and traces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Route => "route",
            Self::Credential => "credential",
            Self::BaseUrl => "base_url",
            Self::PlainHttp => "plain_http",
            Self::Address => "address",
        }
    }
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    /// Closed set.
    pub kind: HttpErrorKind,
    /// The rule, where the kind is `Denied`; not for the guest.
    pub denial: Option<Denial>,
    /// For the guest: no credential, no resolved address, no host that the
    /// provider did not declare itself.
    pub message: String,
    /// False only when certainly no byte of the request left the host.
    pub request_sent: bool,
}

impl HttpError {
    /// The host's refusal.
    pub(super) fn denied(denial: Denial, message: impl Into<String>) -> Self {
        Self {
            denial: Some(denial),
            ..Self::unsent(HttpErrorKind::Denied, message)
        }
    }

    /// An error from before anything was sent.
    pub(super) fn unsent(kind: HttpErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            denial: None,
            message: message.into(),
            request_sent: false,
        }
    }

    /// An error from when the upstream may have the request.
    pub(super) fn sent(kind: HttpErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            denial: None,
            message: message.into(),
            request_sent: true,
        }
    }
}
