//! Linear's filter inputs: the members a plugin is likely to use.
//!
//! A member that Linear has and the fake lacks is refused as an unknown field, so no filter is ever
//! silently ignored. Members of one object must all hold.

//!
//! The inputs are here, `matching` has their meaning, `comparator` the comparisons of single
//! values.

mod comparator;
mod matching;

use async_graphql::InputObject;

use super::workspace::Workspace;
use comparator::{
    BooleanComparator, DateComparator, IdComparator, IssueIdComparator, NullableNumberComparator,
    NumberComparator, StringComparator,
};

/// A condition on a record.
pub(crate) trait Filter<T> {
    fn matches(&self, record: &T, workspace: &Workspace) -> bool;
}

/// Which issues.
#[derive(Debug, Default, InputObject)]
pub(crate) struct IssueFilter {
    and: Option<Vec<IssueFilter>>,
    or: Option<Vec<IssueFilter>>,
    id: Option<IssueIdComparator>,
    number: Option<NumberComparator>,
    title: Option<StringComparator>,
    priority: Option<NullableNumberComparator>,
    team: Option<TeamFilter>,
    state: Option<WorkflowStateFilter>,
    assignee: Option<NullableUserFilter>,
    creator: Option<NullableUserFilter>,
    project: Option<NullableProjectFilter>,
    labels: Option<IssueLabelCollectionFilter>,
    created_at: Option<DateComparator>,
    updated_at: Option<DateComparator>,
}

/// Which teams.
#[derive(Debug, Default, InputObject)]
pub(crate) struct TeamFilter {
    id: Option<IdComparator>,
    key: Option<StringComparator>,
    name: Option<StringComparator>,
}

/// Which users.
#[derive(Debug, Default, InputObject)]
pub(crate) struct UserFilter {
    id: Option<IdComparator>,
    name: Option<StringComparator>,
    display_name: Option<StringComparator>,
    email: Option<StringComparator>,
    is_me: Option<BooleanComparator>,
}

/// Which users, or none.
#[derive(Debug, Default, InputObject)]
pub(crate) struct NullableUserFilter {
    null: Option<bool>,
    #[graphql(flatten)]
    user: UserFilter,
}

/// Which workflow states.
#[derive(Debug, Default, InputObject)]
pub(crate) struct WorkflowStateFilter {
    id: Option<IdComparator>,
    name: Option<StringComparator>,
    #[graphql(name = "type")]
    kind: Option<StringComparator>,
    team: Option<TeamFilter>,
}

/// Which projects.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ProjectFilter {
    id: Option<IdComparator>,
    name: Option<StringComparator>,
}

/// Which projects, or none.
#[derive(Debug, Default, InputObject)]
pub(crate) struct NullableProjectFilter {
    null: Option<bool>,
    #[graphql(flatten)]
    project: ProjectFilter,
}

/// Which labels.
#[derive(Debug, Default, InputObject)]
pub(crate) struct IssueLabelFilter {
    id: Option<IdComparator>,
    name: Option<StringComparator>,
}

/// Which sets of labels.
#[derive(Debug, Default, InputObject)]
pub(crate) struct IssueLabelCollectionFilter {
    /// At least one label is like this.
    some: Option<IssueLabelFilter>,
    /// All labels are like this.
    every: Option<IssueLabelFilter>,
}

/// Which comments.
#[derive(Debug, Default, InputObject)]
pub(crate) struct CommentFilter {
    id: Option<IdComparator>,
    body: Option<StringComparator>,
    created_at: Option<DateComparator>,
    updated_at: Option<DateComparator>,
}
