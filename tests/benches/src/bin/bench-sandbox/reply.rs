//! The reply that every lane gets, and what is asked for.

use serde_json::{Value, json};

const ISSUES: u64 = 10;

/// The action that is measured.
pub(crate) const ACTION: &str = "list_issues";

/// What it is called with.
pub(crate) fn params() -> Value {
    json!({ "teamId": "ENG", "first": ISSUES })
}

/// The headers that Linear sends and a guest may look at.
pub(crate) const HEADERS: [(&str, &str); 4] = [
    ("content-type", "application/json; charset=utf-8"),
    ("x-complexity", "121"),
    ("x-ratelimit-requests-remaining", "1402"),
    ("x-ratelimit-requests-reset", "1795222800000"),
];

/// The body as Linear writes it, with the lengths that issues have in real
/// workspaces.
pub(crate) fn body() -> String {
    let nodes: Vec<Value> = (0..ISSUES).map(issue).collect();
    let page_info = json!({ "hasNextPage": true, "endCursor": uuid(77) });
    json!({ "data": { "issues": { "nodes": nodes, "pageInfo": page_info } } }).to_string()
}

fn uuid(number: u64) -> String {
    format!("9c1a6f0e-6a3b-4b43-9d0b-{number:012x}")
}

fn issue(number: u64) -> Value {
    let identifier = format!("ENG-{}", 1_200 + number);
    json!({
        "id": uuid(number),
        "identifier": identifier,
        "title": "Login hangs after the second factor is sent",
        "url": format!("https://linear.app/acme/issue/{identifier}/login-hangs-after-the-second-factor"),
        "priority": number % 5,
        "state": { "id": uuid(1_000), "name": "In Progress" },
        "team": { "id": uuid(2_000), "key": "ENG" },
        "assignee": { "id": uuid(3_000), "name": "Ada Lovelace" },
        "updatedAt": "2026-11-20T10:15:30.123Z",
    })
}
