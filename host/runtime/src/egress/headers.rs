//! Which headers a guest may send.

use http::{HeaderMap, HeaderName, HeaderValue};
use portcullis_core::plugin::{CredentialForm, Endpoint};

use super::limits::EgressLimits;
use super::message::{HttpError, HttpErrorKind};

/// Besides these, names that start with `x-`. Everything else is the host's:
/// `Host`, `Authorization`, `Cookie`, framing, forwarding, proxies.
const ALLOWED: &[&str] = &[
    "accept",
    "accept-language",
    "content-type",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "idempotency-key",
    "prefer",
];

/// Names with `x-` that say who is calling, or that make some servers take the
/// request for one with another method or path, which would go around the
/// declared routes. `x-forwarded` stands for all names that start with it.
const REFUSED: &[&str] = &[
    "x-forwarded",
    "x-real-ip",
    "x-host",
    "x-http-method",
    "x-method-override",
    "x-original-",
    "x-rewrite-",
];

/// Two values of one of these could be read differently by the servers in a row.
const AT_MOST_ONCE: &[&str] = &["content-type", "if-modified-since", "idempotency-key"];

/// Checks and converts the guest's headers: `InvalidRequest`, or `TooLarge`.
pub(super) fn guest_headers(
    headers: &[(String, String)],
    endpoint: &Endpoint,
    limits: &EgressLimits,
) -> Result<HeaderMap, HttpError> {
    check_size(headers, limits)?;
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name = header_name(name, endpoint)?;
        let value = HeaderValue::from_str(value).map_err(|_| {
            invalid(format!(
                "the value of header `{name}` has a control character"
            ))
        })?;
        let read_as = as_servers_read(name.as_str());
        let is_there = map
            .keys()
            .any(|other| as_servers_read(other.as_str()) == read_as);
        if is_there && AT_MOST_ONCE.contains(&read_as.as_str()) {
            return Err(invalid(format!("header `{name}` stands there twice")));
        }
        map.append(name, value);
    }
    Ok(map)
}

fn check_size(headers: &[(String, String)], limits: &EgressLimits) -> Result<(), HttpError> {
    let too_large = |what: String| Err(HttpError::unsent(HttpErrorKind::TooLarge, what));
    let (most, most_bytes) = (limits.max_headers, limits.max_header_bytes);
    if headers.len() > most {
        return too_large(format!(
            "a request has at most {most} headers (egress.max_headers)"
        ));
    }
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if bytes > most_bytes {
        return too_large(format!(
            "a request's headers have at most {most_bytes} bytes (egress.max_header_bytes)"
        ));
    }
    Ok(())
}

fn header_name(text: &str, endpoint: &Endpoint) -> Result<HeaderName, HttpError> {
    let name = HeaderName::from_bytes(text.as_bytes())
        .map_err(|_| invalid("a header's name is not valid".to_owned()))?;
    if carries_credential(endpoint, &name) {
        return Err(invalid(format!(
            "header `{name}` carries the credential, which the host adds"
        )));
    }
    if !is_allowed(name.as_str()) {
        return Err(invalid(format!(
            "header `{name}` is not one a provider may send"
        )));
    }
    Ok(name)
}

/// Servers that hand headers on as environment variables take `_` for `-`.
fn as_servers_read(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

fn is_allowed(name: &str) -> bool {
    let name = as_servers_read(name);
    ALLOWED.contains(&name.as_str())
        || (name.starts_with("x-") && !REFUSED.iter().any(|refused| name.starts_with(refused)))
}

fn carries_credential(endpoint: &Endpoint, header: &HeaderName) -> bool {
    endpoint.credentials.iter().any(|rule| match &rule.form {
        CredentialForm::Header { name, .. } => {
            as_servers_read(header.as_str()) == as_servers_read(name)
        }
        _ => false,
    })
}

fn invalid(message: String) -> HttpError {
    HttpError::unsent(HttpErrorKind::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use portcullis_core::plugin::{ConnectionType, CredentialRule};
    use url::Url;

    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint {
            name: "api".to_owned(),
            base_url: Url::parse("https://api.example.com").unwrap(),
            routes: Vec::new(),
            credentials: vec![CredentialRule {
                connection: ConnectionType::ApiKey,
                form: CredentialForm::Header {
                    name: "x-api-key".to_owned(),
                    prefix: String::new(),
                },
            }],
        }
    }

    fn check(headers: &[(&str, &str)]) -> Result<HeaderMap, HttpErrorKind> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        guest_headers(&headers, &endpoint(), &EgressLimits::default()).map_err(|error| {
            assert!(!error.request_sent);
            error.kind
        })
    }

    #[test]
    fn declared_names_are_allowed_in_any_case() {
        for name in ALLOWED
            .iter()
            .chain(&["Accept", "X-Request-Id", "x-apollo-y", "x-y_z"])
        {
            assert!(check(&[(name, "v")]).is_ok(), "{name}");
        }
    }

    #[test]
    fn every_other_name_is_refused() {
        for name in [
            "Host",
            "Authorization",
            "Cookie",
            "Proxy-Authorization",
            "Proxy-Connection",
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded_Host",
            "x-real-ip",
            "x-real_ip",
            "X-HTTP-Method-Override",
            "x-http-method",
            "x-method-override",
            "x-original-url",
            "x-rewrite-url",
            "x-host",
            "Connection",
            "Keep-Alive",
            "Content-Length",
            "Transfer-Encoding",
            "Content-Encoding",
            "Accept-Encoding",
            "Expect",
            "TE",
            "Trailer",
            "Upgrade",
            "Via",
            "User-Agent",
            "Range",
            "X-Api-Key",
            "x-API-key",
            "X-API_Key",
            "",
            "x y",
            "x-a:b",
            "x-a\r\nhost",
            "x-é",
            ":authority",
        ] {
            let refused = check(&[(name, "v")]);
            assert_eq!(refused, Err(HttpErrorKind::InvalidRequest), "{name}");
        }
    }

    #[test]
    fn values_cannot_break_out_of_their_line() {
        for value in ["a\r\nHost: evil", "a\nb", "a\rb", "a\0b", "a\x7fb"] {
            let refused = check(&[("x-a", value)]);
            assert_eq!(refused, Err(HttpErrorKind::InvalidRequest), "{value:?}");
        }
        assert!(check(&[("x-a", "tab\tand space, \"quoted\", é")]).is_ok());
    }

    #[test]
    fn only_names_without_a_single_meaning_may_repeat() {
        let map = check(&[("accept", "a/b"), ("Accept", "c/d")]).unwrap();
        assert_eq!(map.get_all("accept").iter().count(), 2);
        for other in ["Content-Type", "content_type"] {
            let twice = check(&[("content-type", "a/b"), (other, "c/d")]);
            assert_eq!(twice, Err(HttpErrorKind::InvalidRequest), "{other}");
        }
    }

    #[test]
    fn headers_are_bounded_in_number_and_bytes() {
        let limits = EgressLimits::default();
        let many: Vec<_> = (0..=limits.max_headers).map(|_| ("accept", "a")).collect();
        assert!(check(&many[1..]).is_ok());
        assert_eq!(check(&many), Err(HttpErrorKind::TooLarge));
        let long = "a".repeat(limits.max_header_bytes - "x-a".len());
        assert!(check(&[("x-a", &long)]).is_ok());
        assert_eq!(check(&[("x-ab", &long)]), Err(HttpErrorKind::TooLarge));
    }
}
