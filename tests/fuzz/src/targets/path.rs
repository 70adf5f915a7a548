//! Paths and queries of guests: what is let out stays on its route, however it is
//! read behind us.

use percent_encoding::percent_decode_str;
use portcullis_core::plugin::{Endpoint, Method, Route};
use portcullis_runtime::egress::fuzzing::url_of;

use crate::json::Bytes;

/// What paths are attacked with.
const PIECES: [&str; 32] = [
    "/",
    "/",
    "/allowed",
    "allowed",
    "..",
    ".",
    "%2e",
    "%2E",
    "%252e",
    "%2f",
    "%2F",
    "%252f",
    "%5c",
    "\\",
    ";",
    ";x",
    "?",
    "#",
    "@",
    ":",
    "//",
    "%00",
    "%0d%0a",
    "\r\n",
    "é",
    "%c3%a9",
    "%c0%ae",
    "%",
    "a",
    "~",
    "https://evil.test",
    "%3b",
];

pub(super) fn check(bytes: &[u8]) {
    check_path(&String::from_utf8_lossy(bytes));
    let mut bytes = Bytes::new(bytes);
    let mut path = ["/allowed/", "/", "", "/allowed"][usize::from(bytes.next() % 4)].to_owned();
    for _ in 0..bytes.next() % 12 {
        path.push_str(PIECES[usize::from(bytes.next() % 32)]);
    }
    check_path(&path);
}

fn check_path(path: &str) {
    let endpoint = Endpoint {
        name: "api".to_owned(),
        base_url: "https://api.test:8443/base".parse().unwrap(),
        routes: vec![Route {
            method: Method::Get,
            path_prefix: "/allowed".to_owned(),
        }],
        credentials: Vec::new(),
    };
    let query = [(path.to_owned(), path.to_owned())];
    assert!(url_of(&endpoint, Method::Post, path, &query).is_none());
    let Some(url) = url_of(&endpoint, Method::Get, path, &query) else {
        return;
    };
    let origin = url.origin().ascii_serialization();
    assert_eq!(origin, "https://api.test:8443", "{path}");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    assert_eq!(pairs, query, "{path}");
    assert_stays(url.path());
}

/// Reads the path as the sloppiest of servers: decodes until nothing is left to
/// decode, takes `\` for `/`, cuts parameters off, folds `//`, `.` and `..`.
fn assert_stays(path: &str) {
    let mut reading = path.to_owned();
    loop {
        let mut folded: Vec<&str> = Vec::new();
        for segment in reading.split(['/', '\\']) {
            match segment.split(';').next().unwrap_or_default() {
                "" | "." => {}
                ".." => drop(folded.pop()),
                other => folded.push(other),
            }
        }
        assert_eq!(folded[..2], ["base", "allowed"], "{path} read as {reading}");
        let decoded = percent_decode_str(&reading)
            .decode_utf8_lossy()
            .into_owned();
        if decoded == reading {
            return;
        }
        reading = decoded;
    }
}
