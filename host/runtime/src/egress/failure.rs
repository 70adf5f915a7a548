//! Why an exchange failed, read from reqwest's errors.

use std::error::Error;
use std::io;

use portcullis_core::plugin::Endpoint;

use super::address::NotGloballyRoutable;
use super::message::{HttpError, HttpErrorKind};
use super::target::Base;

/// What hyper says about more headers than it was told to take. Its error has a
/// method for this, but hyper is not ours to name; a test sends too many and so
/// notices when the text changes.
const TOO_MANY_HEADERS: &str = "message head is too large";

/// Names the reason for which no response came.
///
/// All errors up to the TLS handshake are raised while connecting, before
/// anything of the request is written; of all others the upstream may have the
/// request.
pub(super) fn classify(error: &reqwest::Error, base: &Base<'_>, endpoint: &Endpoint) -> HttpError {
    if has_cause::<NotGloballyRoutable>(error) {
        return base.not_routable(endpoint);
    }
    if error.is_connect() {
        let (kind, what) = while_connecting(error);
        return HttpError::unsent(kind, about(endpoint, what));
    }
    if error.is_builder() {
        let what = "the request cannot be sent";
        return HttpError::unsent(HttpErrorKind::InvalidRequest, about(endpoint, what));
    }
    let (kind, what) = if causes(error).any(|cause| cause.to_string() == TOO_MANY_HEADERS) {
        (
            HttpErrorKind::TooLarge,
            "the response has more or longer headers than egress.max_response_headers and \
             egress.max_response_header_bytes allow",
        )
    } else {
        (
            HttpErrorKind::Protocol,
            "the connection broke, or the answer is not HTTP",
        )
    };
    HttpError::sent(kind, about(endpoint, what))
}

fn while_connecting(error: &reqwest::Error) -> (HttpErrorKind, &'static str) {
    if error.is_timeout() {
        (HttpErrorKind::Timeout, "no connection in time")
    } else if error.is_dns() {
        (HttpErrorKind::Dns, "the host's name does not resolve")
    } else if has_cause::<rustls::Error>(error) {
        (HttpErrorKind::Tls, "the TLS handshake failed")
    } else {
        (HttpErrorKind::Connect, "no connection could be made")
    }
}

fn about(endpoint: &Endpoint, what: &str) -> String {
    format!("endpoint `{}`: {what}", endpoint.name)
}

/// The error and its causes as one line, for the log: without the URL, whose
/// query may carry the credential.
pub(super) fn describe(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<_> = causes(error)
        .map(|cause| match cause.downcast_ref::<reqwest::Error>() {
            Some(error) if error.url().is_some() => "request".to_owned(),
            _ => cause.to_string(),
        })
        .collect();
    texts.join(": ")
}

fn has_cause<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(<dyn Error>::is::<E>)
}

/// The error, its source, the source's source, and so on.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

/// `io::Error` skips the error it wraps: its source is that error's source.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
