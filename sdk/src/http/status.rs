//! What a status means to an agent.

use serde_json::Value;

use super::Response;
use crate::{
    answer::shorten,
    error::{Error, ErrorCode},
};

/// Characters of a body that are quoted in a message: enough for the upstream's own explanation.
const EXCERPT_CHARACTERS: usize = 300;

/// Where upstreams put their explanation, as JSON Pointers.
const EXPLANATIONS: [&str; 7] = [
    "/detail",
    "/detail/message",
    "/error/message",
    "/error_description",
    "/message",
    "/error",
    "/errors/0/message",
];

pub(super) fn error(response: &Response) -> Error {
    let code = code(response.status());
    let error = Error::new(code, message(response));
    let error = match outcome(code, response.status()) {
        Outcome::Refused => error,
        Outcome::Later => error.retryable(true),
        // A write that met a failing upstream may have happened: whoever repeats it, does it twice.
        Outcome::Unknown if response.read_only() => error.retryable(true),
        Outcome::Unknown => error.of_unknown_outcome(),
    };
    match response.asked_wait() {
        Some(wait) => error.retry_after(wait),
        None => error,
    }
}

fn code(status: u16) -> ErrorCode {
    match status {
        400 | 422 => ErrorCode::InvalidParams,
        401 => ErrorCode::Unauthorized,
        402 | 403 => ErrorCode::Forbidden,
        404 | 410 => ErrorCode::NotFound,
        409 | 412 => ErrorCode::Conflict,
        429 => ErrorCode::RateLimited,
        408 | 504 => ErrorCode::Timeout,
        _ => ErrorCode::Upstream,
    }
}

/// What became of the request.
enum Outcome {
    /// Nothing, and nothing will.
    Refused,
    /// Nothing yet.
    Later,
    /// The upstream failed on its way.
    Unknown,
}

fn outcome(code: ErrorCode, status: u16) -> Outcome {
    match code {
        ErrorCode::RateLimited => Outcome::Later,
        ErrorCode::Timeout => Outcome::Unknown,
        ErrorCode::Upstream if status >= 500 => Outcome::Unknown,
        _ => Outcome::Refused,
    }
}

fn message(response: &Response) -> String {
    let answered = format!("{} answered {}", response.service(), response.status());
    match excerpt(response.body()) {
        Some(excerpt) => format!("{answered}: {excerpt}"),
        None => format!("{answered}."),
    }
}

/// The upstream's own explanation, else the beginning of the body, on one line. Bodies that are not
/// text say nothing to anybody.
fn excerpt(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let text = explanation(text).unwrap_or_else(|| text.to_owned());
    let words: String = text
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    let words = words.trim();
    (!words.is_empty()).then(|| shorten(words, EXCERPT_CHARACTERS))
}

fn explanation(text: &str) -> Option<String> {
    let body: Value = serde_json::from_str(text).ok()?;
    let mut texts = EXPLANATIONS
        .iter()
        .filter_map(|place| body.pointer(place)?.as_str());
    texts.next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{clock::Timestamp, host::wire, http::request::Terms};

    fn response(status: u16, body: &str, read_only: bool) -> Response {
        let headers = vec![("retry-after".to_owned(), "7".to_owned())];
        let wire = wire::Response {
            status,
            headers,
            body: body.into(),
        };
        Response::new(
            wire,
            "Sentry",
            Timestamp::from_secs(0),
            Terms::of(read_only),
        )
    }

    #[test]
    fn statuses_have_codes() {
        for (status, code) in [
            (302, ErrorCode::Upstream),
            (400, ErrorCode::InvalidParams),
            (401, ErrorCode::Unauthorized),
            (403, ErrorCode::Forbidden),
            (404, ErrorCode::NotFound),
            (405, ErrorCode::Upstream),
            (409, ErrorCode::Conflict),
            (422, ErrorCode::InvalidParams),
            (429, ErrorCode::RateLimited),
            (500, ErrorCode::Upstream),
            (504, ErrorCode::Timeout),
        ] {
            assert_eq!(error(&response(status, "", true)).code(), code, "{status}");
        }
    }

    #[test]
    fn failures_of_the_upstream_are_retryable_for_reads_only() {
        assert!(error(&response(503, "", true)).is_retryable());
        assert!(!error(&response(503, "", false)).is_retryable());
        assert!(error(&response(429, "", false)).is_retryable());
        assert!(!error(&response(302, "", true)).is_retryable());
    }

    #[test]
    fn a_write_that_met_a_failing_upstream_may_have_happened() {
        let warned = |status, read_only| {
            let error = error(&response(status, "", read_only));
            error.message().contains("It may have happened")
        };

        for status in [408, 500, 502, 503, 504] {
            assert!(warned(status, false), "{status}");
            assert!(!warned(status, true), "{status}");
        }
        for status in [302, 400, 401, 403, 404, 409, 422, 429] {
            assert!(!warned(status, false), "{status}");
        }
    }

    #[test]
    fn the_time_to_wait_is_passed_on() {
        assert_eq!(
            error(&response(429, "", false)).wait(),
            Some(Duration::from_secs(7))
        );
    }

    #[test]
    fn messages_quote_the_beginning_of_the_body() {
        let error = error(&response(400, "{\n\t\"query\": [\"No such field\"]}", true));
        assert_eq!(
            error.message(),
            "Sentry answered 400: {  \"query\": [\"No such field\"]}"
        );

        let long = super::error(&response(500, &"x".repeat(10_000), true));
        assert!(long.message().len() < 400);
    }

    #[test]
    fn messages_quote_the_upstreams_own_explanation_where_there_is_one() {
        for body in [
            r#"{ "detail": "No." }"#,
            r#"{ "detail": { "code": "sso-required", "message": "No." } }"#,
            r#"{ "error": { "status": 403, "message": "No." } }"#,
            r#"{ "error": "denied", "error_description": "No." }"#,
            r#"{ "ok": false, "error": "No." }"#,
            r#"{ "message": "No.", "errors": [] }"#,
            r#"{ "errors": [{ "message": "No." }] }"#,
        ] {
            let error = error(&response(403, body, true));
            assert_eq!(error.message(), "Sentry answered 403: No.", "{body}");
        }
    }

    #[test]
    fn bodies_that_are_not_text_are_left_out() {
        let wire = wire::Response {
            status: 500,
            headers: Vec::new(),
            body: vec![0xff, 0xfe],
        };
        let response = Response::new(wire, "Sentry", Timestamp::from_secs(0), Terms::of(true));

        assert_eq!(error(&response).message(), "Sentry answered 500.");
    }
}
