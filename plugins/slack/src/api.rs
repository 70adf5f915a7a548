//! How Slack answers and fails: with status 200, nearly always.

use portcullis_sdk::{http::Response, prelude::*};
use serde::de::DeserializeOwned;

/// The endpoint's name.
pub const ENDPOINT: &str = "api";

/// The path that posts messages.
pub const POST_MESSAGE: &str = "/api/chat.postMessage";

/// Calls a method that changes something.
///
/// **Errors**: those of the request and of the status; those that Slack names in an answer with
/// `ok: false`; `upstream` for what is not an answer of Slack's.
pub(crate) fn call<T: DeserializeOwned>(ctx: &Context, path: &str, body: &Value) -> Result<T> {
    let response = ctx
        .http(ENDPOINT)
        .post(path)
        // With the charset, which Slack warns about when it is missing.
        .body("application/json; charset=utf-8", body.to_string())
        .send()?
        .success()?;
    let outcome: Outcome = response.json()?;
    if outcome.ok {
        response.json()
    } else {
        Err(outcome.refusal(&response))
    }
}

#[answer(rename_all = "snake_case")]
struct Outcome {
    ok: bool,
    error: Option<Text<80>>,
    /// The scope that the token lacks.
    needed: Option<Text<200>>,
    /// The scopes that it has.
    provided: Option<Text<400>>,
    response_metadata: Option<Metadata>,
}

#[answer]
struct Metadata {
    /// What is wrong with the arguments.
    #[serde(default)]
    messages: List<Text<200>, 5>,
}

impl Outcome {
    fn refusal(&self, response: &Response) -> Error {
        let name = self.error.as_deref().unwrap_or("no error named");
        let (code, advice) = meaning(name);
        let mut sentences = vec![format!("Slack refused: {name}. {advice}")];
        sentences.extend(self.scopes());
        let details = self.response_metadata.iter().flat_map(|it| &*it.messages);
        sentences.extend(details.map(Text::to_string));
        let error = Error::new(code, sentences.join(" "));
        match response.retry_after() {
            Some(wait) if code == ErrorCode::RateLimited => error.retry_after(wait),
            _ => error,
        }
    }

    fn scopes(&self) -> Option<String> {
        let needed = self.needed.as_ref()?;
        let provided = self.provided.as_deref().unwrap_or("unknown");
        Some(format!("Needed: {needed}; provided: {provided}."))
    }
}

/// What an error of Slack's means, and what to do about it.
fn meaning(error: &str) -> (ErrorCode, &'static str) {
    match error {
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => (
            ErrorCode::Unauthorized,
            "The connection's token is no longer accepted: somebody has to connect Slack again.",
        ),
        "channel_not_found" => (
            ErrorCode::NotFound,
            "No such channel, or the bot cannot see it: give the channel's id, and invite the bot to private channels.",
        ),
        "thread_not_found" | "message_not_found" | "user_not_found" => {
            (ErrorCode::NotFound, "Look where the id comes from.")
        }
        "not_in_channel" => (
            ErrorCode::Forbidden,
            "Somebody has to invite the bot to the channel.",
        ),
        "is_archived" => (
            ErrorCode::Forbidden,
            "The channel is archived: choose another one.",
        ),
        "missing_scope" => (
            ErrorCode::Forbidden,
            "The token lacks a scope: somebody has to connect Slack with it.",
        ),
        "access_denied"
        | "cannot_reply_to_message"
        | "ekm_access_denied"
        | "enterprise_is_restricted"
        | "messages_tab_disabled"
        | "no_permission"
        | "not_allowed_token_type"
        | "org_login_required"
        | "team_access_not_granted" => (
            ErrorCode::Forbidden,
            "The bot may not post there: choose another channel, or ask an admin of the workspace.",
        ),
        restricted if restricted.starts_with("restricted_action") => (
            ErrorCode::Forbidden,
            "The workspace restricts who may post there: choose another channel, or ask an admin of the workspace.",
        ),
        "no_text" => (ErrorCode::InvalidParams, "Give a text that is not blank."),
        "msg_too_long" => (
            ErrorCode::InvalidParams,
            "Send a shorter text, or several messages in a thread.",
        ),
        invalid if invalid.starts_with("invalid_") => {
            (ErrorCode::InvalidParams, "Mend the params.")
        }
        "rate_limited" | "ratelimited" | "message_limit_exceeded" => (
            ErrorCode::RateLimited,
            "Nothing was posted: wait before the next message.",
        ),
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => (
            ErrorCode::Upstream,
            "The message may have been posted all the same: look before sending it again.",
        ),
        _ => (
            ErrorCode::Upstream,
            "That error is not known here; Slack's documentation of chat.postMessage may tell.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use portcullis_sdk::testing::{Reply, TestProvider};

    use super::*;
    use crate::PROVIDER;

    fn failure(reply: Reply) -> Error {
        let slack = TestProvider::new(PROVIDER);
        slack.expect(Method::Post, POST_MESSAGE, reply);
        slack.fails("send_message", json!({ "channel": "C1", "text": "Hi" }))
    }

    #[test]
    fn rate_limits_tell_the_wait_where_slack_does() {
        let named = Reply::json(200, json!({ "ok": false, "error": "ratelimited" }));
        let error = failure(named.header("retry-after", "30"));

        assert_eq!(error.code(), ErrorCode::RateLimited);
        assert!(error.is_retryable());
        assert_eq!(error.wait(), Some(Duration::from_secs(30)));
    }

    #[test]
    fn nothing_but_a_rate_limit_is_retryable() {
        let names = [
            "invalid_auth",
            "internal_error",
            "service_unavailable",
            "something_new",
        ];
        for name in names {
            let refused = Reply::json(200, json!({ "ok": false, "error": name }));
            let error = failure(refused.header("retry-after", "30"));
            assert!(!error.is_retryable(), "{name}");
            assert_eq!(error.wait(), None, "{name}");
        }
    }

    #[test]
    fn what_slack_says_is_bounded() {
        let long = "x".repeat(100_000);
        let error = failure(Reply::json(
            200,
            json!({
                "ok": false,
                "error": long,
                "needed": long,
                "provided": long,
                "response_metadata": { "messages": vec![&long; 100] },
            }),
        ));

        assert_eq!(error.code(), ErrorCode::Upstream);
        assert!(error.message().len() < 2_000);
    }

    #[test]
    fn odd_refusals_are_errors_all_the_same() {
        for body in [
            json!({ "ok": false }),
            json!({ "ok": false, "error": null }),
            json!({ "ok": false, "error": { "a": 1 }, "needed": [], "response_metadata": [] }),
            json!({ "ok": "yes" }),
            json!({ "ok": null }),
            json!([]),
            json!(null),
        ] {
            assert_eq!(failure(Reply::json(200, body)).code(), ErrorCode::Upstream);
        }
    }
}
