//! Actions on comments.

use portcullis_sdk::{http::Response, prelude::*};

use crate::{
    api,
    model::{Id, Moment},
};

/// What Sentry answers, with status 400, when the same user posted the same text in the last hour.
const DUPLICATE: &str = "You have already posted that comment.";

/// The comment to add.
#[params(rename_all = "snake_case")]
pub struct AddComment {
    /// The organization's slug, such as acme.
    #[schemars(length(min = 1))]
    organization_slug: String,
    /// The issue's id, such as 4509123456, or its short id, such as WEB-1A.
    #[schemars(length(min = 1))]
    issue_id: String,
    /// Markdown.
    #[schemars(length(min = 1))]
    text: String,
}

/// What adding a comment answers.
#[result]
pub struct CommentAnswer {
    /// The comment that was added; null when it stood there already.
    comment: Option<Comment>,
    /// True when the same text was posted within the last hour: it is there, once.
    duplicate: bool,
}

/// A comment.
#[result]
pub struct Comment {
    /// Such as 5123.
    id: Id,
    /// Markdown.
    text: Text<1000>,
    /// RFC 3339.
    date_created: Option<Moment>,
    /// The name of who wrote it.
    user: Option<Text<100>>,
}

/// Adds a comment to an issue.
///
/// Best effort: Sentry does not document this part of its API. It needs a token that acts as a
/// user. The same text again within an hour adds nothing and is answered with `duplicate`.
#[action(
    title = "Add comment",
    risk = write,
    example("Tell what was found", {
        "organization_slug": "acme",
        "issue_id": "WEB-1A",
        "text": "Caused by the new session store; a fix is on its way.",
    }),
)]
pub fn add_comment(ctx: &Context, params: AddComment) -> Result<CommentAnswer> {
    let issue = api::issue(&params.organization_slug, &params.issue_id)?;
    let response = api::request(ctx, Method::Post, format!("{issue}notes/"))
        .json(&json!({ "text": params.text }))
        .send()?;
    if is_duplicate(&response) {
        return Ok(CommentAnswer {
            comment: None,
            duplicate: true,
        });
    }
    let note: Note = response.success()?.json()?;
    Ok(CommentAnswer {
        comment: Some(note.into()),
        duplicate: false,
    })
}

/// Looks for the sentence anywhere in the body: some versions wrap the answer in a text.
fn is_duplicate(response: &Response) -> bool {
    response.status() == 400 && response.text().is_ok_and(|body| body.contains(DUPLICATE))
}

#[answer]
struct Note {
    id: Id,
    data: NoteData,
    date_created: Option<Moment>,
    user: Option<Author>,
}

#[answer]
struct NoteData {
    text: Text<1000>,
}

#[answer]
struct Author {
    name: Option<Text<100>>,
}

impl From<Note> for Comment {
    fn from(note: Note) -> Self {
        Self {
            id: note.id,
            text: note.data.text,
            date_created: note.date_created,
            user: note.user.and_then(|user| user.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing::{Reply, TestProvider};

    use super::*;
    use crate::{PROVIDER, fixtures};

    fn add(reply: Reply) -> Result<Value> {
        let sentry = TestProvider::new(PROVIDER);
        sentry.expect(Method::Post, &format!("{}notes/", fixtures::ISSUE), reply);
        let result = sentry.run("add_comment", fixtures::named(json!({ "text": "Hi" })));
        assert_eq!(sentry.requests()[0].json(), json!({ "text": "Hi" }));
        result
    }

    #[test]
    fn the_comment_is_answered_flat() {
        let note = json!({
            "id": "5123",
            "type": "note",
            "data": { "text": "Hi" },
            "dateCreated": "2026-11-20T10:15:30.123456Z",
            "user": { "id": "3141592", "name": "Ada Lovelace", "email": "ada@acme.example" },
        });

        let comment = json!({
            "id": "5123",
            "text": "Hi",
            "dateCreated": "2026-11-20T10:15:30.123456Z",
            "user": "Ada Lovelace",
        });
        assert_eq!(
            add(Reply::json(201, note)).unwrap(),
            json!({ "comment": comment, "duplicate": false })
        );
    }

    #[test]
    fn the_same_comment_again_is_a_success() {
        let detail = json!({ "detail": "You have already posted that comment." });
        // Some versions send the answer as a text that holds JSON.
        let wrapped = json!(detail.to_string());

        for body in [detail, wrapped] {
            assert_eq!(
                add(Reply::json(400, body)).unwrap(),
                json!({ "comment": null, "duplicate": true })
            );
        }
    }

    #[test]
    fn other_refusals_are_errors() {
        let error = add(Reply::json(
            400,
            json!({ "text": ["This field may not be blank."] }),
        ));
        assert_eq!(error.unwrap_err().code(), ErrorCode::InvalidParams);

        let conflict = json!({ "detail": "You have already posted that comment." });
        let error = add(Reply::json(500, conflict)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Upstream);
    }

    #[test]
    fn authors_may_be_unknown() {
        let note = json!({ "id": 5, "data": { "text": "Hi" }, "user": "bot" });

        let added = add(Reply::json(201, note)).unwrap();

        assert_eq!(
            added["comment"],
            json!({ "id": "5", "text": "Hi", "dateCreated": null, "user": null })
        );
    }
}
