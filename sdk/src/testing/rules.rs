//! The gateway's rules for requests, as far as a provider can break them.

use crate::{host::wire, http::HttpErrorKind, provider::Endpoint};

const ALLOWED_HEADERS: [&str; 8] = [
    "accept",
    "accept-language",
    "content-type",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "idempotency-key",
    "prefer",
];

pub(super) fn check(endpoints: &[Endpoint], request: &wire::Request) -> Result<(), wire::Error> {
    if !is_path(&request.path) {
        return Err(refusal(
            HttpErrorKind::InvalidRequest,
            &format!("{:?} is not a path", request.path),
        ));
    }
    if let Some((name, _)) = request
        .headers
        .iter()
        .find(|(name, _)| !is_allowed_header(name))
    {
        return Err(refusal(
            HttpErrorKind::InvalidRequest,
            &format!("the header {name:?} is not allowed"),
        ));
    }
    let Some(endpoint) = endpoints
        .iter()
        .find(|endpoint| endpoint.name == request.endpoint)
    else {
        return Err(refusal(
            HttpErrorKind::Denied,
            &format!("no endpoint {:?} is declared", request.endpoint),
        ));
    };
    let declared = endpoint
        .routes
        .iter()
        .any(|route| route.method == request.method && is_below(&request.path, route.path_prefix));
    if declared {
        return Ok(());
    }
    let route = format!("{:?} {} is not declared", request.method, request.path);
    Err(refusal(HttpErrorKind::Denied, &route))
}

pub(super) fn refusal(kind: HttpErrorKind, message: &str) -> wire::Error {
    wire::Error {
        kind,
        message: message.to_owned(),
        request_sent: false,
    }
}

/// Segments only. One slash at the end is part of many APIs' paths.
fn is_path(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else {
        return false;
    };
    let segments = segments.strip_suffix('/').unwrap_or(segments);
    let lower = path.to_ascii_lowercase();
    let hidden = ["%2f", "%5c", "%00"]
        .iter()
        .any(|escape| lower.contains(escape));
    let forbidden =
        |character: char| matches!(character, '\\' | '?' | '#') || character.is_control();
    let bad_segment = |segment: &str| {
        matches!(
            segment.replace("%2e", ".").replace("%2E", ".").as_str(),
            "" | "." | ".."
        )
    };
    !hidden && !path.contains(forbidden) && (path == "/" || !segments.split('/').any(bad_segment))
}

fn is_allowed_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let forged = name.starts_with("x-forwarded-") || name == "x-real-ip";
    ALLOWED_HEADERS.contains(&name.as_str()) || (name.starts_with("x-") && !forged)
}

fn is_below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{http::Method, provider::Route};

    const ENDPOINTS: &[Endpoint] =
        &[Endpoint::new("api", "https://api.example.com").routes(&[Route::post("/graphql")])];

    fn refused(change: impl FnOnce(&mut wire::Request)) -> Option<HttpErrorKind> {
        let mut request = wire::Request {
            endpoint: "api".to_owned(),
            method: Method::Post,
            path: "/graphql".to_owned(),
            query: Vec::new(),
            headers: vec![("X-Trace".to_owned(), "1".to_owned())],
            body: None,
            timeout_ms: None,
        };
        change(&mut request);
        check(ENDPOINTS, &request).err().map(|error| error.kind)
    }

    #[test]
    fn declared_routes_and_what_is_below_them_are_allowed() {
        assert_eq!(refused(|_| ()), None);
        assert_eq!(
            refused(|request| request.path = "/graphql/batch/".to_owned()),
            None
        );
    }

    #[test]
    fn what_is_not_declared_is_denied() {
        assert_eq!(
            refused(|request| request.endpoint = "web".to_owned()),
            Some(HttpErrorKind::Denied)
        );
        assert_eq!(
            refused(|request| request.path = "/graphql2".to_owned()),
            Some(HttpErrorKind::Denied)
        );
        assert_eq!(
            refused(|request| request.method = Method::Get),
            Some(HttpErrorKind::Denied)
        );
    }

    #[test]
    fn paths_that_could_lead_elsewhere_are_invalid() {
        for path in [
            "graphql",
            "/graphql/../admin",
            "/graphql/%2e%2E",
            "/graphql//x",
            "/graphql/a%2Fb",
            "/graphql?x",
        ] {
            assert_eq!(
                refused(|request| request.path = path.to_owned()),
                Some(HttpErrorKind::InvalidRequest),
                "{path}",
            );
        }
    }

    #[test]
    fn headers_of_the_hosts_own_are_invalid() {
        for name in [
            "Authorization",
            "cookie",
            "host",
            "X-Forwarded-For",
            "x-real-ip",
        ] {
            assert_eq!(
                refused(|request| request.headers.push((name.to_owned(), "x".to_owned()))),
                Some(HttpErrorKind::InvalidRequest),
                "{name}",
            );
        }
    }
}
