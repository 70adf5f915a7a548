//! `Issue`.

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};

use super::{Comment, IssueLabel, Project, Team, User, WorkflowState, list, look};
use crate::linear::{
    filter::{CommentFilter, IssueLabelFilter},
    page::{Connection, PageArguments, PaginationOrderBy},
    scalars::{DateTime, TimelessDate},
    workspace::{Entity, WEB_URL, Workspace, find, find_optional},
};

/// Names of the priorities 0 to 4.
const PRIORITY_LABELS: [&str; 5] = ["No priority", "Urgent", "High", "Medium", "Low"];

/// An issue.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Issue {
    pub(crate) id: ID,
    pub(crate) identifier: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) due_date: Option<TimelessDate>,
    pub(crate) label_ids: Vec<String>,
    pub(crate) created_at: DateTime,
    pub(crate) updated_at: DateTime,
    pub(crate) archived_at: Option<DateTime>,
    #[graphql(skip)]
    pub(crate) number: u32,
    #[graphql(skip)]
    pub(crate) priority: u8,
    #[graphql(skip)]
    pub(crate) estimate: Option<i32>,
    #[graphql(skip)]
    pub(crate) team_id: ID,
    #[graphql(skip)]
    pub(crate) state_id: ID,
    #[graphql(skip)]
    pub(crate) assignee_id: Option<ID>,
    #[graphql(skip)]
    pub(crate) project_id: Option<ID>,
    #[graphql(skip)]
    pub(crate) creator_id: ID,
}

#[ComplexObject]
impl Issue {
    async fn number(&self) -> f64 {
        f64::from(self.number)
    }

    async fn priority(&self) -> f64 {
        f64::from(self.priority)
    }

    async fn priority_label(&self) -> &str {
        PRIORITY_LABELS
            .get(usize::from(self.priority))
            .copied()
            .unwrap_or_default()
    }

    async fn estimate(&self) -> Option<f64> {
        self.estimate.map(f64::from)
    }

    async fn url(&self) -> String {
        self.web_url()
    }

    async fn state(&self, ctx: &Context<'_>) -> Result<WorkflowState> {
        Ok(look(ctx, |workspace| {
            find(&workspace.states, &self.state_id).cloned()
        })?)
    }

    async fn team(&self, ctx: &Context<'_>) -> Result<Team> {
        Ok(look(ctx, |workspace| {
            find(&workspace.teams, &self.team_id).cloned()
        })?)
    }

    async fn assignee(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let id = self.assignee_id.as_ref();
        Ok(look(ctx, |workspace| find_optional(&workspace.users, id))?)
    }

    async fn creator(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Ok(look(ctx, |workspace| {
            find_optional(&workspace.users, Some(&self.creator_id))
        })?)
    }

    async fn project(&self, ctx: &Context<'_>) -> Result<Option<Project>> {
        let id = self.project_id.as_ref();
        Ok(look(ctx, |workspace| {
            find_optional(&workspace.projects, id)
        })?)
    }

    async fn labels(
        &self,
        ctx: &Context<'_>,
        filter: Option<IssueLabelFilter>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<Connection<IssueLabel>> {
        let page = PageArguments {
            after,
            before,
            first,
            include_archived,
            last,
            order_by,
        };
        let labels = |workspace: &Workspace| workspace.labels_of(self);
        Ok(list(ctx, labels, filter.as_ref(), &page)?)
    }

    async fn comments(
        &self,
        ctx: &Context<'_>,
        filter: Option<CommentFilter>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<Connection<Comment>> {
        let page = PageArguments {
            after,
            before,
            first,
            include_archived,
            last,
            order_by,
        };
        let comments = |workspace: &Workspace| workspace.comments_of(self);
        Ok(list(ctx, comments, filter.as_ref(), &page)?)
    }
}

impl Entity for Issue {
    const NAME: &'static str = "Issue";

    fn id(&self) -> &ID {
        &self.id
    }

    fn created_at(&self) -> DateTime {
        self.created_at
    }

    fn updated_at(&self) -> DateTime {
        self.updated_at
    }

    fn is_archived(&self) -> bool {
        self.archived_at.is_some()
    }
}

impl Issue {
    /// The address of the issue's page, which contains its title.
    pub(crate) fn web_url(&self) -> String {
        format!("{WEB_URL}/issue/{}/{}", self.identifier, slug(&self.title))
    }
}

/// The title in lower case with hyphens between its words.
fn slug(title: &str) -> String {
    let lower_case = title.to_lowercase();
    let words = lower_case.split(|letter: char| !letter.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}
