//! What the filters mean.

use super::{
    CommentFilter, Filter, IssueFilter, IssueLabelCollectionFilter, IssueLabelFilter,
    NullableProjectFilter, NullableUserFilter, ProjectFilter, TeamFilter, UserFilter,
    WorkflowStateFilter, comparator::holds,
};
use crate::linear::{
    schema::{Comment, Issue, IssueLabel, Project, Team, User, WorkflowState},
    workspace::{Entity, Workspace, find},
};

impl Filter<Issue> for IssueFilter {
    fn matches(&self, issue: &Issue, workspace: &Workspace) -> bool {
        self.matches_values(issue)
            && self.matches_relations(issue, workspace)
            && holds(self.and.as_ref(), |all| {
                all.iter().all(|one| one.matches(issue, workspace))
            })
            && holds(self.or.as_ref(), |any| {
                any.iter().any(|one| one.matches(issue, workspace))
            })
    }
}

impl IssueFilter {
    fn matches_values(&self, issue: &Issue) -> bool {
        holds(self.id.as_ref(), |id| id.matches(issue))
            && holds(self.number.as_ref(), |number| {
                number.matches(f64::from(issue.number))
            })
            && holds(self.title.as_ref(), |title| title.matches(&issue.title))
            && holds(self.priority.as_ref(), |priority| {
                priority.matches(f64::from(issue.priority))
            })
            && holds(self.created_at.as_ref(), |created_at| {
                created_at.matches(issue.created_at)
            })
            && holds(self.updated_at.as_ref(), |updated_at| {
                updated_at.matches(issue.updated_at)
            })
    }

    fn matches_relations(&self, issue: &Issue, workspace: &Workspace) -> bool {
        let Workspace {
            teams,
            states,
            users,
            projects,
            ..
        } = workspace;
        let team = find(teams, &issue.team_id).ok();
        let state = find(states, &issue.state_id).ok();
        let assignee = issue
            .assignee_id
            .as_ref()
            .and_then(|id| find(users, id).ok());
        let creator = find(users, &issue.creator_id).ok();
        let project = issue
            .project_id
            .as_ref()
            .and_then(|id| find(projects, id).ok());
        holds(self.team.as_ref(), |filter| {
            is_match(filter, team, workspace)
        }) && holds(self.state.as_ref(), |filter| {
            is_match(filter, state, workspace)
        }) && holds(self.assignee.as_ref(), |filter| {
            filter.matches(assignee, workspace)
        }) && holds(self.creator.as_ref(), |filter| {
            filter.matches(creator, workspace)
        }) && holds(self.project.as_ref(), |filter| {
            filter.matches(project, workspace)
        }) && holds(self.labels.as_ref(), |filter| {
            filter.matches(issue, workspace)
        })
    }
}

impl Filter<Team> for TeamFilter {
    fn matches(&self, team: &Team, _: &Workspace) -> bool {
        holds(self.id.as_ref(), |id| id.matches(&team.id))
            && holds(self.key.as_ref(), |key| key.matches(&team.key))
            && holds(self.name.as_ref(), |name| name.matches(&team.name))
    }
}

impl Filter<User> for UserFilter {
    fn matches(&self, user: &User, workspace: &Workspace) -> bool {
        let is_me = workspace.viewer().is_ok_and(|viewer| viewer.id == user.id);
        holds(self.id.as_ref(), |id| id.matches(&user.id))
            && holds(self.name.as_ref(), |name| name.matches(&user.name))
            && holds(self.display_name.as_ref(), |name| {
                name.matches(&user.display_name)
            })
            && holds(self.email.as_ref(), |email| email.matches(&user.email))
            && holds(self.is_me.as_ref(), |condition| condition.matches(is_me))
    }
}

impl Filter<WorkflowState> for WorkflowStateFilter {
    fn matches(&self, state: &WorkflowState, workspace: &Workspace) -> bool {
        let team = find(&workspace.teams, &state.team_id).ok();
        holds(self.id.as_ref(), |id| id.matches(&state.id))
            && holds(self.name.as_ref(), |name| name.matches(&state.name))
            && holds(self.kind.as_ref(), |kind| kind.matches(&state.kind))
            && holds(self.team.as_ref(), |filter| {
                is_match(filter, team, workspace)
            })
    }
}

impl Filter<Project> for ProjectFilter {
    fn matches(&self, project: &Project, _: &Workspace) -> bool {
        holds(self.id.as_ref(), |id| id.matches(&project.id))
            && holds(self.name.as_ref(), |name| name.matches(&project.name))
    }
}

impl Filter<IssueLabel> for IssueLabelFilter {
    fn matches(&self, label: &IssueLabel, _: &Workspace) -> bool {
        holds(self.id.as_ref(), |id| id.matches(&label.id))
            && holds(self.name.as_ref(), |name| name.matches(&label.name))
    }
}

impl Filter<Issue> for IssueLabelCollectionFilter {
    fn matches(&self, issue: &Issue, workspace: &Workspace) -> bool {
        let labels = workspace.labels_of(issue);
        let is_one = |filter: &IssueLabelFilter, label| filter.matches(label, workspace);
        holds(self.some.as_ref(), |filter| {
            labels.iter().any(|label| is_one(filter, label))
        }) && holds(self.every.as_ref(), |filter| {
            labels.iter().all(|label| is_one(filter, label))
        })
    }
}

impl Filter<Comment> for CommentFilter {
    fn matches(&self, comment: &Comment, _: &Workspace) -> bool {
        holds(self.id.as_ref(), |id| id.matches(&comment.id))
            && holds(self.body.as_ref(), |body| body.matches(&comment.body))
            && holds(self.created_at.as_ref(), |created_at| {
                created_at.matches(comment.created_at)
            })
            && holds(self.updated_at.as_ref(), |updated_at| {
                updated_at.matches(comment.updated_at)
            })
    }
}

impl NullableUserFilter {
    fn matches(&self, user: Option<&User>, workspace: &Workspace) -> bool {
        match self.null {
            Some(true) => user.is_none(),
            _ => is_match(&self.user, user, workspace),
        }
    }
}

impl NullableProjectFilter {
    fn matches(&self, project: Option<&Project>, workspace: &Workspace) -> bool {
        match self.null {
            Some(true) => project.is_none(),
            _ => is_match(&self.project, project, workspace),
        }
    }
}

/// A condition on something that is absent does not hold.
fn is_match<T: Entity>(filter: &impl Filter<T>, record: Option<&T>, workspace: &Workspace) -> bool {
    record.is_some_and(|record| filter.matches(record, workspace))
}
