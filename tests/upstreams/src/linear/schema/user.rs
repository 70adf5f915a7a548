//! `User`.

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};

use super::look;
use crate::linear::{scalars::DateTime, workspace::WEB_URL};

/// A member of the workspace.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct User {
    pub(crate) id: ID,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) email: String,
    pub(crate) active: bool,
    pub(crate) admin: bool,
    pub(crate) created_at: DateTime,
    pub(crate) updated_at: DateTime,
}

#[ComplexObject]
impl User {
    async fn is_me(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(look(ctx, |workspace| {
            workspace.viewer().map(|viewer| viewer.id == self.id)
        })?)
    }

    async fn url(&self) -> String {
        format!("{WEB_URL}/profiles/{}", self.display_name)
    }
}
