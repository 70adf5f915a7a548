//! `Project`.

use async_graphql::{ComplexObject, ID, SimpleObject};

use crate::linear::{scalars::DateTime, workspace::WEB_URL};

/// A project. The fake's belong to one team each.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Project {
    pub(crate) id: ID,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) color: String,
    pub(crate) slug_id: String,
    pub(crate) created_at: DateTime,
    pub(crate) updated_at: DateTime,
    #[graphql(skip)]
    pub(crate) team_id: ID,
}

#[ComplexObject]
impl Project {
    async fn url(&self) -> String {
        format!("{WEB_URL}/project/{}", self.slug_id)
    }
}
