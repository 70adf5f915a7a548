//! `IssueLabel`.

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};

use super::{Team, look};
use crate::linear::{scalars::DateTime, workspace::find_optional};

/// A label, of one team or of the whole workspace.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct IssueLabel {
    pub(crate) id: ID,
    pub(crate) name: String,
    pub(crate) color: String,
    pub(crate) created_at: DateTime,
    pub(crate) updated_at: DateTime,
    #[graphql(skip)]
    pub(crate) team_id: Option<ID>,
}

#[ComplexObject]
impl IssueLabel {
    async fn team(&self, ctx: &Context<'_>) -> Result<Option<Team>> {
        let id = self.team_id.as_ref();
        Ok(look(ctx, |workspace| find_optional(&workspace.teams, id))?)
    }
}
