//! The mutations and their payloads.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::{Comment, CommentCreateInput, Issue, IssueCreateInput, IssueUpdateInput, change};
use crate::TimeSource;
use crate::linear::{error::LinearError, scalars::DateTime, workspace::Workspace};

pub(crate) struct Mutation;

/// What `issueCreate` and `issueUpdate` answer.
#[derive(Debug, SimpleObject)]
struct IssuePayload {
    success: bool,
    last_sync_id: f64,
    issue: Option<Issue>,
}

/// What `issueArchive` answers.
#[derive(Debug, SimpleObject)]
struct IssueArchivePayload {
    success: bool,
    last_sync_id: f64,
    entity: Option<Issue>,
}

/// What `commentCreate` answers.
#[derive(Debug, SimpleObject)]
struct CommentPayload {
    success: bool,
    last_sync_id: f64,
    comment: Comment,
}

#[Object]
impl Mutation {
    async fn issue_create(
        &self,
        ctx: &Context<'_>,
        input: IssueCreateInput,
    ) -> Result<IssuePayload> {
        let (issue, last_sync_id) =
            commit(ctx, |workspace, now| workspace.create_issue(input, now))?;
        Ok(IssuePayload {
            success: true,
            last_sync_id,
            issue: Some(issue),
        })
    }

    async fn issue_update(
        &self,
        ctx: &Context<'_>,
        id: String,
        input: IssueUpdateInput,
    ) -> Result<IssuePayload> {
        let (issue, last_sync_id) = commit(ctx, |workspace, now| {
            workspace.update_issue(&id, input, now)
        })?;
        Ok(IssuePayload {
            success: true,
            last_sync_id,
            issue: Some(issue),
        })
    }

    async fn issue_archive(&self, ctx: &Context<'_>, id: String) -> Result<IssueArchivePayload> {
        let (issue, last_sync_id) =
            commit(ctx, |workspace, now| workspace.archive_issue(&id, now))?;
        Ok(IssueArchivePayload {
            success: true,
            last_sync_id,
            entity: Some(issue),
        })
    }

    async fn comment_create(
        &self,
        ctx: &Context<'_>,
        input: CommentCreateInput,
    ) -> Result<CommentPayload> {
        let (comment, last_sync_id) =
            commit(ctx, |workspace, now| workspace.create_comment(input, now))?;
        Ok(CommentPayload {
            success: true,
            last_sync_id,
            comment,
        })
    }
}

/// Makes a change and counts it. The time source is asked only for changes that are made, so that
/// refused requests do not move the times of what follows.
fn commit<T>(
    ctx: &Context<'_>,
    write: impl FnOnce(&mut Workspace, &dyn Fn() -> DateTime) -> Result<T, LinearError>,
) -> Result<(T, f64), LinearError> {
    let time = ctx.data_unchecked::<TimeSource>();
    change(ctx, |workspace| {
        let changed = write(workspace, &|| DateTime(time.next()))?;
        workspace.last_sync_id += 1;
        Ok((changed, f64::from(workspace.last_sync_id)))
    })
}
