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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warning: Option<Text<300>>,
}

/// A message.
#[result(rename_all = "snake_case")]
pub struct Message {
    /// As it was sent, or as Slack changed it.
    text: Option<Text<4000>>,
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
