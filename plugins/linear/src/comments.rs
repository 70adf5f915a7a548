//! Actions on comments.

use portcullis_sdk::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    api::{LINEAR, succeeded},
    documents,
    model::Comment,
};

/// The comment to add.
#[params]
pub struct AddComment {
    /// Issue UUID or identifier such as ENG-123.
    #[schemars(length(min = 1))]
    issue_id: String,
    /// Markdown.
    #[schemars(length(min = 1))]
    body: String,
}

/// What adding a comment answers.
#[result]
pub struct CommentAnswer {
    /// The comment that was added.
    comment: Comment,
}

/// Adds a comment to an issue.
#[action(
    title = "Add comment",
    risk = write,
    example("Say hello", { "issueId": "ENG-1", "body": "Hi" }),
)]
pub fn add_comment(ctx: &Context, params: AddComment) -> Result<CommentAnswer> {
    let input = CommentCreateInput {
        id: ctx.idempotency_key(),
        issue_id: params.issue_id,
        body: params.body,
    };
    let created: Created = LINEAR.mutate(ctx, documents::ADD_COMMENT, json!({ "input": input }))?;
    let Payload { success, comment } = created.comment_create;
    Ok(CommentAnswer {
        comment: succeeded(success, comment, "add the comment", &input.issue_id)?,
    })
}

/// Linear's input type, as far as it is used.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CommentCreateInput<'a> {
    /// Chosen by us, so that a second attempt of the same invocation cannot comment twice.
    id: &'a str,
    issue_id: String,
    body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    comment_create: Payload,
}

#[derive(Deserialize)]
struct Payload {
    success: bool,
    comment: Option<Comment>,
}

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing::{Reply, TestProvider};

    use super::*;
    use crate::{PROVIDER, api::PATH, fixtures};

    fn created(success: bool, comment: &Value) -> Reply {
        Reply::json(
            200,
            json!({ "data": { "commentCreate": { "success": success, "comment": comment } } }),
        )
    }

    #[test]
    fn the_idempotency_key_becomes_the_comments_id() {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(Method::Post, PATH, created(true, &fixtures::comment(1)));

        let result = linear
            .run("add_comment", json!({ "issueId": "ENG-1", "body": "Hi" }))
            .unwrap();

        assert_eq!(result, json!({ "comment": fixtures::comment(1) }));
        let sent = linear.requests()[0].json();
        assert_eq!(sent["query"], documents::ADD_COMMENT);
        assert_eq!(
            sent["variables"],
            json!({ "input": { "id": linear.idempotency_key(), "issueId": "ENG-1", "body": "Hi" } }),
        );
    }

    #[test]
    fn comments_of_integrations_have_no_user() {
        let linear = TestProvider::new(PROVIDER);
        let mut comment = fixtures::comment(1);
        comment["user"] = json!(null);
        linear.expect(Method::Post, PATH, created(true, &comment));

        let result = linear
            .run("add_comment", json!({ "issueId": "ENG-1", "body": "Hi" }))
            .unwrap();

        assert_eq!(result["comment"]["user"], json!(null));
    }

    #[test]
    fn success_is_checked() {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(Method::Post, PATH, created(false, &fixtures::comment(1)));

        let error = linear.fails("add_comment", json!({ "issueId": "ENG-1", "body": "Hi" }));

        assert_eq!(error.code(), ErrorCode::Upstream);
    }

    #[test]
    fn a_comment_that_was_added_and_is_not_shown_was_added() {
        let linear = TestProvider::new(PROVIDER);
        linear.expect(Method::Post, PATH, created(true, &json!(null)));

        let error = linear.fails("add_comment", json!({ "issueId": "ENG-1", "body": "Hi" }));

        assert_eq!(error.code(), ErrorCode::Upstream);
        assert_eq!(
            error.message(),
            "Linear did add the comment, but did not show the result: look before you ask for it \
             again. The issue is ENG-1."
        );
    }
}
