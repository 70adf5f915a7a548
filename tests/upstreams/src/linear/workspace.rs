//! The records of one fake Linear.

use async_graphql::ID;

use super::{
    error::LinearError,
    scalars::DateTime,
    schema::{Comment, Issue, IssueLabel, Project, Team, User, WorkflowState},
};

/// Where the workspace's pages would be.
pub(crate) const WEB_URL: &str = "https://linear.app/acme";

/// Everything there is. The records are the GraphQL objects themselves; they refer to one another
/// by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) users: Vec<User>,
    pub(crate) teams: Vec<Team>,
    pub(crate) states: Vec<WorkflowState>,
    pub(crate) labels: Vec<IssueLabel>,
    pub(crate) projects: Vec<Project>,
    pub(crate) issues: Vec<Issue>,
    pub(crate) comments: Vec<Comment>,
    /// Counts the changes, like Linear's sync engine; returned as `lastSyncId`.
    pub(crate) last_sync_id: u32,
}

/// What lookups and listings need of every record.
pub(crate) trait Entity: Clone {
    /// Linear's name of the type, as it appears in errors.
    const NAME: &'static str;

    fn id(&self) -> &ID;
    fn created_at(&self) -> DateTime;
    fn updated_at(&self) -> DateTime;

    /// Whether listings leave it out unless asked. Only issues can be archived here.
    fn is_archived(&self) -> bool {
        false
    }
}

/// Implements [`Entity`] for records that are never archived.
macro_rules! entities {
    ($($record:ident),*) => {$(
        impl Entity for $record {
            const NAME: &'static str = stringify!($record);

            fn id(&self) -> &ID {
                &self.id
            }

            fn created_at(&self) -> DateTime {
                self.created_at
            }

            fn updated_at(&self) -> DateTime {
                self.updated_at
            }
        }
    )*};
}

entities!(Comment, IssueLabel, Project, Team, User, WorkflowState);

/// The record with this id.
pub(crate) fn find<'a, T: Entity>(records: &'a [T], id: &str) -> Result<&'a T, LinearError> {
    let found = records.iter().find(|record| record.id().as_str() == id);
    found.ok_or_else(|| LinearError::entity_not_found(T::NAME))
}

/// A copy of the record that an optional reference names.
pub(crate) fn find_optional<T: Entity>(
    records: &[T],
    id: Option<&ID>,
) -> Result<Option<T>, LinearError> {
    id.map(|id| find(records, id).cloned()).transpose()
}

impl Workspace {
    /// The issue with this id or identifier (`ENG-1`).
    pub(crate) fn issue(&self, id_or_identifier: &str) -> Result<&Issue, LinearError> {
        let index = self.issue_index(id_or_identifier)?;
        self.issues
            .get(index)
            .ok_or_else(|| LinearError::entity_not_found(Issue::NAME))
    }

    pub(crate) fn issue_mut(&mut self, id_or_identifier: &str) -> Result<&mut Issue, LinearError> {
        let index = self.issue_index(id_or_identifier)?;
        self.issues
            .get_mut(index)
            .ok_or_else(|| LinearError::entity_not_found(Issue::NAME))
    }

    fn issue_index(&self, id_or_identifier: &str) -> Result<usize, LinearError> {
        let is_meant = |issue: &Issue| {
            issue.id.as_str() == id_or_identifier || issue.identifier == id_or_identifier
        };
        let index = self.issues.iter().position(is_meant);
        index.ok_or_else(|| LinearError::entity_not_found(Issue::NAME))
    }

    /// The labels of an issue, in the order of its `labelIds`.
    pub(crate) fn labels_of(&self, issue: &Issue) -> Vec<IssueLabel> {
        let labels = issue.label_ids.iter();
        labels
            .filter_map(|id| find(&self.labels, id).ok().cloned())
            .collect()
    }

    pub(crate) fn states_of(&self, team: &Team) -> Vec<WorkflowState> {
        self.states
            .iter()
            .filter(|state| state.team_id == team.id)
            .cloned()
            .collect()
    }

    pub(crate) fn comments_of(&self, issue: &Issue) -> Vec<Comment> {
        let comments = self.comments.iter();
        comments
            .filter(|comment| comment.issue_id == issue.id)
            .cloned()
            .collect()
    }

    /// The user whose token it is: the first one.
    pub(crate) fn viewer(&self) -> Result<&User, LinearError> {
        self.users
            .first()
            .ok_or_else(|| LinearError::entity_not_found(User::NAME))
    }

    /// The number after the highest one in use in the team.
    pub(crate) fn next_number(&self, team_id: &ID) -> u32 {
        let of_team = self.issues.iter().filter(|issue| issue.team_id == *team_id);
        of_team.map(|issue| issue.number).max().unwrap_or(0) + 1
    }
}
