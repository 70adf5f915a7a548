//! Issues and comments as Linear sends them, with the lengths that they have in real workspaces.

use portcullis_sdk::prelude::*;

/// A UUID of version 4.
pub(crate) fn uuid(number: usize) -> String {
    format!("9c1a6f0e-6a3b-4b43-9d0b-{number:012x}")
}

/// The fields of the fragment `IssueSummary`.
pub(crate) fn issue(number: usize) -> Value {
    json!({
        "id": uuid(number),
        "identifier": format!("ENG-{}", 1_200 + number),
        "title": "Login hangs after the second factor is sent",
        "url": format!(
            "https://linear.app/acme/issue/ENG-{}/login-hangs-after-the-second-factor-is-sent",
            1_200 + number,
        ),
        "priority": number % 5,
        "state": { "id": uuid(1_000), "name": "In Progress" },
        "team": { "id": uuid(2_000), "key": "ENG" },
        "assignee": { "id": uuid(3_000), "name": "Ada Lovelace" },
        "updatedAt": "2026-11-20T10:15:30.123Z",
    })
}

/// The fields of the fragment `CommentFields`.
pub(crate) fn comment(number: usize) -> Value {
    json!({
        "id": uuid(number),
        "body": "Reproduced on *staging*.",
        "url": format!("https://linear.app/acme/issue/ENG-1201/login-hangs#comment-{number:08x}"),
        "createdAt": "2026-11-20T10:15:30.123Z",
        "user": { "id": uuid(3_000), "name": "Ada Lovelace" },
    })
}
