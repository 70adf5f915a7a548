//! Inputs of the mutations: the fields that the fake acts upon.

use async_graphql::{InputObject, MaybeUndefined};

use crate::linear::scalars::TimelessDate;

/// A new issue.
#[derive(Debug, InputObject)]
pub(crate) struct IssueCreateInput {
    /// `UUIDv4` chosen by the client. A second creation with the same id is refused.
    pub(crate) id: Option<String>,
    pub(crate) team_id: String,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    /// 0 to 4.
    pub(crate) priority: Option<i32>,
    pub(crate) state_id: Option<String>,
    pub(crate) assignee_id: Option<String>,
    pub(crate) project_id: Option<String>,
    pub(crate) label_ids: Option<Vec<String>>,
    pub(crate) estimate: Option<i32>,
    pub(crate) due_date: Option<TimelessDate>,
}

/// Changes to an issue. What is absent stays; null clears where that makes sense.
#[derive(Debug, InputObject)]
pub(crate) struct IssueUpdateInput {
    pub(crate) title: Option<String>,
    pub(crate) description: MaybeUndefined<String>,
    /// 0 to 4.
    pub(crate) priority: Option<i32>,
    pub(crate) state_id: Option<String>,
    pub(crate) assignee_id: MaybeUndefined<String>,
    pub(crate) project_id: MaybeUndefined<String>,
    /// Replaces all labels.
    pub(crate) label_ids: Option<Vec<String>>,
    pub(crate) added_label_ids: Option<Vec<String>>,
    pub(crate) removed_label_ids: Option<Vec<String>>,
    pub(crate) estimate: MaybeUndefined<i32>,
    pub(crate) due_date: MaybeUndefined<TimelessDate>,
}

/// A new comment.
#[derive(Debug, InputObject)]
pub(crate) struct CommentCreateInput {
    /// `UUIDv4` chosen by the client. A second creation with the same id is refused.
    pub(crate) id: Option<String>,
    /// Id or identifier of the issue. Linear has other things to comment on; the fake has not.
    pub(crate) issue_id: Option<String>,
    pub(crate) body: Option<String>,
}
