//! Every way in which an upstream can answer, and what an agent sees of it.
//!
//! A provider's README says it in a table, and a test keeps the table true:
//!
//! ```
//! use portcullis_sdk::{prelude::*, testing::answers};
//!
//! # /// Tells who is asking.
//! # #[action(title = "Who am I", risk = read)]
//! # fn whoami(ctx: &Context) -> Result<Value> {
//! #     ctx.http("api").get("/me").send()?.success()?.json()
//! # }
//! #
//! # provider! {
//! #     id: "tracker",
//! #     name: "Tracker",
//! #     description: "Issues and their comments.",
//! #     endpoints: [
//! #         Endpoint::new("api", "https://api.tracker.example").routes(&[Route::get("/me")]),
//! #     ],
//! #     guide: "Ask who you are.",
//! #     actions: [whoami],
//! # }
//! # fn main() {
//! let table = answers::table(PROVIDER, "whoami", &json!({}), &answers::standard());
//!
//! # let readme = &table;
//! // let readme = include_str!("../README.md");
//! answers::check_documented(readme, &table);
//! # }
//! ```

use std::{fmt::Write as _, time::Duration};

use serde_json::Value;

use super::{Reply, TestProvider};
use crate::{
    error::{Error, ErrorCode, Result},
    http::HttpErrorKind,
    provider::Provider,
};

/// One way in which an upstream can answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What the table calls it.
    pub name: &'static str,
    /// The answer itself.
    pub reply: Reply,
}

impl Answer {
    /// An answer of the provider's own upstream, beside the standard ones.
    pub fn new(name: &'static str, reply: Reply) -> Self {
        Self { name, reply }
    }
}

/// What an agent sees of a call.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The action's result or its error.
    pub outcome: Result<Value>,
    /// How many requests were sent.
    pub sent: usize,
}

/// The answers that any upstream can give, and none at all.
pub fn standard() -> Vec<Answer> {
    let status = |name, status, body| Answer::new(name, Reply::text(status, body));
    let failure = |name, kind, request_sent, why| {
        Answer::new(name, Reply::error(kind, request_sent).because(why))
    };
    vec![
        status("302", 302, "").with_header("location", "https://elsewhere.example/"),
        status("400", 400, "The request is wrong."),
        status("401", 401, "Who are you?"),
        status("403", 403, "Not yours."),
        status("404", 404, "No such thing."),
        status("409", 409, "It exists already."),
        status("422", 422, "The title is too long."),
        status("429", 429, "Slow down."),
        status("429, `Retry-After: 37`", 429, "Slow down.").with_header("retry-after", "37"),
        status("500", 500, "Something broke."),
        status("502", 502, "Bad gateway."),
        status("503", 503, "Down for maintenance."),
        status("504", 504, "Gateway timeout."),
        status("200 that is no JSON", 200, "<html>"),
        failure(
            "more than 8 MiB",
            HttpErrorKind::TooLarge,
            true,
            "the response's body has more than 8388608 bytes",
        ),
        failure(
            "no connection",
            HttpErrorKind::Connect,
            false,
            "endpoint `api`: no connection could be made",
        ),
        failure(
            "no connection in time",
            HttpErrorKind::Timeout,
            false,
            "endpoint `api`: no connection in time",
        ),
        failure(
            "no answer in time",
            HttpErrorKind::Timeout,
            true,
            "endpoint `api`: no complete response in time",
        ),
        failure(
            "the connection breaks",
            HttpErrorKind::Protocol,
            true,
            "endpoint `api`: the connection broke, or the answer is not HTTP",
        ),
    ]
}

impl Answer {
    fn with_header(mut self, name: &str, value: &str) -> Self {
        self.reply = self.reply.header(name, value);
        self
    }
}

/// What an agent sees of an action whose every request is answered so.
///
/// The call has 29 seconds for waits, as in a gateway.
pub fn see(provider: Provider, action: &str, params: &Value, reply: Reply) -> Seen {
    let host = TestProvider::new(provider);
    host.expect_always(reply);
    Seen {
        outcome: host.run(action, params.clone()),
        sent: host.requests().len(),
    }
}

/// A table in Markdown: for each answer its name, the error's code, whether the same call may be
/// tried again and when, how many requests were sent in this one, and the message.
pub fn table(provider: Provider, action: &str, params: &Value, answers: &[Answer]) -> String {
    let mut table = format!(
        "| answers to `{action}` | code | retryable | sent | message |\n\
         | --- | --- | --- | --- | --- |\n"
    );
    for answer in answers {
        let seen = see(provider, action, params, answer.reply.clone());
        let row = row(answer.name, &seen);
        writeln!(table, "{row}").expect("text takes any text");
    }
    table
}

/// Checks that a text, such as a README, holds a table of this module word for word.
///
/// # Panics
/// When it does not, with the first row that differs and the table as it should be.
#[track_caller]
pub fn check_documented(text: &str, table: &str) {
    let missing = table
        .lines()
        .find(|row| !text.lines().any(|line| line == *row));
    assert!(
        missing.is_none() && text.contains(table.trim_end()),
        "the table should be another, at {missing:?}:\n{table}"
    );
}

fn row(name: &str, seen: &Seen) -> String {
    let sent = seen.sent;
    match &seen.outcome {
        Ok(_) => format!("| {name} | none | | {sent} | a result |"),
        Err(error) => format!(
            "| {name} | `{}` | {} | {sent} | {} |",
            code(error.code()),
            again(error),
            error.message().replace('|', "\\|")
        ),
    }
}

fn again(error: &Error) -> String {
    match (error.is_retryable(), error.wait()) {
        (false, _) => "no".to_owned(),
        (true, None) => "yes".to_owned(),
        (true, Some(wait)) => format!("yes, after {}", seconds(wait)),
    }
}

fn seconds(wait: Duration) -> String {
    format!("{} s", wait.as_secs_f64())
}

/// As agents see it.
fn code(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::InvalidParams => "invalid_params",
        ErrorCode::Unauthorized => "unauthorized",
        ErrorCode::Forbidden => "forbidden",
        ErrorCode::NotFound => "not_found",
        ErrorCode::Conflict => "conflict",
        ErrorCode::RateLimited => "rate_limited",
        ErrorCode::Upstream => "upstream",
        ErrorCode::Timeout => "timeout",
        ErrorCode::DeniedEgress => "denied_egress",
        ErrorCode::ConnectionMissing => "connection_missing",
        ErrorCode::Internal => "provider_internal",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::prelude::*;

    /// Reads.
    #[action(title = "Read", risk = read)]
    fn read(ctx: &Context) -> Result<Value> {
        ctx.http("api").get("/").send()?.success()?.json()
    }

    provider! {
        id: "tracker",
        name: "Tracker",
        description: "Issues.",
        endpoints: [Endpoint::new("api", "https://api.example.com").routes(&[Route::get("/")])],
        guide: "Read.",
        actions: [read],
    }

    fn row_of(name: &'static str, reply: Reply) -> String {
        let table = table(PROVIDER, "read", &json!({}), &[Answer::new(name, reply)]);
        table.lines().next_back().unwrap().to_owned()
    }

    #[test]
    fn a_row_tells_what_an_agent_sees() {
        assert_eq!(
            row_of("busy", Reply::text(429, "a|b").header("retry-after", "37")),
            "| busy | `rate_limited` | yes, after 37 s | 1 | Tracker answered 429: a\\|b |"
        );
        assert_eq!(
            row_of("out of order", Reply::text(503, "")),
            "| out of order | `upstream` | yes | 3 | Tracker answered 503. |"
        );
        assert_eq!(
            row_of("fine", Reply::json(200, json!({}))),
            "| fine | none | | 1 | a result |"
        );
    }

    #[test]
    fn every_standard_answer_is_a_failure_with_a_name_of_its_own() {
        let table = table(PROVIDER, "read", &json!({}), &standard());
        let mut names: Vec<_> = table.lines().map(|row| row.split('|').nth(1)).collect();
        assert_eq!(names.len(), standard().len() + 2);
        assert!(!table.contains("a result"), "{table}");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), standard().len() + 2);
        check_documented(&format!("# Tracker\n\n{table}\nMore.\n"), &table);
    }

    #[test]
    #[should_panic(expected = "at Some(\"| 400 |")]
    fn a_row_that_is_not_documented_is_shown() {
        let table = table(PROVIDER, "read", &json!({}), &standard());
        let other = table.replace("| 400 | `invalid_params`", "| 400 | `upstream`");
        check_documented(&other, &table);
    }
}
