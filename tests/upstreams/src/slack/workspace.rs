//! The channels of one fake Slack and what was posted in them.

use serde_json::{Value, json};

use super::{error::SlackError, ids};
use crate::{TimeSource, json::with};

/// Slack refuses longer texts; in characters.
const MAX_TEXT_CHARACTERS: usize = 40_000;

/// Everything there is.
#[derive(Debug)]
pub(crate) struct Workspace {
    channels: Vec<Channel>,
    /// Of all channels, oldest first.
    messages: Vec<Message>,
}

#[derive(Debug)]
struct Channel {
    id: &'static str,
    name: &'static str,
}

/// A message, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) channel: &'static str,
    /// Seconds since 1970 and the message's number: its id in the channel.
    pub(crate) ts: String,
    /// The `ts` of the message that it answers.
    thread_ts: Option<String>,
    user: &'static str,
    text: String,
}

/// What `chat.postMessage` is given.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) channel: &'a str,
    pub(crate) text: &'a str,
    pub(crate) thread_ts: Option<&'a str>,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        let message = |ts: &str, thread_ts: Option<&str>, user, text: &str| Message {
            channel: ids::CHANNEL_DEPLOYS,
            ts: ts.to_owned(),
            thread_ts: thread_ts.map(str::to_owned),
            user,
            text: text.to_owned(),
        };
        Self {
            channels: vec![
                Channel {
                    id: ids::CHANNEL_GENERAL,
                    name: "general",
                },
                Channel {
                    id: ids::CHANNEL_DEPLOYS,
                    name: "deploys",
                },
            ],
            messages: vec![
                message(
                    ids::THREAD,
                    None,
                    ids::USER_ADA,
                    "web 4.2.0 goes out at noon. Anything that should wait?",
                ),
                message(
                    "1793610060.000002",
                    Some(ids::THREAD),
                    ids::USER_BOT,
                    "WEB-1 is still open.",
                ),
            ],
        }
    }

    /// Keeps a message, if Slack would.
    pub(crate) fn post(
        &mut self,
        draft: &Draft<'_>,
        time: &TimeSource,
    ) -> Result<&Message, SlackError> {
        let channel = self.channel(draft.channel)?;
        if draft.text.trim().is_empty() {
            return Err(SlackError::named("no_text"));
        }
        if draft.text.chars().count() > MAX_TEXT_CHARACTERS {
            return Err(SlackError::named("msg_too_long"));
        }
        let thread_ts = match draft.thread_ts {
            Some(ts) => Some(self.root_of(channel, ts)?),
            None => None,
        };
        let message = Message {
            channel,
            ts: format!("{}.{:06}", time.next().as_second(), self.messages.len() + 1),
            thread_ts,
            user: ids::USER_BOT,
            text: draft.text.to_owned(),
        };
        Ok(self.messages.push_mut(message))
    }

    /// The messages of a channel that answer no other, latest first.
    pub(crate) fn history(&self, channel: &str) -> Result<Vec<Value>, SlackError> {
        let channel = self.channel(channel)?;
        let messages = self.messages.iter().rev();
        Ok(messages
            .filter(|message| message.channel == channel && message.thread_ts.is_none())
            .map(|message| self.describe(message))
            .collect())
    }

    /// A message and its answers, oldest first.
    pub(crate) fn replies(&self, channel: &str, ts: &str) -> Result<Vec<Value>, SlackError> {
        let channel = self.channel(channel)?;
        let root = self.root_of(channel, ts)?;
        let messages = self.messages.iter();
        Ok(messages
            .filter(|message| message.channel == channel && *message.thread() == root)
            .map(|message| self.describe(message))
            .collect())
    }

    /// The message as Slack shows it.
    pub(crate) fn describe(&self, message: &Message) -> Value {
        let shown = json!({
            "type": "message",
            "user": message.user,
            "team": ids::TEAM,
            "text": message.text,
            "ts": message.ts,
            "blocks": [{
                "type": "rich_text",
                "block_id": format!("b{}", message.ts),
                "elements": [{
                    "type": "rich_text_section",
                    "elements": [{ "type": "text", "text": message.text }],
                }],
            }],
        });
        let shown = match message.user {
            ids::USER_BOT => with(shown, bot()),
            _ => shown,
        };
        match &message.thread_ts {
            Some(thread_ts) => {
                let root = self.messages.iter().find(|root| root.ts == *thread_ts);
                let parent = root.map(|root| root.user);
                with(
                    shown,
                    json!({ "thread_ts": thread_ts, "parent_user_id": parent }),
                )
            }
            None => shown,
        }
    }

    /// A channel by its id, or by its name as people write it.
    fn channel(&self, id_or_name: &str) -> Result<&'static str, SlackError> {
        let name = id_or_name.strip_prefix('#').unwrap_or(id_or_name);
        let is_meant = |channel: &&Channel| channel.id == id_or_name || channel.name == name;
        let found = self.channels.iter().find(is_meant);
        let found = found.ok_or_else(|| SlackError::named("channel_not_found"))?;
        Ok(found.id)
    }

    /// The message that began the thread in which this one stands.
    fn root_of(&self, channel: &str, ts: &str) -> Result<String, SlackError> {
        let is_meant = |message: &&Message| message.channel == channel && message.ts == ts;
        let found = self.messages.iter().find(is_meant);
        let found = found.ok_or_else(|| SlackError::named("thread_not_found"))?;
        Ok(found.thread().clone())
    }
}

impl Message {
    /// The `ts` of the message that began its thread, which may be its own.
    fn thread(&self) -> &String {
        self.thread_ts.as_ref().unwrap_or(&self.ts)
    }
}

/// What a message of the bot has beside what all have.
fn bot() -> Value {
    json!({
        "bot_id": ids::BOT,
        "app_id": ids::APP,
        "bot_profile": {
            "id": ids::BOT, "app_id": ids::APP, "team_id": ids::TEAM, "user_id": ids::USER_BOT,
            "name": "portcullis", "deleted": false, "updated": 1_793_600_000,
            "icons": { "image_36": "https://a.slack-edge.com/80588/img/plugins/app/bot_36.png" },
        },
    })
}
