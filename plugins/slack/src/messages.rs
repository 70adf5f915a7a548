//! Actions on messages.

use portcullis_sdk::prelude::*;
use serde::Serialize;

use crate::api;

/// The message to send.
#[params(rename_all = "snake_case")]
#[derive(Serialize)]
pub struct SendMessage {
    /// The channel's id, such as C024BE91L (safest), or its name.
    #[schemars(length(min = 1, max = 256))]
    channel: String,
    /// Slack's mrkdwn: `*bold*`, `_italic_`, `<https://example.com|link>`. Stay below 4,000
    /// characters.
    #[schemars(length(min = 1, max = 40000))]
    text: String,
    /// The `ts` of the message to reply to, in its thread.
    #[schemars(regex(pattern = r"^[0-9]+\.[0-9]+$"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<String>,
}

/// What sending a message answers.
#[result(rename_all = "snake_case")]
pub struct SentMessage {
    /// The id of the channel it stands in.
    channel: Text<64>,
    /// What names the message within its channel; `thread_ts` for a reply to it.
    ts: Text<64>,
    /// The message as Slack shows it.
    message: Option<Message>,
    /// What Slack warns about.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<Text<300>>,
}

/// A message.
#[result(rename_all = "snake_case")]
pub struct Message {
    /// Names it within its channel.
    ts: Option<Text<64>>,
    /// As it was sent, or as Slack changed it; its first 1,000 characters.
    text: Option<Text<1000>>,
    /// The id of the user or bot user who sent it.
    user: Option<Text<64>>,
    /// The id of the bot that sent it.
    bot_id: Option<Text<64>>,
    /// The message whose thread it stands in.
    thread_ts: Option<Text<64>>,
}

/// Sends a message to a channel, or a reply to a thread, as the organization's bot.
#[action(
    title = "Send message",
    risk = write,
    credential = org,
    example("To a channel", { "channel": "C024BE91L", "text": "The deployment is done." }),
    example("In a thread", {
        "channel": "C024BE91L",
        "text": "It took 4 minutes.",
        "thread_ts": "1503435956.000247",
    }),
)]
pub fn send_message(ctx: &Context, params: SendMessage) -> Result<SentMessage> {
    api::call(ctx, api::POST_MESSAGE, &json!(params))
}

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing::{Reply, SentRequest, TestProvider};

    use super::*;
    use crate::PROVIDER;

    fn posted() -> Value {
        json!({
            "ok": true,
            "channel": "C024BE91L",
            "ts": "1503435956.000247",
            "message": {
                "type": "message",
                "subtype": "bot_message",
                "text": "The deployment is done.",
                "user": "U0BOT",
                "bot_id": "B0BOT",
                "team": "T0ACME",
                "ts": "1503435956.000247",
                "bot_profile": { "name": "portcullis" },
                "blocks": [{ "type": "rich_text" }],
            },
        })
    }

    fn send(params: Value, answer: Value) -> (Value, SentRequest) {
        let slack = TestProvider::new(PROVIDER);
        slack.expect(Method::Post, api::POST_MESSAGE, Reply::json(200, answer));
        let result = slack.run("send_message", params).unwrap();
        (result, slack.requests().remove(0))
    }

    #[test]
    fn a_message_is_posted_and_answered_with_what_names_it() {
        let params = json!({ "channel": "C024BE91L", "text": "The deployment is done." });
        let (result, request) = send(params.clone(), posted());

        assert_eq!(request.path, "/api/chat.postMessage");
        assert_eq!(request.json(), params);
        assert_eq!(
            request.header("content-type"),
            Some("application/json; charset=utf-8")
        );
        assert_eq!(
            result,
            json!({
                "channel": "C024BE91L",
                "ts": "1503435956.000247",
                "message": {
                    "ts": "1503435956.000247",
                    "text": "The deployment is done.",
                    "user": "U0BOT",
                    "bot_id": "B0BOT",
                    "thread_ts": null,
                },
            })
        );
    }

    #[test]
    fn a_reply_names_its_thread() {
        let params =
            json!({ "channel": "C1", "text": "4 minutes", "thread_ts": "1503435956.000247" });
        let mut answer = posted();
        answer["message"]["thread_ts"] = json!("1503435956.000247");

        let (result, request) = send(params.clone(), answer);

        assert_eq!(request.json(), params);
        assert_eq!(result["message"]["thread_ts"], "1503435956.000247");
    }

    #[test]
    fn warnings_are_passed_on() {
        let mut answer = posted();
        answer["warning"] = json!("message_truncated");

        let (result, _) = send(json!({ "channel": "C1", "text": "Hi" }), answer);

        assert_eq!(result["warning"], "message_truncated");
    }

    #[test]
    fn a_message_that_was_posted_is_told_whatever_else_the_answer_holds() {
        for odd in [json!(null), json!(7), json!("x"), json!({ "text": ["a"] })] {
            let mut answer = posted();
            for member in ["message", "warning", "response_metadata", "error", "needed"] {
                answer[member] = odd.clone();
            }

            let (result, _) = send(json!({ "channel": "C1", "text": "Hi" }), answer);

            assert_eq!(result["ts"], "1503435956.000247");
        }
    }

    #[test]
    fn the_echo_of_a_long_message_is_cut() {
        for long in ["x", "€"] {
            let mut answer = posted();
            answer["message"]["text"] = json!(long.repeat(40_000));

            let (result, _) = send(json!({ "channel": "C1", "text": "Hi" }), answer);

            let echo = result["message"]["text"].as_str().unwrap();
            assert_eq!(echo.chars().count(), 1_000);
            assert!(result.to_string().len() <= 10_240);
        }
    }

    #[test]
    fn lengths_and_forms_are_part_of_the_schema() {
        let schema = PROVIDER.actions[0].params_schema();
        let property = |name: &str| schema["properties"][name].clone();

        assert_eq!(property("channel")["minLength"], 1);
        assert_eq!(property("text")["minLength"], 1);
        assert_eq!(property("text")["maxLength"], 40_000);
        assert_eq!(property("thread_ts")["pattern"], r"^[0-9]+\.[0-9]+$");
        assert_eq!(schema["required"], json!(["channel", "text"]));
    }

    #[test]
    fn params_are_closed() {
        let params = json!({ "channel": "C1", "text": "Hi", "username": "root" });
        let error = TestProvider::new(PROVIDER).fails("send_message", params);

        assert_eq!(error.code(), ErrorCode::InvalidParams);
    }
}
