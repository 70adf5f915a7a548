//! From which pages a stream may be opened.
//!
//! A browser lets any page open a WebSocket to anywhere, and says whose page it
//! is. Programs that are no browsers say nothing, and prove more than a page could.

use axum::http::{HeaderMap, header};
use portcullis_runtime::egress::Origin;

use super::super::error::{ApiError, Code};
use crate::config::Origins;

/// Refuses the page of a stranger.
pub(super) fn check(headers: &HeaderMap, allowed: &Origins) -> Result<(), ApiError> {
    if !headers.contains_key(header::ORIGIN) {
        return Ok(());
    }
    let origin = only(headers, header::ORIGIN).and_then(|text| text.parse().ok());
    if origin.is_some_and(|origin| allowed.contains(&origin) || is_own(&origin, headers)) {
        return Ok(());
    }
    Err(ApiError::new(
        Code::Forbidden,
        "pages of this origin may not listen; the operator can add it to server.allowed_origins",
    ))
}

/// Whether it is the origin that the request was sent to. The scheme is taken from
/// the page: only a proxy with TLS in front of the gateway would know.
fn is_own(origin: &Origin, headers: &HeaderMap) -> bool {
    let scheme = origin.as_str().split_once("://").map(|(scheme, _)| scheme);
    let own = scheme.zip(only(headers, header::HOST));
    own.and_then(|(scheme, host)| format!("{scheme}://{host}").parse().ok())
        .is_some_and(|own: Origin| own == *origin)
}

/// The header's value, if there is exactly one.
fn only(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(headers: &[(header::HeaderName, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        let allowed = serde_json::from_str(r#"["https://inbox.example.com"]"#).unwrap();
        check(&map, &allowed).is_ok()
    }

    #[test]
    fn a_page_is_our_own_or_allowed() {
        use header::{HOST, ORIGIN};
        for (host, origin, expected) in [
            ("gate.example.com", "https://gate.example.com", true),
            ("gate.example.com:443", "https://gate.example.com", true),
            ("GATE.example.com", "http://gate.example.com", true),
            ("127.0.0.1:8480", "http://127.0.0.1:8480", true),
            ("[::1]:8480", "http://[::1]:8480", true),
            ("gate.example.com", "https://inbox.example.com", true),
            ("gate.example.com", "http://inbox.example.com", false),
            ("gate.example.com", "https://inbox.example.com:444", false),
            ("127.0.0.1:8480", "http://127.0.0.1:8481", false),
            ("127.0.0.1:8480", "http://localhost:8480", false),
            ("gate.example.com", "https://evil.example", false),
            (
                "gate.example.com",
                "https://gate.example.com.evil.example",
                false,
            ),
            ("gate.example.com", "null", false),
            ("gate.example.com", "", false),
            ("", "https://", false),
        ] {
            let found = is_allowed(&[(HOST, host), (ORIGIN, origin)]);
            assert_eq!(found, expected, "{origin} at {host}");
        }
        assert!(is_allowed(&[(HOST, "gate.example.com")]));
        assert!(is_allowed(&[]));
    }

    #[test]
    fn two_origins_are_none() {
        use header::{HOST, ORIGIN};
        let origin = (ORIGIN, "https://inbox.example.com");
        assert!(!is_allowed(&[origin.clone(), origin]));
        let own = (ORIGIN, "https://a.example");
        assert!(!is_allowed(&[
            own,
            (HOST, "a.example"),
            (HOST, "b.example")
        ]));
    }
}
