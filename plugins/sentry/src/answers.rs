//! The tables of README.md, played.

use portcullis_sdk::{
    prelude::*,
    testing::{
        Reply,
        answers::{Answer, check_documented, standard, table},
    },
};

use crate::{PROVIDER, fixtures};

const README: &str = include_str!("../README.md");

/// What only Sentry answers so, after what anybody answers.
fn answers() -> Vec<Answer> {
    let detail = |status, detail| Reply::json(status, json!({ "detail": detail }));
    let limited = detail(
        429,
        "You are attempting to use this endpoint too frequently.",
    );
    let mut answers = standard();
    answers.extend([
        Answer::new(
            "429, the limit is restored in 95 s",
            limited.header("x-sentry-rate-limit-reset", "1767323140"),
        ),
        Answer::new(
            "400 about a field",
            Reply::json(400, json!({ "assignedTo": ["Unknown actor input"] })),
        ),
        Answer::new("401 with a detail", detail(401, "Invalid token")),
        Answer::new(
            "403 with a detail",
            detail(403, "You do not have permission to perform this action."),
        ),
        Answer::new(
            "404 with a detail",
            detail(404, "The requested resource does not exist"),
        ),
        Answer::new("200 with another shape", Reply::json(200, json!({}))),
    ]);
    answers
}

#[test]
fn what_an_agent_sees_of_a_read_is_documented() {
    let params = fixtures::named(json!({}));
    check_documented(README, &table(PROVIDER, "get_issue", &params, &answers()));
}

#[test]
fn what_an_agent_sees_of_a_change_is_documented() {
    let params = fixtures::named(json!({ "status": "resolved" }));
    check_documented(
        README,
        &table(PROVIDER, "update_issue", &params, &answers()),
    );
}

#[test]
fn what_an_agent_sees_of_a_comment_is_documented() {
    let duplicate = json!({ "detail": "You have already posted that comment." });
    let duplicate = Answer::new("400, posted already", Reply::json(400, duplicate));
    let params = fixtures::named(json!({ "text": "Hi" }));
    check_documented(
        README,
        &table(PROVIDER, "add_comment", &params, &[duplicate]),
    );
}
