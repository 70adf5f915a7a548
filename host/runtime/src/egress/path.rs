//! Whether a path means what it says, and whether a route covers it.
//!
//! A route is compared with the text of the path, so no other reading of that
//! text may lead elsewhere: not the reading of our URL parser, nor that of a
//! proxy or server behind it which decodes once more, turns `\` into `/`, or
//! folds `//` and `..`.

use percent_encoding::percent_decode_str;
use portcullis_core::plugin::{Endpoint, Method, Route};

use super::message::{Denial, HttpError, HttpErrorKind};

/// Characters of a path in a message; the rest would only be noise.
const SHOWN_PATH_CHARS: usize = 100;

/// Checks a path's form: `InvalidRequest`, or `TooLarge`.
pub(super) fn check_path(path: &str, max_bytes: usize) -> Result<(), HttpError> {
    if path.len() > max_bytes {
        return Err(HttpError::unsent(
            HttpErrorKind::TooLarge,
            format!("a path has at most {max_bytes} bytes (egress.max_path_bytes)"),
        ));
    }
    check_form(path).map_err(|rule| {
        HttpError::unsent(HttpErrorKind::InvalidRequest, format!("the path {rule}"))
    })
}

/// Finds the route that allows the path: `Denied`, with one that would.
pub(super) fn check_route<'a>(
    endpoint: &'a Endpoint,
    method: Method,
    path: &str,
) -> Result<&'a Route, HttpError> {
    let mut routes = endpoint.routes.iter();
    if let Some(route) = routes.find(|route| route.method == method && route.covers_path(path)) {
        return Ok(route);
    }
    let shown: String = path.chars().take(SHOWN_PATH_CHARS).collect();
    Err(HttpError::denied(
        Denial::Route,
        format!(
            "endpoint `{}` declares no route for {} {shown}; a route with method {} and a \
             path-prefix such as `{shown}` in provider.describe would allow it",
            endpoint.name,
            method.as_str(),
            method.as_str().to_ascii_lowercase(),
        ),
    ))
}

fn check_form(path: &str) -> Result<(), &'static str> {
    let segments = path.strip_prefix('/').ok_or("must start with `/`")?;
    // One trailing slash is part of many an API's paths, Sentry's for one.
    let segments = segments.strip_suffix('/').unwrap_or(segments);
    if segments.is_empty() {
        return if path == "/" {
            Ok(())
        } else {
            Err(EMPTY_SEGMENT)
        };
    }
    segments.split('/').try_for_each(check_segment)
}

const EMPTY_SEGMENT: &str = "must not contain empty segments";

fn check_segment(segment: &str) -> Result<(), &'static str> {
    if segment.is_empty() {
        return Err(EMPTY_SEGMENT);
    }
    check_characters(segment)?;
    check_readings(segment)
}

fn check_characters(segment: &str) -> Result<(), &'static str> {
    let mut rest = segment.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                tail
            }
            (b'%', _) => return Err("contains `%` without two hex digits"),
            (b'?' | b'#', _) => return Err("must not contain `?` or `#`; use the query"),
            (b'\\', _) => return Err("must not contain `\\`"),
            (byte, tail) if is_path_character(*byte) => tail,
            _ => {
                return Err(
                    "must percent-encode everything but letters, digits and -._~!$&'()*+,;=:@",
                );
            }
        };
    }
    Ok(())
}

/// `pchar` of RFC 3986 without its escapes.
fn is_path_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

/// Checks what the segment becomes when it is decoded, and decoded again, until
/// nothing is left to decode. Each round shortens it, so there is an end.
fn check_readings(segment: &str) -> Result<(), &'static str> {
    let mut reading = segment.to_owned();
    loop {
        check_reading(&reading)?;
        let decoded = percent_decode_str(&reading)
            .decode_utf8()
            .map_err(|_| "must be UTF-8 once it is decoded")?
            .into_owned();
        if decoded == reading {
            return Ok(());
        }
        reading = decoded;
    }
}

fn check_reading(reading: &str) -> Result<(), &'static str> {
    if reading.contains(['/', '\\']) {
        return Err("must not contain encoded slashes or backslashes");
    }
    if reading.chars().any(char::is_control) {
        return Err("must not contain control characters");
    }
    // Some servers cut parameters off first: `..;x` is `..` to them.
    let name = reading.split(';').next().unwrap_or_default();
    if matches!(name, "." | "..") {
        return Err("must not contain dot segments");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    fn endpoint(routes: &[(Method, &str)]) -> Endpoint {
        Endpoint {
            name: "api".to_owned(),
            base_url: Url::parse("https://api.example.com").unwrap(),
            routes: routes
                .iter()
                .map(|(method, prefix)| Route {
                    method: *method,
                    path_prefix: (*prefix).to_owned(),
                })
                .collect(),
            credentials: Vec::new(),
        }
    }

    #[test]
    fn plain_paths_are_valid() {
        for path in [
            "/",
            "/graphql",
            "/api/0/organizations/acme/issues/",
            "/a/b.c/-_~",
            "/a/...",
            "/a/b%20c",
            "/a/caf%C3%A9",
            "/a/100%25",
            "/users/me@example.com",
            "/a;v=1/b",
        ] {
            assert_eq!(check_form(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn paths_that_can_be_read_in_two_ways_are_invalid() {
        for path in [
            "",
            "graphql",
            "https://evil.example/",
            "//",
            "//evil.example",
            "/a//b",
            "/a//",
            "/.",
            "/..",
            "/../b",
            "/a/..",
            "/a/../b",
            "/a/./b",
            "/a/..;x/b",
            "/a/.;/b",
            "/a/%2e%2e/b",
            "/a/.%2E/b",
            "/a/%2e",
            "/a/%252e%252e/b",
            "/a/%25252e%25252e/b",
            "/a/%2e%2e;/b",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a%252fb",
            "/a\\..\\b",
            "/a/%c0%ae%c0%ae/b",
            "/a/%00",
            "/a/%0d%0aHost:%20evil",
            "/a/%7f",
            "/a/%c2%85",
            "/a\r\nb",
            "/a b",
            "/a\tb",
            "/café",
            "/a?b",
            "/a#b",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a<b",
            "/{id}",
        ] {
            assert!(check_form(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_path_over_the_limit_is_too_large() {
        assert_eq!(check_path("/abc", 4), Ok(()));
        let error = check_path("/abcd", 4).unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::TooLarge);
    }

    #[test]
    fn routes_match_by_whole_segments_and_method() {
        use Method::{Get, Post};
        for (route, request, allowed) in [
            ((Post, "/graphql"), (Post, "/graphql"), true),
            ((Post, "/graphql"), (Post, "/graphql/"), true),
            ((Post, "/graphql"), (Post, "/graphql/x"), true),
            ((Post, "/graphql"), (Post, "/graphql2"), false),
            ((Post, "/graphql"), (Post, "/Graphql"), false),
            ((Post, "/graphql"), (Post, "/x/graphql"), false),
            ((Post, "/graphql"), (Post, "/"), false),
            ((Post, "/graphql"), (Get, "/graphql"), false),
            ((Get, "/"), (Get, "/"), true),
            ((Get, "/"), (Get, "/anything/below"), true),
            ((Get, "/api/0/"), (Get, "/api/0"), true),
            ((Get, "/api/0/"), (Get, "/api/0/x"), true),
            ((Get, "/api/0/"), (Get, "/api/01"), false),
        ] {
            let endpoint = endpoint(&[route]);
            let result = check_route(&endpoint, request.0, request.1);
            assert_eq!(result.is_ok(), allowed, "{route:?} {request:?}");
        }
    }

    #[test]
    fn without_routes_nothing_is_allowed_and_the_message_says_what_would_be() {
        let error = check_route(&endpoint(&[]), Method::Get, "/teams").unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::Denied);
        assert_eq!(
            error.message,
            "endpoint `api` declares no route for GET /teams; a route with method get and a \
             path-prefix such as `/teams` in provider.describe would allow it"
        );
    }

    proptest! {
        /// What is checked is what is sent: the URL parser leaves a valid path
        /// as it is.
        #[test]
        fn a_valid_path_is_its_own_normal_form(path in "(/[a-z.%2e5cf;~]{0,6}){1,4}/?") {
            prop_assume!(check_form(&path).is_ok());
            let url = Url::parse(&format!("https://example.com{path}")).unwrap();
            prop_assert_eq!(url.path(), path);
        }

        #[test]
        fn no_valid_path_leaves_its_route(rest in "(/[a-z.%2e5cf;\\\\]{0,6}){0,4}") {
            let path = format!("/allowed{rest}");
            prop_assume!(check_form(&path).is_ok());
            let url = Url::parse(&format!("https://example.com{path}")).unwrap();
            let decoded = percent_decode_str(url.path()).decode_utf8().unwrap();
            let again = Url::parse(&format!("https://example.com{decoded}")).unwrap();
            prop_assert!(again.path().starts_with("/allowed"));
        }
    }
}
