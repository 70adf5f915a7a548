//! A complete response.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{request::Terms, status};
use crate::{
    clock::Timestamp,
    error::{Error, Result},
    host::wire,
};

/// A complete response of any status.
///
/// **Shape**: header names in lower case, in the order received; the body decompressed. The host
/// removes `set-cookie` and replaces whatever repeats the credential.
#[derive(Clone, Debug)]
pub struct Response {
    wire: wire::Response,
    service: &'static str,
    received_at: Timestamp,
    terms: Terms,
}

impl Response {
    pub(super) fn new(
        wire: wire::Response,
        service: &'static str,
        received_at: Timestamp,
        terms: Terms,
    ) -> Self {
        Self {
            wire,
            service,
            received_at,
            terms,
        }
    }

    /// The status, 100 to 599.
    pub fn status(&self) -> u16 {
        self.wire.status
    }

    /// True for 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.wire.status)
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All headers: name and value.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.wire
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The body's bytes.
    pub fn body(&self) -> &[u8] {
        &self.wire.body
    }

    /// The body as text.
    ///
    /// **Errors**: `upstream` when it is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        std::str::from_utf8(self.body())
            .map_err(|_| self.incomprehensible("the body is not UTF-8 text"))
    }

    /// The body, read from JSON.
    ///
    /// **Errors**: `upstream`, with the line and column where the body stopped making sense;
    /// retryable when a read got what is no JSON at all, as from a proxy on the way.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(self.body()).map_err(|error| {
            let garbled = !error.is_data();
            self.incomprehensible(&error.to_string())
                .retryable(garbled && self.read_only())
        })
    }

    /// The response itself if it is a success, else the error its status stands for.
    ///
    /// **Errors**: see [`error`](Response::error).
    pub fn success(self) -> Result<Self> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(self.error())
        }
    }

    /// The error that the status stands for, whatever the status is.
    ///
    /// | status | code | retryable |
    /// | --- | --- | --- |
    /// | 400, 422 | `invalid_params` | no |
    /// | 401 | `unauthorized` | no |
    /// | 402, 403 | `forbidden` | no |
    /// | 404, 410 | `not_found` | no |
    /// | 409, 412 | `conflict` | no |
    /// | 429 | `rate_limited` | yes |
    /// | 408, 504 | `timeout` | if the request only reads |
    /// | other 5xx | `upstream` | if the request only reads |
    /// | anything else | `upstream` | no |
    ///
    /// The message has the beginning of the body; a `Retry-After` header, or what
    /// [`Request::retry_after`](super::Request::retry_after) reads instead, becomes the error's wait.
    pub fn error(&self) -> Error {
        status::error(self)
    }

    /// When the response arrived.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    pub(crate) fn service(&self) -> &'static str {
        self.service
    }

    /// True when the request only read, so that repeating it does no harm.
    pub(crate) fn read_only(&self) -> bool {
        self.terms.read_only
    }

    /// How long the upstream asks to wait, as the request reads it.
    pub(crate) fn asked_wait(&self) -> Option<Duration> {
        (self.terms.asked_wait)(self)
    }

    pub(crate) fn incomprehensible(&self, why: &str) -> Error {
        let error = Error::upstream(format!(
            "{} sent an answer that cannot be understood: {why}.",
            self.service
        ));
        if self.read_only() {
            error
        } else {
            error.of_unknown_outcome()
        }
    }
}
