//! `WorkflowState`.

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};

use super::{Team, look};
use crate::linear::{scalars::DateTime, workspace::find};

/// A state that issues of one team can be in.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct WorkflowState {
    pub(crate) id: ID,
    pub(crate) name: String,
    /// `backlog`, `unstarted`, `started`, `completed` or `canceled`.
    #[graphql(name = "type")]
    pub(crate) kind: String,
    pub(crate) color: String,
    pub(crate) position: f64,
    pub(crate) created_at: DateTime,
    pub(crate) updated_at: DateTime,
    #[graphql(skip)]
    pub(crate) team_id: ID,
}

#[ComplexObject]
impl WorkflowState {
    async fn team(&self, ctx: &Context<'_>) -> Result<Team> {
        Ok(look(ctx, |workspace| {
            find(&workspace.teams, &self.team_id).cloned()
        })?)
    }
}
