//! Faults as HTTP responses.

use std::{
    convert::Infallible,
    io::{Error, ErrorKind},
};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
};

use serde_json::Value;

use super::Fault;

/// What a huge body is made of. One allocation for the life of the process, whatever the length.
static FILLER: [u8; 64 * 1024] = [b'a'; 64 * 1024];

/// Answers that are cut or added to are read first. What the fakes hold makes shorter ones.
const MAX_READ_BYTES: usize = 16 * 1024 * 1024;

/// The answer in place of the vendor's own; `None` for a fault that does not replace it.
pub(crate) fn replacement(fault: &Fault) -> Option<Response> {
    match fault {
        Fault::Status { status } => Some(status_answer(*status)),
        Fault::Garbage => Some(garbage()),
        Fault::Huge { bytes } => Some(huge(*bytes)),
        Fault::Redirect { location } => Some(redirect(location)),
        Fault::Slow { .. }
        | Fault::RateLimit { .. }
        | Fault::Refusal { .. }
        | Fault::HalfBody
        | Fault::Disconnect
        | Fault::DisconnectBefore
        | Fault::Echo
        | Fault::Hang => None,
    }
}

fn status_answer(status: u16) -> Response {
    match StatusCode::from_u16(status) {
        Ok(status) => (status, status.canonical_reason().unwrap_or_default()).into_response(),
        Err(_) => impossible("the fault's status is not an HTTP status"),
    }
}

fn garbage() -> Response {
    (
        [(CONTENT_TYPE, "application/json")],
        "<html>This is not JSON",
    )
        .into_response()
}

fn redirect(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::FOUND, [(LOCATION, location)]).into_response(),
        Err(_) => impossible("the fault's location is not the value of a header"),
    }
}

/// A fault set from Rust is not checked like one that came as JSON; a test that asks for nonsense
/// reads why.
fn impossible(reason: &'static str) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, reason).into_response()
}

/// A JSON string of `bytes` bytes: a client that reads without a limit gets a valid document to
/// choke on.
fn huge(bytes: u64) -> Response {
    let filler = bytes.saturating_sub(2);
    let chunk_bytes = FILLER.len() as u64;
    let whole = Bytes::from_static(&FILLER);
    let rest = whole.slice(..usize::try_from(filler % chunk_bytes).unwrap_or_default());
    let quote = Bytes::from_static(b"\"");
    let chunks = std::iter::once(quote.clone())
        .chain((0..filler / chunk_bytes).map(move |_| whole.clone()))
        .chain([rest, quote])
        .map(Ok::<_, Infallible>);
    let body = Body::from_stream(stream::iter(chunks));
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

/// The given answer with its length announced and its body broken off after half of it.
pub(crate) async fn cut_half_way(answer: Response) -> Response {
    let (mut head, body) = answer.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_READ_BYTES).await else {
        return impossible("the answer is too long to be cut");
    };
    head.headers
        .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let first_half = body.slice(..body.len() / 2);
    Response::from_parts(head, Body::from_stream(broken_off(first_half)))
}

/// The given answer with the credential of the request in a header and at the end of every text of
/// its JSON.
pub(crate) async fn with_echoes(answer: Response, credential: Option<HeaderValue>) -> Response {
    let Some(header) = credential else {
        return answer;
    };
    let text = header.to_str().unwrap_or_default();
    let token = text.strip_prefix("Bearer ").unwrap_or(text).to_owned();
    let (mut head, body) = answer.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_READ_BYTES).await else {
        return impossible("the answer is too long to be added to");
    };
    let Ok(mut value) = serde_json::from_slice(&body) else {
        return impossible("the answer is not JSON");
    };
    add_to_texts(&mut value, &token);
    head.headers.insert("x-echo", header);
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from(value.to_string()))
}

fn add_to_texts(value: &mut Value, addition: &str) {
    match value {
        Value::String(text) => {
            text.push(' ');
            text.push_str(addition);
        }
        Value::Array(items) => {
            for item in items {
                add_to_texts(item, addition);
            }
        }
        Value::Object(members) => {
            for (_, member) in members {
                add_to_texts(member, addition);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn broken_off(sent: Bytes) -> impl stream::Stream<Item = Result<Bytes, Error>> {
    stream::unfold(Some(sent), |to_send| async move {
        if let Some(bytes) = to_send {
            return Some((Ok(bytes), None));
        }
        // The server writes what it has while the body makes it wait; without this turn the half
        // that was sent could be thrown away together with the connection.
        tokio::task::yield_now().await;
        Some((Err(Error::from(ErrorKind::ConnectionAborted)), None))
    })
}
