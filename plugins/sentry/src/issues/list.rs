//! `list_issues`

use portcullis_sdk::prelude::*;

use crate::{api, model::Issue};

/// As many issues as an agent sees in one piece: the gateway cuts results at 10 KiB, and an issue
/// takes up to 600 bytes.
const DEFAULT_PAGE: u32 = 15;

/// Which issues to list.
#[params(rename_all = "snake_case")]
pub struct ListIssues {
    /// The organization's slug, such as acme.
    #[schemars(length(min = 1))]
    organization_slug: String,
    /// Only issues of this project: its slug, such as web.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]+$"))]
    project_slug: Option<String>,
    /// Sentry's search syntax, such as `is:unresolved level:error`. All issues by default, also
    /// those that are resolved or ignored.
    query: Option<String>,
    /// How many issues; 15 by default. More may not fit into one answer: prefer the next page.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<u32>,
    /// The next page: `nextCursor` of the page before.
    cursor: Option<String>,
}

/// A page of issues.
#[result]
pub struct IssuePage {
    /// The issues, those seen last first.
    issues: Vec<Issue>,
    /// Pass as `cursor` for the next page; null when there is none.
    next_cursor: Option<String>,
}

/// Lists issues of an organization, those seen last first.
#[action(
    title = "List issues",
    risk = read,
    example("What is not resolved in a project", {
        "organization_slug": "acme",
        "project_slug": "web",
        "query": "is:unresolved",
    }),
    example("The next page", { "organization_slug": "acme", "cursor": "0:15:0" }),
)]
pub fn list_issues(ctx: &Context, params: ListIssues) -> Result<IssuePage> {
    let path = api::issues(&params.organization_slug)?;
    let response = api::request(ctx, Method::Get, path)
        // Also when it is empty: without it Sentry lists unresolved issues only.
        .query("query", search(&params)?)
        .query("limit", params.limit.unwrap_or(DEFAULT_PAGE))
        .query_opt("cursor", params.cursor)
        .send()?
        .success()?;
    Ok(IssuePage {
        issues: response.json()?,
        next_cursor: response.next_cursor(),
    })
}

/// The project comes first: an open quote in the query would swallow what follows.
fn search(params: &ListIssues) -> Result<String> {
    let query = params.query.as_deref().unwrap_or_default().trim();
    let Some(slug) = &params.project_slug else {
        return Ok(query.to_owned());
    };
    if !is_slug(slug) {
        return Err(Error::invalid_params(format!(
            "{slug:?} is not a project's slug: those have letters, digits, dashes and underscores."
        )));
    }
    Ok(format!("project:{slug} {query}").trim_end().to_owned())
}

/// Nothing else may reach the query: quotes, spaces and wildcards have a meaning there.
fn is_slug(text: &str) -> bool {
    let slug_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.bytes().all(slug_byte)
}
