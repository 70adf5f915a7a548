//! The queries.

use async_graphql::{Context, Object, Result};

use super::{Comment, Issue, IssueLabel, Project, Team, User, WorkflowState, list, look};
use crate::linear::{
    filter::{
        CommentFilter, IssueFilter, IssueLabelFilter, ProjectFilter, TeamFilter, UserFilter,
        WorkflowStateFilter,
    },
    page::{Connection, PageArguments, PaginationOrderBy},
    workspace::find,
};

pub(crate) struct Query;

#[Object]
impl Query {
    /// The user whose token it is.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<User> {
        Ok(look(ctx, |workspace| workspace.viewer().cloned())?)
    }

    /// The issue with this id or identifier.
    async fn issue(&self, ctx: &Context<'_>, id: String) -> Result<Issue> {
        Ok(look(ctx, |workspace| workspace.issue(&id).cloned())?)
    }

    async fn issues(
        &self,
        ctx: &Context<'_>,
        filter: Option<IssueFilter>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<Connection<Issue>> {
        let page = PageArguments {
            after,
            before,
            first,
            include_archived,
            last,
            order_by,
        };
        Ok(list(
            ctx,
            |workspace| workspace.issues.clone(),
            filter.as_ref(),
            &page,
        )?)
    }

    async fn team(&self, ctx: &Context<'_>, id: String) -> Result<Team> {
        Ok(look(ctx, |workspace| find(&workspace.teams, &id).cloned())?)
    }

    async fn teams(
        &self,
        ctx: &Context<'_>,
        filter: Option<TeamFilter>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<Connection<Team>> {
        let page = PageArguments {
            after,
            before,
            first,
            include_archived,
            last,
            order_by,
        };
        Ok(list(
            ctx,
            |workspace| workspace.teams.clone(),
            filter.as_ref(),
            &page,
        )?)
    }

    async fn user(&self, ctx: &Context<'_>, id: String) -> Result<User> {
        Ok(look(ctx, |workspace| find(&workspace.users, &id).cloned())?)
    }

    async fn users(
        &self,
        ctx: &Context<'_>,
        filter: Option<UserFilter>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<Connection<User>> {
        let page = PageArguments {
            after,
            before,
            first,
            include_archived,
            last,
            order_by,
        };
        Ok(list(
            ctx,
            |workspace| workspace.users.clone(),
            filter.as_ref(),
            &page,
        )?)
    }

    async fn workflow_state(&self, ctx: &Context<'_>, id: String) -> Result<WorkflowState> {
        Ok(look(ctx, |workspace| {
            find(&workspace.states, &id).cloned()
        })?)
    }

    async fn workflow_states(
        &self,
        ctx: &Context<'_>,
        filter: Option<WorkflowStateFilter>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<Connection<WorkflowState>> {
        let page = PageArguments {
            after,
            before,
            first,
            include_archived,
            last,
            order_by,
        };
        Ok(list(
            ctx,
            |workspace| workspace.states.clone(),
            filter.as_ref(),
            &page,
        )?)
    }

    async fn issue_label(&self, ctx: &Context<'_>, id: String) -> Result<IssueLabel> {
        Ok(look(ctx, |workspace| {
            find(&workspace.labels, &id).cloned()
        })?)
    }

    async fn issue_labels(
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
        Ok(list(
            ctx,
            |workspace| workspace.labels.clone(),
            filter.as_ref(),
            &page,
        )?)
    }

    async fn project(&self, ctx: &Context<'_>, id: String) -> Result<Project> {
        Ok(look(ctx, |workspace| {
            find(&workspace.projects, &id).cloned()
        })?)
    }

    async fn projects(
        &self,
        ctx: &Context<'_>,
        filter: Option<ProjectFilter>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        include_archived: Option<bool>,
        last: Option<i32>,
        order_by: Option<PaginationOrderBy>,
    ) -> Result<Connection<Project>> {
        let page = PageArguments {
            after,
            before,
            first,
            include_archived,
            last,
            order_by,
        };
        Ok(list(
            ctx,
            |workspace| workspace.projects.clone(),
            filter.as_ref(),
            &page,
        )?)
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
        Ok(list(
            ctx,
            |workspace| workspace.comments.clone(),
            filter.as_ref(),
            &page,
        )?)
    }
}
