//! The issues of one fake Sentry, and how they change.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{error::SentryError, ids, seed};
use crate::TimeSource;

/// For how long the same comment is not taken again.
const SAME_COMMENT: SignedDuration = SignedDuration::from_hours(1);

/// Everything there is.
#[derive(Debug)]
pub(crate) struct Tracker {
    pub(crate) issues: Vec<Issue>,
    /// Of all issues, so that ids of comments are unique.
    notes: usize,
}

/// A group of events.
#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub(crate) id: &'static str,
    pub(crate) number: u32,
    pub(crate) title: String,
    pub(crate) culprit: &'static str,
    pub(crate) level: &'static str,
    pub(crate) status: Status,
    pub(crate) substatus: Option<&'static str>,
    /// Whether it is resolved as soon as the next release is out, and not before.
    pub(crate) in_next_release: bool,
    pub(crate) priority: String,
    pub(crate) assignee: Option<&'static Actor>,
    pub(crate) count: u64,
    pub(crate) user_count: u64,
    pub(crate) exception: Option<Exception>,
    /// Latest first.
    pub(crate) events: Vec<Event>,
    /// Latest first.
    pub(crate) notes: Vec<Note>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Unresolved,
    Resolved,
    Ignored,
}

/// What was thrown, and where.
#[derive(Clone, Debug)]
pub(crate) struct Exception {
    pub(crate) kind: &'static str,
    pub(crate) value: &'static str,
    /// The innermost last.
    pub(crate) frames: &'static [Frame],
}

/// A line of a stack trace.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) filename: &'static str,
    pub(crate) function: &'static str,
    pub(crate) line: u32,
    pub(crate) in_app: bool,
    /// The line itself.
    pub(crate) code: &'static str,
}

/// One occurrence of an issue.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// From 1, the oldest.
    pub(crate) number: usize,
    pub(crate) at: Timestamp,
    pub(crate) request: Option<(&'static str, &'static str)>,
}

/// A comment.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) at: Timestamp,
}

/// Somebody an issue can be assigned to.
#[derive(Debug)]
pub(crate) struct Actor {
    /// `user` or `team`.
    pub(crate) kind: &'static str,
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// The user name, or the team's slug with a number sign.
    pub(crate) handle: &'static str,
    pub(crate) email: Option<&'static str>,
}

impl Exception {
    /// Where it was thrown.
    pub(crate) fn innermost(&self) -> Option<&'static Frame> {
        self.frames.last()
    }
}

impl Actor {
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let by_id = name
            .strip_prefix(self.kind)
            .and_then(|rest| rest.strip_prefix(':'));
        by_id == Some(self.id) || name == self.handle || Some(name) == self.email
    }
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unresolved => "unresolved",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }
}

impl Tracker {
    pub(crate) fn new() -> Self {
        Self {
            issues: seed::issues(),
            notes: 0,
        }
    }

    /// The issue with this id or short id (`WEB-1`).
    pub(crate) fn issue(&self, id: &str) -> Result<&Issue, SentryError> {
        let found = self.issues.iter().find(|issue| issue.is_meant_by(id));
        found.ok_or_else(SentryError::not_found)
    }

    fn issue_mut(&mut self, id: &str) -> Result<&mut Issue, SentryError> {
        let found = self.issues.iter_mut().find(|issue| issue.is_meant_by(id));
        found.ok_or_else(SentryError::not_found)
    }

    /// Changes what the fields say, or nothing when one of them cannot be.
    pub(crate) fn update(
        &mut self,
        id: &str,
        fields: &Map<String, Value>,
    ) -> Result<&Issue, SentryError> {
        let issue = self.issue_mut(id)?;
        let mut changed = issue.clone();
        for (field, value) in fields {
            changed.set(field, value)?;
        }
        *issue = changed;
        Ok(issue)
    }

    /// Keeps a comment, unless it was made already.
    pub(crate) fn comment(
        &mut self,
        id: &str,
        text: &str,
        time: &TimeSource,
    ) -> Result<Note, SentryError> {
        if text.trim().is_empty() {
            return Err(SentryError::invalid_field(
                "text",
                "This field may not be blank.",
            ));
        }
        let number = self.notes + 1;
        let issue = self.issue_mut(id)?;
        let now = time.next();
        let is_same = |note: &Note| note.text == text && now.duration_since(note.at) < SAME_COMMENT;
        if issue.notes.iter().any(is_same) {
            let detail = "You have already posted that comment.";
            return Err(SentryError::bad_request(detail));
        }
        let note = Note {
            id: (9100 + number).to_string(),
            text: text.to_owned(),
            at: now,
        };
        issue.notes.insert(0, note.clone());
        self.notes = number;
        Ok(note)
    }
}

impl Issue {
    pub(crate) fn short_id(&self) -> String {
        format!("{}-{}", ids::PROJECT.to_uppercase(), self.number)
    }

    fn is_meant_by(&self, id: &str) -> bool {
        self.id == id || self.short_id() == id
    }

    pub(crate) fn first_seen(&self) -> Timestamp {
        self.events.last().map_or(Timestamp::MIN, |event| event.at)
    }

    pub(crate) fn last_seen(&self) -> Timestamp {
        self.events.first().map_or(Timestamp::MIN, |event| event.at)
    }

    /// An event by its id, or as `latest`, `oldest` or `recommended`.
    pub(crate) fn event(&self, id: &str) -> Result<&Event, SentryError> {
        let found = match id {
            "latest" | "recommended" => self.events.first(),
            "oldest" => self.events.last(),
            id => self.events.iter().find(|event| event.id == id),
        };
        found.ok_or_else(SentryError::not_found)
    }

    fn set(&mut self, field: &str, value: &Value) -> Result<(), SentryError> {
        match field {
            "status" => self.set_status(text(field, value)?),
            "assignedTo" => self.assign(value),
            "priority" => self.set_priority(text(field, value)?),
            _ => Err(SentryError::bad_request(&format!(
                "{field} is not known to the fake"
            ))),
        }
    }

    fn set_status(&mut self, status: &str) -> Result<(), SentryError> {
        let (status, substatus, in_next_release) = match status {
            "unresolved" => (Status::Unresolved, Some("ongoing"), false),
            "resolved" => (Status::Resolved, None, false),
            "resolvedInNextRelease" => (Status::Resolved, None, true),
            "ignored" | "muted" => (Status::Ignored, Some("archived_until_escalating"), false),
            other => return Err(invalid_choice("status", other)),
        };
        self.status = status;
        self.substatus = substatus;
        self.in_next_release = in_next_release;
        Ok(())
    }

    fn assign(&mut self, value: &Value) -> Result<(), SentryError> {
        self.assignee = match value {
            Value::Null => None,
            Value::String(name) if name.is_empty() => None,
            value => {
                let name = text("assignedTo", value)?;
                let mut actors = seed::ACTORS.iter();
                let found = actors.find(|actor| actor.is_called(name));
                Some(found.ok_or_else(|| {
                    SentryError::invalid_field("assignedTo", "Unknown actor input")
                })?)
            }
        };
        Ok(())
    }

    fn set_priority(&mut self, priority: &str) -> Result<(), SentryError> {
        if !["low", "medium", "high"].contains(&priority) {
            return Err(invalid_choice("priority", priority));
        }
        priority.clone_into(&mut self.priority);
        Ok(())
    }
}

fn text<'a>(field: &str, value: &'a Value) -> Result<&'a str, SentryError> {
    let text = value.as_str();
    text.ok_or_else(|| SentryError::invalid_field(field, "Not a valid string."))
}

fn invalid_choice(field: &str, value: &str) -> SentryError {
    SentryError::invalid_field(field, &format!("\"{value}\" is not a valid choice."))
}
