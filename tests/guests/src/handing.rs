//! Hands the host text that is too long, or none at all.

use serde::Deserialize;

use crate::bindings::exports::portcullis::provider::actions::Context;
use crate::bindings::portcullis::provider::http;
use crate::bindings::portcullis::provider::log::{self, Level};
use crate::bindings::portcullis::provider::types::Error;
use crate::outbound::{self, Answer};
use crate::{internal, params};

/// Where text leaves the guest.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    Endpoint,
    Path,
    QueryName,
    QueryValue,
    HeaderName,
    HeaderValue,
    Body,
    Log,
    Result,
    Error,
}

/// Hands over so many bytes in one place.
pub(crate) fn huge_text(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        place: Place,
        bytes: usize,
    }
    let Params { place, bytes } = params(json)?;
    hand_over(place, "x".repeat(bytes))
}

/// Hands over these bytes as text, whatever they are.
pub(crate) fn invalid_text(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        place: Place,
        bytes: Vec<u8>,
    }
    let Params { place, bytes } = params(json)?;
    hand_over(place, unchecked(bytes))
}

#[expect(
    unsafe_code,
    reason = "a hostile guest is not bound by what Rust calls a string"
)]
pub(crate) fn unchecked(bytes: Vec<u8>) -> String {
    // SAFETY: whoever gets it hands address and length to the host, and looks at no
    // character of it.
    unsafe { String::from_utf8_unchecked(bytes) }
}

fn hand_over(place: Place, text: String) -> Result<String, Error> {
    match place {
        Place::Result => Ok(text),
        Place::Error => Err(internal(&text)),
        Place::Log => {
            log::write(Level::Info, &text);
            Ok("null".to_owned())
        }
        _ => Answer::from(http::send(&request_with(place, text))).to_json(),
    }
}

fn request_with(place: Place, text: String) -> http::Request {
    let mut request = outbound::plain_request();
    let other = || "x-text".to_owned();
    match place {
        Place::Endpoint => request.endpoint = text,
        Place::Path => request.path.push_str(&text),
        Place::QueryName => request.query.push((text, other())),
        Place::QueryValue => request.query.push((other(), text)),
        Place::HeaderName => request.headers.push((text, other())),
        Place::HeaderValue => request.headers.push((other(), text)),
        Place::Body => request.body = Some(text.into_bytes()),
        Place::Log | Place::Result | Place::Error => {}
    }
    request
}
