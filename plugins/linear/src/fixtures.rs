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

/// The same with a title of 80 characters, and with names of the length that long ones have.
pub(crate) fn long_issue(number: usize) -> Value {
    let mut issue = issue(number);
    let title = "Login hangs after the second factor is sent and the page was reloaded in between";
    assert_eq!(title.len(), 80);
    let slug = title.to_lowercase().replace(' ', "-");
    issue["title"] = json!(title);
    issue["url"] = json!(format!(
        "https://linear.app/acme-engineering/issue/PLATFORM-{number}/{slug}"
    ));
    issue["identifier"] = json!(format!("PLATFORM-{number}"));
    issue["state"]["name"] = json!("Waiting for a customer's answer");
    issue["team"]["key"] = json!("PLATFORM");
    issue["assignee"]["name"] = json!("Augusta Ada King-Noel, Countess of Lovelace");
    issue
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
