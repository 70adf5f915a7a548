//! `Comment`.

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};

use super::{Issue, User, look};
use crate::linear::{
    scalars::DateTime,
    workspace::{find, find_optional},
};

/// How many digits of a comment's id its address shows.
const SHORT_ID_DIGITS: usize = 8;

/// A comment on an issue.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub(crate) struct Comment {
    pub(crate) id: ID,
    pub(crate) body: String,
    pub(crate) created_at: DateTime,
    pub(crate) updated_at: DateTime,
    #[graphql(skip)]
    pub(crate) issue_id: ID,
    #[graphql(skip)]
    pub(crate) user_id: ID,
}

#[ComplexObject]
impl Comment {
    async fn issue(&self, ctx: &Context<'_>) -> Result<Option<Issue>> {
        Ok(look(ctx, |workspace| {
            find_optional(&workspace.issues, Some(&self.issue_id))
        })?)
    }

    async fn issue_id(&self) -> Option<&str> {
        Some(&self.issue_id)
    }

    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Ok(look(ctx, |workspace| {
            find_optional(&workspace.users, Some(&self.user_id))
        })?)
    }

    async fn url(&self, ctx: &Context<'_>) -> Result<String> {
        let issue = look(ctx, |workspace| {
            find(&workspace.issues, &self.issue_id).cloned()
        })?;
        let short_id = self.id.get(..SHORT_ID_DIGITS).unwrap_or_default();
        Ok(format!("{}#comment-{short_id}", issue.web_url()))
    }
}
