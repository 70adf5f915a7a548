//! What answers hold, as agents see it.

use portcullis_sdk::prelude::*;

/// An issue, as small as it is of use.
#[result]
pub struct Issue {
    /// Such as 4509123456; what the other actions take.
    pub id: Text<64>,
    /// Such as WEB-1A.
    pub short_id: Option<Text<64>>,
    /// The kind of error and the beginning of its message.
    pub title: Text<140>,
    /// The place in the code, or the transaction.
    pub culprit: Option<Text<100>>,
    /// Where people see it.
    pub permalink: Option<Text<200>>,
    /// fatal, error, warning, info, debug or sample.
    pub level: Option<Text<32>>,
    /// resolved, unresolved, ignored and so on.
    pub status: Option<Text<32>>,
    /// Why it is in that status, such as new, ongoing, regressed, escalating.
    pub substatus: Option<Text<32>>,
    /// high, medium or low.
    pub priority: Option<Text<32>>,
    /// How many events there were.
    pub count: Option<Text<32>>,
    /// How many users had it.
    pub user_count: Option<u64>,
    /// RFC 3339.
    pub first_seen: Option<Text<40>>,
    /// RFC 3339.
    pub last_seen: Option<Text<40>>,
    /// Where it happens.
    pub project: Option<Project>,
    /// The user or team who is to work on it.
    pub assigned_to: Option<Actor>,
}

/// A project.
#[result]
pub struct Project {
    /// Such as 4501.
    pub id: Text<64>,
    /// Its name in addresses and queries.
    pub slug: Text<100>,
}

/// A user or a team.
#[result]
pub struct Actor {
    /// user or team.
    #[serde(rename = "type")]
    pub kind: Option<Text<32>>,
    /// Such as 1234; `user:1234` or `team:1234` names it in `update_issue`.
    pub id: Text<64>,
    /// What people call it.
    pub name: Option<Text<100>>,
}
