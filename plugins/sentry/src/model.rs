//! What answers hold, as agents see it.

use portcullis_sdk::prelude::*;

/// What names a thing: digits, hexadecimal digits, or the likes of WEB-1A.
pub(crate) type Id = Text<64>;

/// A moment, in RFC 3339.
pub(crate) type Moment = Text<40>;

/// One of not too many short texts, such as a status or the name of a platform.
pub(crate) type Word = Text<64>;

/// An issue, as small as it is of use.
#[result]
pub struct Issue {
    /// Such as 4509123456; what the other actions take.
    pub id: Id,
    /// Such as WEB-1A.
    pub short_id: Option<Id>,
    /// The kind of error and the beginning of its message.
    pub title: Text<140>,
    /// The place in the code, or the transaction.
    pub culprit: Option<Text<100>>,
    /// Where people see it.
    pub permalink: Option<Text<200>>,
    /// fatal, error, warning, info, debug or sample.
    pub level: Option<Word>,
    /// resolved, unresolved, ignored and so on.
    pub status: Option<Word>,
    /// Why it is in that status, such as new, ongoing, regressed, escalating.
    pub substatus: Option<Word>,
    /// high, medium or low.
    pub priority: Option<Word>,
    /// How many events there were.
    pub count: Option<Word>,
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
    pub id: Id,
    /// Its name in addresses and queries.
    pub slug: Text<100>,
}

/// A user or a team.
#[result]
pub struct Actor {
    /// user or team.
    #[serde(rename = "type")]
    pub kind: Option<Word>,
    /// Such as 1234; `user:1234` or `team:1234` names it in `update_issue`.
    pub id: Id,
    /// What people call it.
    pub name: Option<Text<100>>,
}
