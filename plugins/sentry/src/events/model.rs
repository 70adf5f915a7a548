//! Events: what Sentry sends of them, and what an agent sees.

use portcullis_sdk::prelude::*;
use serde::Deserialize;

use super::exception::{Exception, RawExceptions};
use crate::model::{Id, Moment, Word};

/// More tags are seldom of use.
const MAX_TAGS: usize = 30;

/// More than Sentry keeps.
const MAX_SENT: usize = 200;

/// An event in a list.
#[result]
pub(super) struct EventSummary {
    /// 32 hexadecimal digits; what `get_event` takes.
    id: Id,
    /// The kind of error and the beginning of its message.
    title: Option<Text<120>>,
    /// Where it happened.
    location: Option<Text<120>>,
    /// RFC 3339.
    date_created: Option<Moment>,
    /// Such as production.
    environment: Option<Word>,
    /// Such as web@1.4.0.
    release: Option<Text<80>>,
    /// The id of the user who had it.
    user_id: Option<Id>,
}

/// One event, with what helps to find its cause.
#[result]
pub struct Event {
    /// The event as in a list.
    #[serde(flatten)]
    summary: EventSummary,
    /// Such as python.
    platform: Option<Word>,
    /// What was logged.
    message: Option<Text<1000>>,
    /// The exceptions, the one that was raised last first, then its causes.
    exceptions: Vec<Exception>,
    /// The request that was being answered.
    request: Option<Request>,
    /// What the event is filed under, but for tags about the user.
    tags: Vec<Tag>,
    /// The event before it, of the same issue.
    previous_event_id: Option<Id>,
    /// The event after it, of the same issue.
    next_event_id: Option<Id>,
}

/// A request, without what may be private.
#[result]
struct Request {
    /// Such as GET.
    method: Option<Text<16>>,
    /// Without the query, and without a name and password.
    url: Option<Text<300>>,
}

/// A tag.
#[result]
struct Tag {
    /// Such as browser.
    key: Word,
    /// Such as Firefox 140.
    value: Text<200>,
}

/// An event as Sentry sends it, in a list and alone.
#[answer]
pub(super) struct RawEvent {
    id: Id,
    /// What older versions name it by, beside a number in `id`.
    #[serde(rename = "eventID")]
    event_id: Option<Id>,
    title: Option<Text<120>>,
    location: Option<Text<120>>,
    culprit: Option<Text<120>>,
    date_created: Option<Moment>,
    user: Option<User>,
    platform: Option<Word>,
    message: Option<Text<1000>>,
    release: Option<Release>,
    #[serde(default)]
    entries: List<Entry, MAX_SENT>,
    #[serde(default)]
    tags: List<Tag, MAX_SENT>,
    #[serde(rename = "previousEventID")]
    previous_event_id: Option<Id>,
    #[serde(rename = "nextEventID")]
    next_event_id: Option<Id>,
}

#[answer]
struct User {
    id: Option<Id>,
}

#[answer]
struct Release {
    version: Option<Text<80>>,
}

/// The parts of an event that are of interest; a list leaves out the others.
#[derive(Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "lowercase")]
enum Entry {
    Exception(RawExceptions),
    Request(Request),
}

impl RawEvent {
    fn tag<const MAX: usize>(&self, key: &str) -> Option<Text<MAX>> {
        let tag = self.tags.iter().find(|tag| &*tag.key == key)?;
        Some(Text::new(&tag.value))
    }

    fn exceptions(&self) -> Vec<Exception> {
        let raised = self.entries.iter().filter_map(|entry| match entry {
            Entry::Exception(exceptions) => Some(exceptions.trimmed()),
            Entry::Request(_) => None,
        });
        raised.flatten().collect()
    }

    fn told_tags(&self) -> Vec<Tag> {
        let told = self.tags.iter().filter(|tag| !tag.is_about_the_user());
        told.take(MAX_TAGS).map(Tag::without_query).collect()
    }

    fn request(&self) -> Option<Request> {
        self.entries.iter().find_map(|entry| match entry {
            Entry::Request(request) => Some(request.without_query()),
            Entry::Exception(_) => None,
        })
    }
}

impl Request {
    fn without_query(&self) -> Self {
        Self {
            method: self.method.clone(),
            url: self.url.as_deref().map(|url| Text::new(&address(url))),
        }
    }
}

impl Tag {
    fn is_about_the_user(&self) -> bool {
        &*self.key == "user" || self.key.starts_with("user.")
    }

    fn without_query(&self) -> Self {
        let is_address = self.value.contains("://") || self.value.starts_with('/');
        let value = if is_address {
            Text::new(&address(&self.value))
        } else {
            self.value.clone()
        };
        Self {
            key: self.key.clone(),
            value,
        }
    }
}

/// An address without its query and without who asks, which often hold what is private.
fn address(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    let mut parts = bare.split("//");
    let scheme = parts.next().unwrap_or_default().to_owned();
    parts.fold(scheme, |address, part| {
        format!("{address}//{}", without_userinfo(part))
    })
}

/// What follows `//`: a host, and its path. Of one that was cut nobody knows where the host begins.
fn without_userinfo(part: &str) -> &str {
    let authority = part.split('/').next().unwrap_or_default();
    if authority.ends_with('…') {
        return "…";
    }
    let userinfo = authority.rfind('@').map_or(0, |at| at + 1);
    part.get(userinfo..).unwrap_or_default()
}

impl From<&RawEvent> for EventSummary {
    fn from(raw: &RawEvent) -> Self {
        let released = raw
            .release
            .as_ref()
            .and_then(|release| release.version.clone());
        Self {
            id: raw.event_id.as_ref().unwrap_or(&raw.id).clone(),
            title: raw.title.clone(),
            location: raw.location.clone().or_else(|| raw.culprit.clone()),
            date_created: raw.date_created.clone(),
            environment: raw.tag("environment"),
            release: released.or_else(|| raw.tag("release")),
            user_id: raw.user.as_ref().and_then(|user| user.id.clone()),
        }
    }
}

impl From<RawEvent> for Event {
    fn from(raw: RawEvent) -> Self {
        Self {
            summary: EventSummary::from(&raw),
            exceptions: raw.exceptions(),
            request: raw.request(),
            tags: raw.told_tags(),
            platform: raw.platform,
            message: raw.message,
            previous_event_id: raw.previous_event_id,
            next_event_id: raw.next_event_id,
        }
    }
}
