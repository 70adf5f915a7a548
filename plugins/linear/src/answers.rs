//! The tables of README.md, played.

use portcullis_sdk::{
    prelude::*,
    testing::{
        Reply,
        answers::{Answer, check_documented, standard, table},
    },
};

use crate::PROVIDER;

const README: &str = include_str!("../README.md");

/// What only Linear answers so, after what anybody answers.
fn answers() -> Vec<Answer> {
    let mut answers = standard();
    answers.extend([
        Answer::new("400 `RATELIMITED`", rate_limited()),
        Answer::new(
            "400 `RATELIMITED`, a limit is restored in 95 s",
            rate_limited()
                .header("x-ratelimit-requests-remaining", "0")
                .header("x-ratelimit-requests-reset", "1767323140000"),
        ),
        Answer::new(
            "400 `AUTHENTICATION_ERROR`",
            refused(400, "Authentication required", "AUTHENTICATION_ERROR"),
        ),
        Answer::new(
            "200 with `FORBIDDEN`",
            refused(200, "You may not do this", "FORBIDDEN"),
        ),
        Answer::new(
            "200 with `Entity not found`",
            refused(200, "Entity not found: Issue", "INPUT_ERROR"),
        ),
        Answer::new(
            "200 with `INPUT_ERROR`",
            refused(200, "Argument Validation Error", "INPUT_ERROR"),
        ),
        Answer::new(
            "200 with data and errors",
            Reply::json(
                200,
                json!({ "data": {}, "errors": [{ "message": "labels: timed out" }] }),
            ),
        ),
        Answer::new(
            "500 with `INTERNAL_SERVER_ERROR`",
            refused(500, "Internal server error", "INTERNAL_SERVER_ERROR"),
        ),
        Answer::new("200 without data", Reply::json(200, json!({}))),
    ]);
    answers
}

fn rate_limited() -> Reply {
    refused(400, "Rate limit exceeded", "RATELIMITED")
}

fn refused(status: u16, message: &str, code: &str) -> Reply {
    Reply::json(
        status,
        json!({ "errors": [{ "message": message, "extensions": { "code": code } }] }),
    )
}

#[test]
fn what_an_agent_sees_of_a_read_is_documented() {
    let params = json!({ "issueId": "ENG-1" });
    check_documented(README, &table(PROVIDER, "get_issue", &params, &answers()));
}

#[test]
fn what_an_agent_sees_of_a_write_is_documented() {
    let params = json!({ "issueId": "ENG-1", "body": "Hi" });
    check_documented(README, &table(PROVIDER, "add_comment", &params, &answers()));
}
