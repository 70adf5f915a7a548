//! `Team`.

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};

use super::{WorkflowState, list, look};
use crate::linear::{
    filter::WorkflowStateFilter,
    page::{Connection, PageArguments, PaginationOrderBy},
    scalars::DateTime,
    workspace::{Workspace, find_optional},
};

/// A team.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Team {
    pub(crate) id: ID,
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) description: Option<String>,
    pub(crate) timezone: String,
    pub(crate) created_at: DateTime,
    pub(crate) updated_at: DateTime,
    #[graphql(skip)]
    pub(crate) default_state_id: ID,
}

#[ComplexObject]
impl Team {
    async fn default_issue_state(&self, ctx: &Context<'_>) -> Result<Option<WorkflowState>> {
        let id = Some(&self.default_state_id);
        Ok(look(ctx, |workspace| find_optional(&workspace.states, id))?)
    }

    async fn states(
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
        let states = |workspace: &Workspace| workspace.states_of(self);
        Ok(list(ctx, states, filter.as_ref(), &page)?)
    }
}
