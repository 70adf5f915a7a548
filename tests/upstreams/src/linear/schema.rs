//! The GraphQL schema: Linear's types, each in a file of its own, and the operations on them.

#![expect(
    clippy::unused_async,
    reason = "async-graphql's resolvers are async functions"
)]
#![expect(
    clippy::too_many_arguments,
    reason = "a resolver has the arguments of Linear's field"
)]

mod comment;
mod inputs;
mod issue;
mod label;
mod mutation;
mod project;
mod query;
mod state;
mod team;
mod user;

use std::sync::{Arc, PoisonError, RwLock};

use async_graphql::{
    Context, EmptySubscription, OutputType, Schema, ValidationMode, extensions::Analyzer,
};

use super::{
    error::LinearError,
    filter::Filter,
    page::{Connection, PageArguments, paginate},
    workspace::{Entity, Workspace},
};
use crate::TimeSource;

pub(crate) use comment::Comment;
pub(crate) use inputs::{CommentCreateInput, IssueCreateInput, IssueUpdateInput};
pub(crate) use issue::Issue;
pub(crate) use label::IssueLabel;
pub(crate) use project::Project;
pub(crate) use state::WorkflowState;
pub(crate) use team::Team;
pub(crate) use user::User;

/// The schema as it is executed.
pub(crate) type LinearSchema = Schema<query::Query, mutation::Mutation, EmptySubscription>;

/// The records behind the schema. The lock is held for one lookup or one change, never across an
/// `await`.
pub(crate) type SharedWorkspace = Arc<RwLock<Workspace>>;

/// The schema over a workspace. Changes take their times from `time`.
pub(crate) fn build(workspace: SharedWorkspace, time: TimeSource) -> LinearSchema {
    Schema::build(query::Query, mutation::Mutation, EmptySubscription)
        .validation_mode(ValidationMode::Strict)
        .extension(Analyzer)
        .data(workspace)
        .data(time)
        .finish()
}

/// Reads the workspace.
fn look<T>(ctx: &Context<'_>, read: impl FnOnce(&Workspace) -> T) -> T {
    let workspace = ctx.data_unchecked::<SharedWorkspace>();
    read(&workspace.read().unwrap_or_else(PoisonError::into_inner))
}

/// Changes the workspace.
fn change<T>(ctx: &Context<'_>, write: impl FnOnce(&mut Workspace) -> T) -> T {
    let workspace = ctx.data_unchecked::<SharedWorkspace>();
    write(&mut workspace.write().unwrap_or_else(PoisonError::into_inner))
}

/// A page of the records that `select` finds and the filter lets through.
fn list<T: Entity + OutputType>(
    ctx: &Context<'_>,
    select: impl FnOnce(&Workspace) -> Vec<T>,
    filter: Option<&impl Filter<T>>,
    page: &PageArguments,
) -> Result<Connection<T>, LinearError> {
    let records = look(ctx, |workspace| {
        let mut records = select(workspace);
        records.retain(|record| filter.is_none_or(|filter| filter.matches(record, workspace)));
        records
    });
    paginate(records, page)
}
