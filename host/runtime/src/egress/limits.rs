//! How much a request and a response may carry.

use std::time::Duration;

/// The limits of one exchange. What is over one of them is `too-large`, except
/// for `connect_timeout`, which is `timeout`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressLimits {
    /// Bytes of a path as the guest wrote it. Default 2 KiB, as `http.wit`
    /// promises: no upstream we know takes longer ones.
    pub max_path_bytes: usize,
    /// Bytes of a query after encoding. Default 16 KiB, as `http.wit` promises:
    /// filters of Sentry and Jira are long.
    pub max_query_bytes: usize,
    /// Headers of the guest. Default 32, as `http.wit` promises.
    pub max_headers: usize,
    /// Bytes of all names and values of the guest's headers. Default 8 KiB:
    /// servers commonly refuse more.
    pub max_header_bytes: usize,
    /// Bytes of a request's body. Default 1 MiB: several times the largest
    /// document an agent writes.
    pub max_request_body_bytes: usize,
    /// Bytes of a response's body as the guest gets it, decompressed, so that a small
    /// archive cannot grow without bound. Default 8 MiB: it must fit into a guest's
    /// memory several times.
    pub max_response_body_bytes: usize,
    /// Bytes of a response's body as they are received: archives may hold nothing,
    /// for ever. Default 8 MiB, since most bodies are not compressed.
    pub max_response_wire_bytes: usize,
    /// Headers of a response. Default 100: usual responses have about 30.
    pub max_response_headers: usize,
    /// Bytes of all names and values of a response's headers. Default 64 KiB.
    pub max_response_header_bytes: usize,
    /// Resolving, connecting and the TLS handshake together. Default 10 s: it
    /// leaves most of a call's 30 s to the response.
    pub connect_timeout: Duration,
}

impl Default for EgressLimits {
    fn default() -> Self {
        Self {
            max_path_bytes: 2 << 10,
            max_query_bytes: 16 << 10,
            max_headers: 32,
            max_header_bytes: 8 << 10,
            max_request_body_bytes: 1 << 20,
            max_response_body_bytes: 8 << 20,
            max_response_wire_bytes: 8 << 20,
            max_response_headers: 100,
            max_response_header_bytes: 64 << 10,
            connect_timeout: Duration::from_secs(10),
        }
    }
}
