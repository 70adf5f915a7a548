//! What answers hold, as agents see it.

use portcullis_sdk::prelude::*;

/// What names a thing: digits, hexadecimal digits, or a UUID.
pub(crate) type Id = Text<40>;

/// A moment, in RFC 3339.
pub(crate) type Moment = Text<32>;

/// One of not too many short texts, such as the name of a platform.
pub(crate) type Word = Text<64>;

/// An id that is a number, which has up to 20 digits.
pub(crate) type Number = Text<20>;

/// One of the few short texts that Sentry itself chooses, such as a status.
pub(crate) type Status = Text<16>;

/// An issue, as small as it is of use.
#[result]
pub struct Issue {
    /// Such as 4509123456; what the other actions take.
    pub id: Number,
    /// Such as WEB-1A.
    pub short_id: Option<Text<48>>,
    /// The kind of error and the beginning of its message.
    pub title: Text<120>,
    /// The place in the code, or the transaction.
    pub culprit: Option<Text<72>>,
    /// Where people see it.
    pub permalink: Option<Text<140>>,
    /// fatal, error, warning, info, debug or sample.
    pub level: Option<Status>,
    /// resolved, unresolved, ignored and so on.
    pub status: Option<Status>,
    /// Why it is in that status, such as new, ongoing, regressed, escalating.
    pub substatus: Option<Text<28>>,
    /// high, medium or low.
    pub priority: Option<Status>,
    /// How many events there were.
    pub count: Option<Text<12>>,
    /// How many users had it.
    pub user_count: Option<u64>,
    /// RFC 3339.
    pub first_seen: Option<Moment>,
    /// RFC 3339.
    pub last_seen: Option<Moment>,
    /// Where it happens.
    pub project: Option<Project>,
    /// The user or team who is to work on it.
    pub assigned_to: Option<Actor>,
}

/// A project.
#[result]
pub struct Project {
    /// Such as 4501.
    pub id: Number,
    /// Its name in addresses and queries.
    pub slug: Text<50>,
}

/// A user or a team.
#[result]
pub struct Actor {
    /// user or team.
    #[serde(rename = "type")]
    pub kind: Option<Status>,
    /// Such as 1234; `user:1234` or `team:1234` names it in `update_issue`.
    pub id: Number,
    /// What people call it.
    pub name: Option<Text<50>>,
}
