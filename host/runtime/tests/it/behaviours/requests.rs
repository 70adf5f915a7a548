//! Requests of the probe that mean something else than they say.
//!
//! In `honest` the endpoint `api` gets its credential as the query parameter `api_key`,
//! and `open` as the header `x-api-key`.

#![expect(clippy::too_many_lines, reason = "tables, one row after the other")]

use serde_json::{Value, json};

use super::{Behaviour, Ends, Made};
use Ends::NotSent;

pub(super) fn rows() -> Vec<Behaviour> {
    let groups = [paths(), headers(), others()];
    groups.into_iter().flatten().collect()
}

fn get(path: &str) -> Value {
    json!({ "endpoint": "api", "method": "GET", "path": path })
}

fn gets<const N: usize>(paths: [&str; N]) -> Vec<Value> {
    paths.map(get).to_vec()
}

fn with_headers(headers: &[(&str, &str)]) -> Value {
    json!({ "endpoint": "open", "method": "GET", "path": "/", "headers": headers })
}

fn with_header(name: &str) -> Value {
    with_headers(&[(name, "value")])
}

fn with_value(value: &str) -> Value {
    with_headers(&[("x-value", value)])
}

fn with_query(query: &[(&str, &str)]) -> Value {
    json!({ "endpoint": "api", "method": "GET", "path": "/", "query": query })
}

fn invalid(
    name: &'static str,
    tries: &'static str,
    requests: fn() -> Vec<Value>,
    tests: &'static [&'static str],
) -> Behaviour {
    Behaviour {
        name,
        tries,
        made: Made::Requests(requests),
        ends: NotSent("InvalidRequest"),
        tests,
    }
}

fn paths() -> Vec<Behaviour> {
    const TESTS: &[&str] = &["egress::path::tests::paths_that_can_be_read_in_two_ways_are_invalid"];
    vec![
        invalid(
            "dot segments",
            "leaves the route it declared",
            || {
                gets([
                    "/..",
                    "/.",
                    "/../admin",
                    "/a/../../admin",
                    "/a/./b",
                    "/a/..",
                ])
            },
            TESTS,
        ),
        invalid(
            "encoded dot segments",
            "leaves its route where the upstream decodes",
            || {
                gets([
                    "/%2e%2e/admin",
                    "/a/.%2E/admin",
                    "/a/%2e",
                    "/%252e%252e/admin",
                    "/%25252e%25252e/admin",
                    "/%c0%ae%c0%ae/admin",
                ])
            },
            TESTS,
        ),
        invalid(
            "dot segments with parameters",
            "leaves its route where the upstream drops parameters",
            || gets(["/..;/admin", "/a/..;x=1/admin", "/a/.;/b", "/%2e%2e;/admin"]),
            TESTS,
        ),
        invalid(
            "encoded slashes",
            "makes one segment of two, or two of one",
            || {
                gets([
                    "/a%2fadmin",
                    "/a%2Fadmin",
                    "/a%252fadmin",
                    "/%2f%2fevil.example/",
                ])
            },
            TESTS,
        ),
        invalid(
            "backslashes",
            "leaves its route where a backslash is a slash",
            || {
                gets([
                    "\\\\evil.example\\",
                    "/a\\..\\admin",
                    "/a%5cadmin",
                    "/\\evil.example/",
                ])
            },
            TESTS,
        ),
        invalid(
            "empty segments",
            "names a host where a path should stand",
            || gets(["//evil.example/", "//", "/a//b", "/a//", "///"]),
            TESTS,
        ),
        invalid(
            "absolute URLs",
            "names a host where a path should stand",
            || {
                gets([
                    "https://evil.example/",
                    "http:evil.example",
                    "HTTP://evil.example",
                    "file:///etc/passwd",
                    "*",
                ])
            },
            TESTS,
        ),
        invalid(
            "user information",
            "makes the host that was granted a user of another",
            || {
                gets([
                    "@evil.example/",
                    ":x@evil.example/",
                    "//user:pw@evil.example/",
                ])
            },
            TESTS,
        ),
        invalid(
            "paths that are not ASCII",
            "has two servers disagree on what it says",
            || {
                gets([
                    "/café",
                    "/．．/admin",
                    "/a∕admin",
                    "/a\u{202e}nimda",
                    "/\u{feff}",
                ])
            },
            TESTS,
        ),
        invalid(
            "control characters in a path",
            "writes a line of the request itself",
            || {
                gets([
                    "/a\r\nHost: evil.example",
                    "/a\nb",
                    "/a\0b",
                    "/a%00.json",
                    "/a%0d%0aHost:%20evil.example",
                    "/a\tb",
                    "/a b",
                    "/a%7f",
                ])
            },
            TESTS,
        ),
        invalid(
            "a query or a fragment in a path",
            "adds what is checked elsewhere",
            || gets(["/a?admin=1", "/a#b", "/?", "/#"]),
            TESTS,
        ),
        invalid(
            "broken encodings and no path at all",
            "has two servers disagree on what it says",
            || gets(["", "a", "/a%", "/a%2", "/a%zz", "/{id}", "/a<b>"]),
            TESTS,
        ),
    ]
}

fn headers() -> Vec<Behaviour> {
    const NAMES: &[&str] = &["egress::headers::tests::every_other_name_is_refused"];
    const VALUES: &[&str] = &["egress::headers::tests::values_cannot_break_out_of_their_line"];
    vec![
        invalid(
            "line breaks in a header's value",
            "writes a header of its own, or a second request",
            || {
                [
                    "a\r\nHost: evil.example",
                    "a\nb",
                    "a\rb",
                    "a\r\n\r\nGET / HTTP/1.1",
                ]
                .map(with_value)
                .into()
            },
            VALUES,
        ),
        invalid(
            "folded headers",
            "has two servers disagree on where a header ends",
            || ["a\r\n b", "a\r\n\tb", "a\n b"].map(with_value).into(),
            VALUES,
        ),
        invalid(
            "NUL and DEL in a header's value",
            "ends a value early where text ends at NUL",
            || ["a\0b", "\0", "a\u{7f}b", "\u{8}"].map(with_value).into(),
            VALUES,
        ),
        invalid(
            "names that are no names",
            "writes a header of its own",
            || {
                [
                    "",
                    " ",
                    "x-a:",
                    "x-a b",
                    "x-a\r\nhost",
                    "x-a\0",
                    "x-é",
                    ":path",
                    "(x)",
                ]
                .map(with_header)
                .into()
            },
            NAMES,
        ),
        invalid(
            "the host's own headers in odd case",
            "takes what only the host may say",
            || {
                [
                    "hOsT",
                    "AUTHORIZATION",
                    "Cookie",
                    "cOOKIE2",
                    "User-Agent",
                    "Accept-Encoding",
                    "Proxy-Authorization",
                    "rAnGe",
                ]
                .map(with_header)
                .into()
            },
            NAMES,
        ),
        invalid(
            "headers that frame a message",
            "smuggles a second request behind the first",
            || {
                [
                    "Content-Length",
                    "transfer-encoding",
                    "TE",
                    "Trailer",
                    "Connection",
                    "Keep-Alive",
                    "Upgrade",
                    "EXPECT",
                    "Http2-Settings",
                ]
                .map(with_header)
                .into()
            },
            NAMES,
        ),
        invalid(
            "headers that name another client or host",
            "passes for somebody else behind the upstream's proxy",
            || {
                [
                    "X-Forwarded-For",
                    "x-forwarded-host",
                    "Forwarded",
                    "X-Real-IP",
                    "x-host",
                    "x_forwarded_for",
                    "X-Forwarded_Proto",
                    "via",
                ]
                .map(with_header)
                .into()
            },
            NAMES,
        ),
        invalid(
            "headers that name another method or path",
            "goes around the routes that were declared",
            || {
                [
                    "X-HTTP-Method-Override",
                    "x-http-method",
                    "X-Method-Override",
                    "x-original-url",
                    "X-Rewrite-Url",
                    "x_http_method",
                ]
                .map(with_header)
                .into()
            },
            NAMES,
        ),
        invalid(
            "headers that stand twice",
            "has two servers disagree on which of them counts",
            || {
                vec![
                    with_headers(&[("content-type", "a/b"), ("Content-Type", "c/d")]),
                    with_headers(&[("Idempotency-Key", "1"), ("idempotency-key", "2")]),
                ]
            },
            &["egress::headers::tests::only_names_without_a_single_meaning_may_repeat"],
        ),
        invalid(
            "the credential's own header",
            "sends another credential than the host's",
            || {
                ["x-api-key", "X-Api-Key", "x-aPI-kEY"]
                    .map(with_header)
                    .into()
            },
            NAMES,
        ),
        Behaviour {
            ends: NotSent("TooLarge"),
            ..invalid(
                "too many headers",
                "fills the upstream's memory in the gateway's name",
                || {
                    let many = vec![("x-a", "b"); 33];
                    let long = "x".repeat(9 << 10);
                    vec![with_headers(&many), with_value(&long)]
                },
                &["egress::headers::tests::headers_are_bounded_in_number_and_bytes"],
            )
        },
    ]
}

fn others() -> Vec<Behaviour> {
    const EXCHANGES: &[&str] = &[
        "egress::tests::what_the_guest_may_not_ask_for_is_refused_before_anything_is_connected_to",
    ];
    let too_large = |name, requests, tests| Behaviour {
        ends: NotSent("TooLarge"),
        ..invalid(
            name,
            "fills the upstream's memory in the gateway's name",
            requests,
            tests,
        )
    };
    let denied = |name, tries, requests, tests| Behaviour {
        ends: NotSent("Denied"),
        ..invalid(name, tries, requests, tests)
    };
    vec![
        invalid(
            "the credential's own parameter",
            "sends another credential than the host's",
            || {
                ["api_key", "API_KEY", "Api_Key"]
                    .map(|name| with_query(&[("a", "b"), (name, "mine")]))
                    .into()
            },
            &["egress::tests::a_guest_cannot_add_to_the_credential"],
        ),
        too_large(
            "a path over its limit",
            || vec![get(&"/x".repeat(2_000))],
            &["egress::path::tests::a_path_over_the_limit_is_too_large"],
        ),
        too_large(
            "a query over its limit",
            || {
                vec![
                    with_query(&[("q", &"x".repeat(17 << 10))]),
                    with_query(&[("q", &"é".repeat(3 << 10))]),
                ]
            },
            &["egress::target::tests::a_query_over_the_limit_is_too_large"],
        ),
        too_large(
            "a body over its limit",
            || {
                let body = "x".repeat((1 << 20) + 1);
                vec![json!({ "endpoint": "api", "method": "POST", "path": "/", "body": body })]
            },
            EXCHANGES,
        ),
        denied(
            "endpoints that nobody declared",
            "goes where nobody agreed that it goes",
            || {
                [
                    "",
                    "other",
                    "API",
                    "api ",
                    "https://evil.example",
                    "api\0",
                    "../api",
                ]
                .map(|endpoint| json!({ "endpoint": endpoint, "method": "GET", "path": "/" }))
                .into()
            },
            &["egress::tests::an_unknown_endpoint_is_told_which_ones_there_are"],
        ),
        denied(
            "methods that nobody declared",
            "does what nobody agreed that it does",
            || {
                ["DELETE", "PUT", "PATCH", "HEAD"]
                    .map(|method| json!({ "endpoint": "api", "method": method, "path": "/" }))
                    .into()
            },
            &["egress::path::tests::routes_match_by_whole_segments_and_method"],
        ),
        denied(
            "the credential in a request",
            "has the credential stand where an upstream keeps it",
            || {
                let token = crate::honest::TOKEN;
                vec![
                    get(&format!("/{token}")),
                    with_query(&[("q", token)]),
                    with_headers(&[("x-a", token)]),
                    json!({ "endpoint": "api", "method": "POST", "path": "/", "body": token }),
                ]
            },
            EXCHANGES,
        ),
    ]
}
