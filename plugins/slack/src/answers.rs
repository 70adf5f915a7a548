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

fn check(answers: &[Answer]) {
    let params = json!({ "channel": "C1", "text": "Hi" });
    check_documented(README, &table(PROVIDER, "send_message", &params, answers));
}

/// An answer with status 200 that names an error.
fn refused(error: &'static str, more: &[(&str, Value)]) -> Answer {
    let mut body = json!({ "ok": false, "error": error });
    for (name, value) in more {
        body[*name] = value.clone();
    }
    Answer::new(error, Reply::json(200, body))
}

#[test]
fn what_an_agent_sees_of_any_upstreams_answers_is_documented() {
    let mut answers = standard();
    answers.extend([
        Answer::new("200 with another shape", Reply::json(200, json!({}))),
        Answer::new(
            "200 without a message",
            Reply::json(200, json!({ "ok": true })),
        ),
    ]);
    check(&answers);
}

#[test]
fn what_an_agent_sees_of_slacks_errors_is_documented() {
    let scopes = [
        ("needed", json!("chat:write")),
        ("provided", json!("channels:read")),
    ];
    let messages = json!({ "messages": ["[ERROR] missing required field: channel"] });
    check(&[
        refused("invalid_auth", &[]),
        refused("not_authed", &[]),
        refused("token_revoked", &[]),
        refused("token_expired", &[]),
        refused("account_inactive", &[]),
        refused("channel_not_found", &[]),
        refused("thread_not_found", &[]),
        refused("not_in_channel", &[]),
        refused("is_archived", &[]),
        refused("missing_scope", &scopes),
        refused("restricted_action", &[]),
        refused("restricted_action_read_only_channel", &[]),
        refused("cannot_reply_to_message", &[]),
        refused("no_text", &[]),
        refused("msg_too_long", &[]),
        refused("invalid_arguments", &[("response_metadata", messages)]),
        refused("invalid_blocks", &[]),
        refused("ratelimited", &[]),
        refused("rate_limited", &[]),
        refused("message_limit_exceeded", &[]),
        refused("internal_error", &[]),
        refused("fatal_error", &[]),
        refused("service_unavailable", &[]),
        refused("request_timeout", &[]),
        refused("something_new", &[]),
    ]);
}
