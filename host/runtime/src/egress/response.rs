//! From what came back to what the guest gets.

use http::{HeaderMap, header};

use super::body::receive_body;
use super::echo::Echoes;
use super::limits::EgressLimits;
use super::message::{HttpError, HttpErrorKind, HttpResponse};

/// Headers that concern the connection, or through which an upstream would talk
/// to the holder of the credential, which the guest is not.
const REMOVED: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-authentication-info",
    "set-cookie",
    "set-cookie2",
    "www-authenticate",
    "authentication-info",
];

/// Headers that describe the bytes on the wire, which the guest does not get.
const OF_THE_WIRE: &[&str] = &["content-encoding", "content-length"];

/// Reads the whole response under the limits, decompresses it, and removes what
/// a guest must not see.
pub(super) async fn receive(
    response: reqwest::Response,
    echoes: &Echoes,
    limits: &EgressLimits,
) -> Result<HttpResponse, HttpError> {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    check_header_size(&headers, limits)?;
    let received = receive_body(response, &headers, limits).await?;
    Ok(HttpResponse {
        status,
        headers: headers_for_guest(&headers, echoes, received.wire_bytes > 0),
        body: echoes.redact(received.body).await,
    })
}

fn check_header_size(headers: &HeaderMap, limits: &EgressLimits) -> Result<(), HttpError> {
    let too_large = |what: String| Err(HttpError::sent(HttpErrorKind::TooLarge, what));
    let (most, most_bytes) = (
        limits.max_response_headers,
        limits.max_response_header_bytes,
    );
    if headers.len() > most {
        return too_large(format!(
            "the response has more than {most} headers (egress.max_response_headers)"
        ));
    }
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if bytes > most_bytes {
        return too_large(format!(
            "the response's headers have more than {most_bytes} bytes \
             (egress.max_response_header_bytes)"
        ));
    }
    Ok(())
}

fn headers_for_guest(
    headers: &HeaderMap,
    echoes: &Echoes,
    has_body: bool,
) -> Vec<(String, String)> {
    let of_connection = named_by_connection(headers);
    let is_removed = |name: &str| {
        REMOVED.contains(&name)
            || of_connection.iter().any(|named| named == name)
            || (has_body && OF_THE_WIRE.contains(&name))
    };
    headers
        .iter()
        .filter(|(name, value)| {
            !is_removed(name.as_str())
                && !echoes.are_in_name(name)
                && !echoes.are_in(value.as_bytes())
        })
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect()
}

/// The headers that `Connection` declares to be about the connection.
fn named_by_connection(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn headers_of_the_connection_and_cookies_are_removed() {
        let received = headers(&[
            ("content-type", "text/plain"),
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("set-cookie", "session=1"),
            ("set-cookie", "other=2"),
            ("www-authenticate", "Bearer realm=x"),
            ("proxy-authenticate", "Basic"),
            ("content-encoding", "gzip"),
            ("content-length", "20"),
            ("link", "<a>; rel=next"),
            ("link", "<b>; rel=prev"),
            ("x-echo", "Bearer supersecret"),
        ]);
        let echoes = Echoes::of(&"supersecret".into());
        let kept: Vec<_> = headers_for_guest(&received, &echoes, true)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(kept, ["content-type", "link", "link"]);
        let kept = headers_for_guest(&received, &echoes, false);
        assert!(kept.contains(&("content-length".to_owned(), "20".to_owned())));
    }

    #[test]
    fn response_headers_are_bounded() {
        let limits = EgressLimits {
            max_response_headers: 2,
            max_response_header_bytes: 8,
            ..EgressLimits::default()
        };
        for (received, allowed) in [
            (headers(&[("aa", "bb"), ("cc", "dd")]), true),
            (headers(&[("aa", "bb"), ("cc", "ddd")]), false),
            (headers(&[("a", "b"), ("c", "d"), ("e", "f")]), false),
        ] {
            assert_eq!(check_header_size(&received, &limits).is_ok(), allowed);
        }
    }
}
