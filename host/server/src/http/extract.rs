//! What handlers take: the caller, path, query and body, each with errors of the
//! contract's shape.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use portcullis_core::canonical::JsonDigest;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IntoDeserializer as _};
use tokio::time::timeout;

use super::error::{ApiError, Code};
use crate::auth::Caller;
use crate::error::Error;
use crate::gateway::Gateway;

/// A client that takes longer to send a body is not worth a connection.
const BODY_TIMEOUT: Duration = Duration::from_mins(1);

/// An error message repeats names from the request, which may be long.
const MAX_MESSAGE_CHARS: usize = 300;

/// The caller, proved by `Authorization: Bearer …`. Taking it is what makes a
/// route authenticated.
pub(super) struct Authenticated(pub(super) Caller);

impl FromRequestParts<Arc<Gateway>> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, ApiError> {
        let credential = bearer(&parts.headers).ok_or_else(|| {
            ApiError::new(
                Code::Unauthorized,
                "send `Authorization: Bearer` with a key or token",
            )
        })?;
        let now = gateway.clock.now();
        let caller = gateway.authenticator.authenticate(credential, now)?;
        Ok(Self(caller))
    }
}

/// The bearer credential, if there is exactly one: of two headers one would be
/// checked and the other perhaps believed.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, credential) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| credential.trim())
}

/// Path parameters.
pub(super) struct PathParams<T>(pub(super) T);

impl<T, S> FromRequestParts<S> for PathParams<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(params)| Self(params))
            .map_err(|rejection| ApiError::invalid_request(rejection.body_text()))
    }
}

/// Reads an id from the path. What is no id names nothing.
pub(super) fn parse_id<T: FromStr>(text: &str, what: &'static str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::NotFound(what))
}

/// Reads the `digest` of a body.
pub(super) fn parse_digest(text: &str) -> Result<JsonDigest, ApiError> {
    text.parse()
        .map_err(|error| ApiError::invalid_field("/digest", "format", format!("{error}")))
}

/// Query parameters; unknown ones are refused.
pub(super) struct QueryParams<T>(pub(super) T);

impl<T, S> FromRequestParts<S> for QueryParams<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|Query(params)| Self(params))
            .map_err(|rejection| ApiError::invalid_request(rejection.body_text()))
    }
}

/// A JSON body.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T> FromRequest<Arc<Gateway>> for JsonBody<T>
where
    T: DeserializeOwned,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Result<Self, ApiError> {
        let bytes = read_within_limits(request, gateway).await?;
        parse_json(&bytes).map(Self)
    }
}

/// A JSON body, or none.
pub(super) struct OptionalJsonBody<T>(pub(super) T);

impl<T> FromRequest<Arc<Gateway>> for OptionalJsonBody<T>
where
    T: DeserializeOwned + Default,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Result<Self, ApiError> {
        let bytes = read_within_limits(request, gateway).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        parse_json(&bytes).map(Self)
    }
}

async fn read_within_limits(request: Request, gateway: &Gateway) -> Result<Bytes, ApiError> {
    let server = &gateway.config.server;
    let limits = Limits {
        bytes: server.max_body_bytes,
        drain: server.drain_body_bytes,
        time: BODY_TIMEOUT,
    };
    read_within(request.into_body(), limits).await
}

/// What a body may have.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Bytes that are taken.
    pub(super) bytes: usize,
    /// Bytes of a longer one that are read and dropped.
    pub(super) drain: usize,
    /// Until its end has arrived.
    pub(super) time: Duration,
}

/// Reads a body within its limits.
pub(super) async fn read_within(body: Body, limits: Limits) -> Result<Bytes, ApiError> {
    let reading = read_body(body, limits.bytes, limits.drain);
    timeout(limits.time, reading).await.map_err(|_elapsed| {
        ApiError::new(Code::RequestTimeout, "the body did not arrive in time")
    })?
}

/// Reads a body of at most `limit` bytes.
///
/// A longer one is read to its end, up to `drain` bytes, and dropped: a client
/// that is still sending does not look at the answer.
async fn read_body(body: Body, limit: usize, drain: usize) -> Result<Bytes, ApiError> {
    let mut stream = body.into_data_stream();
    let mut bytes = BytesMut::new();
    let mut received = 0_usize;
    while let Some(chunk) = stream.next().await {
        let chunk =
            chunk.map_err(|_| ApiError::invalid_request("the body broke off before its end"))?;
        received = received.saturating_add(chunk.len());
        if received <= limit {
            bytes.extend_from_slice(&chunk);
        } else if received <= drain {
            bytes.clear();
        } else {
            break;
        }
    }
    if received <= limit {
        return Ok(bytes.freeze());
    }
    Err(ApiError::new(
        Code::PayloadTooLarge,
        format!("the body may have at most {limit} bytes"),
    ))
}

/// Parses a JSON object and says where it is not what the route takes.
fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    // serde would read a struct from an array as well, field by field.
    if first.is_some_and(|byte| *byte != b'{') {
        return Err(ApiError::invalid_field(
            "",
            "type",
            "the body must be a JSON object",
        ));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value =
        serde_path_to_error::deserialize(&mut deserializer).map_err(|error| describe(&error))?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// Reads one of an enum's names. serde would take an object with the name as its
/// key as well, and call anything else malformed JSON.
pub(super) fn one_of<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(String::deserialize(deserializer)?.into_deserializer())
}

fn malformed(error: &serde_json::Error) -> ApiError {
    ApiError::new(
        Code::InvalidJson,
        format!("the body is not valid JSON: {error}"),
    )
}

fn describe(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    let inner = error.inner();
    if !inner.is_data() {
        return malformed(inner);
    }
    let message = without_value(&inner.to_string());
    let mut path = pointer(error.path());
    let rule = if let Some(field) = quoted_after(&message, "missing field `") {
        path = format!("{path}/{field}");
        "required"
    } else if message.starts_with("unknown field") {
        "additionalProperties"
    } else if message.starts_with("unknown variant") {
        "enum"
    } else if message.starts_with("invalid type") {
        "type"
    } else {
        "format"
    };
    ApiError::invalid_field(path, rule, message)
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

/// Leaves out the value that was found: it may be a secret in the wrong place,
/// and it may be long.
fn without_value(message: &str) -> String {
    let found = ["invalid type: ", "invalid value: ", "unknown variant "]
        .iter()
        .find_map(|start| Some((*start, message.strip_prefix(start)?)));
    let (Some((start, rest)), Some((_, expected))) = (found, message.rsplit_once(", expected "))
    else {
        return message.chars().take(MAX_MESSAGE_CHARS).collect();
    };
    if start == "unknown variant " {
        return format!("unknown variant, expected {expected}");
    }
    let kind = rest.split([' ', ',']).next().unwrap_or("value");
    format!("{start}{kind}, expected {expected}")
}

fn quoted_after<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    message.strip_prefix(start)?.split('`').next()
}

#[cfg(test)]
mod tests {
    use super::super::error::Detail;
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read by the deserializer")]
    struct Example {
        name: String,
        ids: Vec<u8>,
    }

    fn check(body: &str, code: &str, path: &str, rule: &str) {
        let error = parse_json::<Example>(body.as_bytes()).unwrap_err();
        let body: String = body.chars().take(40).collect();
        assert_eq!(error.code.as_str(), code, "{body}: {}", error.message);
        let detail: Option<&Detail> = error.details.first();
        assert_eq!(detail.map_or("", |d| &d.path), path, "{body}");
        assert_eq!(detail.map_or("", |d| &d.rule), rule, "{body}");
    }

    #[test]
    fn an_error_names_the_field_and_the_rule() {
        check(r#"{"ids":[]}"#, "invalid_request", "/name", "required");
        check(r#"{"name":1,"ids":[]}"#, "invalid_request", "/name", "type");
        check(
            r#"{"name":"a","ids":[1,"x"]}"#,
            "invalid_request",
            "/ids/1",
            "type",
        );
        check(
            r#"{"name":"a","ids":[],"more":1}"#,
            "invalid_request",
            "/more",
            "additionalProperties",
        );
        check("{", "invalid_json", "", "");
        check("", "invalid_json", "", "");
        check(r#"{"name":"a","ids":[]} x"#, "invalid_json", "", "");
        check(r#"["a",[]]"#, "invalid_request", "", "type");
        check("null", "invalid_request", "", "type");
        let nested = "[".repeat(200_000);
        check(&nested, "invalid_request", "", "type");
        let named = format!(r#"{{"name":{nested}"#);
        check(&named, "invalid_request", "/name", "type");
    }

    #[test]
    fn an_error_does_not_repeat_a_value() {
        for body in [
            r#"{"name":"a","ids":"lin_api_secret, expected"}"#,
            r#"{"name":["lin_api_secret"],"ids":[]}"#,
            r#"{"name":"a","ids":{"lin_api_secret":1}}"#,
        ] {
            let error = parse_json::<Example>(body.as_bytes()).unwrap_err();
            assert!(!error.message.contains("lin_api"), "{}", error.message);
            assert!(error.message.contains("expected"), "{}", error.message);
        }
    }

    #[test]
    fn an_error_does_not_repeat_an_unknown_name_of_an_enum() {
        #[derive(Debug, Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        enum Kind {
            Token,
        }
        let error = parse_json::<Kind>(br#"{"type":"lin_api_secret"}"#).unwrap_err();
        let expected = "unknown variant, expected `token`";
        assert!(error.message.starts_with(expected), "{}", error.message);
        assert_eq!(error.details[0].rule, "enum");
    }

    #[test]
    fn deep_nesting_is_refused_where_anything_is_taken() {
        let body = r#"{"a":"#.repeat(200_000);
        let error = parse_json::<serde_json::Value>(body.as_bytes()).unwrap_err();
        assert_eq!(error.code.as_str(), "invalid_json");
    }
}
