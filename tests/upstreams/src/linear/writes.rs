//! Creating and changing records, with the checks Linear makes.
//!
//! Everything is checked before anything changes: a refused request leaves no trace. `now` is
//! called only when a change is made, so refused requests do not move the times of what follows
//! either.

use async_graphql::ID;
use uuid::{Uuid, Version};

use super::{
    error::LinearError,
    ids,
    scalars::DateTime,
    schema::{
        Comment, CommentCreateInput, Issue, IssueCreateInput, IssueLabel, IssueUpdateInput,
        Project, User, WorkflowState,
    },
    workspace::{Entity, Workspace, find},
};

const MAX_PRIORITY: u8 = 4;

impl Workspace {
    pub(crate) fn create_issue(
        &mut self,
        input: IssueCreateInput,
        now: &dyn Fn() -> DateTime,
    ) -> Result<Issue, LinearError> {
        let id = new_id(&self.issues, input.id.as_deref(), ids::ISSUE)?;
        let team = find(&self.teams, &input.team_id)?;
        let state_id = match &input.state_id {
            Some(state_id) => self.check_state(state_id, &team.id)?,
            None => team.default_state_id.clone(),
        };
        let title = check_title(input.title.unwrap_or_default())?;
        let priority = check_priority(input.priority.unwrap_or_default())?;
        let assignee_id = self.check_assignee(input.assignee_id.as_deref())?;
        let project_id = self.check_project(input.project_id.as_deref(), &team.id)?;
        let label_ids = input.label_ids.unwrap_or_default();
        self.check_labels(&label_ids, &team.id)?;
        let creator_id = self.viewer()?.id.clone();
        let number = self.next_number(&team.id);
        let created_at = now();
        let issue = Issue {
            id,
            identifier: format!("{}-{number}", team.key),
            title,
            description: input.description,
            due_date: input.due_date,
            label_ids,
            created_at,
            updated_at: created_at,
            archived_at: None,
            number,
            priority,
            estimate: input.estimate,
            team_id: team.id.clone(),
            state_id,
            assignee_id,
            project_id,
            creator_id,
        };
        self.issues.push(issue.clone());
        Ok(issue)
    }

    pub(crate) fn update_issue(
        &mut self,
        id_or_identifier: &str,
        input: IssueUpdateInput,
        now: &dyn Fn() -> DateTime,
    ) -> Result<Issue, LinearError> {
        let mut issue = self.issue(id_or_identifier)?.clone();
        if let Some(title) = input.title {
            issue.title = check_title(title)?;
        }
        if let Some(priority) = input.priority {
            issue.priority = check_priority(priority)?;
        }
        if let Some(state_id) = &input.state_id {
            issue.state_id = self.check_state(state_id, &issue.team_id)?;
        }
        if let Some(assignee_id) = input.assignee_id.as_opt_deref() {
            issue.assignee_id = self.check_assignee(assignee_id)?;
        }
        if let Some(project_id) = input.project_id.as_opt_deref() {
            issue.project_id = self.check_project(project_id, &issue.team_id)?;
        }
        issue.label_ids = changed_labels(
            input.label_ids.unwrap_or(issue.label_ids),
            input.added_label_ids.unwrap_or_default(),
            &input.removed_label_ids.unwrap_or_default(),
        );
        self.check_labels(&issue.label_ids, &issue.team_id)?;
        input.description.update_to(&mut issue.description);
        input.estimate.update_to(&mut issue.estimate);
        input.due_date.update_to(&mut issue.due_date);
        issue.updated_at = now();
        self.issue_mut(id_or_identifier)?.clone_from(&issue);
        Ok(issue)
    }

    /// Archived issues are left out of listings and found as before.
    pub(crate) fn archive_issue(
        &mut self,
        id_or_identifier: &str,
        now: &dyn Fn() -> DateTime,
    ) -> Result<Issue, LinearError> {
        let issue = self.issue_mut(id_or_identifier)?;
        if issue.archived_at.is_none() {
            issue.archived_at = Some(now());
        }
        Ok(issue.clone())
    }

    pub(crate) fn create_comment(
        &mut self,
        input: CommentCreateInput,
        now: &dyn Fn() -> DateTime,
    ) -> Result<Comment, LinearError> {
        let id = new_id(&self.comments, input.id.as_deref(), ids::COMMENT)?;
        let issue_id = input
            .issue_id
            .ok_or_else(|| LinearError::invalid("issueId is missing."))?;
        let issue_id = self.issue(&issue_id)?.id.clone();
        let body = input.body.filter(|body| !body.trim().is_empty());
        let body = body.ok_or_else(|| LinearError::invalid("body must not be empty."))?;
        let user_id = self.viewer()?.id.clone();
        let created_at = now();
        let comment = Comment {
            id,
            body,
            created_at,
            updated_at: created_at,
            issue_id,
            user_id,
        };
        self.comments.push(comment.clone());
        Ok(comment)
    }

    fn check_state(&self, state_id: &str, team_id: &ID) -> Result<ID, LinearError> {
        let state: &WorkflowState = find(&self.states, state_id)?;
        if state.team_id != *team_id {
            return Err(LinearError::invalid(
                "The state belongs to another team than the issue.",
            ));
        }
        Ok(state.id.clone())
    }

    fn check_assignee(&self, user_id: Option<&str>) -> Result<Option<ID>, LinearError> {
        let user: Option<&User> = user_id.map(|id| find(&self.users, id)).transpose()?;
        Ok(user.map(|user| user.id.clone()))
    }

    fn check_project(
        &self,
        project_id: Option<&str>,
        team_id: &ID,
    ) -> Result<Option<ID>, LinearError> {
        let project: Option<&Project> =
            project_id.map(|id| find(&self.projects, id)).transpose()?;
        match project {
            Some(project) if project.team_id != *team_id => Err(LinearError::invalid(
                "The project belongs to another team than the issue.",
            )),
            project => Ok(project.map(|project| project.id.clone())),
        }
    }

    fn check_labels(&self, label_ids: &[String], team_id: &ID) -> Result<(), LinearError> {
        for label_id in label_ids {
            let label: &IssueLabel = find(&self.labels, label_id)?;
            if label.team_id.as_ref().is_some_and(|owner| owner != team_id) {
                return Err(LinearError::invalid(
                    "A label belongs to another team than the issue.",
                ));
            }
        }
        Ok(())
    }
}

/// The id for a new record: the client's, if it is a new `UUIDv4`, else the next one of ours.
fn new_id<T: Entity>(records: &[T], chosen: Option<&str>, kind: &str) -> Result<ID, LinearError> {
    let Some(id) = chosen else {
        return Ok(ID(ids::numbered(kind, records.len() + 1)));
    };
    if !is_uuid_v4(id) {
        return Err(LinearError::invalid("id must be a UUID of version 4."));
    }
    let id = id.to_ascii_lowercase();
    match find(records, &id) {
        Ok(_) => Err(LinearError::duplicate_id(T::NAME)),
        Err(_) => Ok(ID(id)),
    }
}

/// The hyphenated form only; `Uuid` also reads others.
fn is_uuid_v4(text: &str) -> bool {
    const HYPHENATED_LENGTH: usize = 36;
    let uuid = Uuid::try_parse(text)
        .ok()
        .filter(|_| text.len() == HYPHENATED_LENGTH);
    uuid.is_some_and(|uuid| uuid.get_version() == Some(Version::Random))
}

fn check_title(title: String) -> Result<String, LinearError> {
    if title.trim().is_empty() {
        return Err(LinearError::invalid("title must not be empty."));
    }
    Ok(title)
}

fn check_priority(priority: i32) -> Result<u8, LinearError> {
    let priority = u8::try_from(priority)
        .ok()
        .filter(|priority| *priority <= MAX_PRIORITY);
    priority.ok_or_else(|| LinearError::invalid("priority must be from 0 to 4."))
}

fn changed_labels(labels: Vec<String>, added: Vec<String>, removed: &[String]) -> Vec<String> {
    let mut changed: Vec<String> = Vec::new();
    for label in labels.into_iter().chain(added) {
        if !removed.contains(&label) && !changed.contains(&label) {
            changed.push(label);
        }
    }
    changed
}
