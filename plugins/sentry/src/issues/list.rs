//! `list_issues`

use portcullis_sdk::prelude::*;

use crate::{api, model::Issue};

/// As many issues as an agent sees in one piece, also when every member of each is as long as it may
/// be: the gateway cuts results at 10 KiB.
const DEFAULT_PAGE: u32 = 10;

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
    /// How many issues; 10 by default. More may not fit into one answer: prefer the next page.
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

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing::{Reply, TestProvider};

    use super::*;
    use crate::{PROVIDER, fixtures};

    const PATH: &str = "/api/0/organizations/acme/issues/";

    /// What an agent sees of a result before the gateway cuts it.
    const RESULT_BYTES: usize = 10_240;

    fn page(issues: &[Value], results: bool) -> Reply {
        let link = |rel, results, cursor| {
            format!(
                "<https://sentry.io{PATH}?cursor={cursor}>; rel=\"{rel}\"; results=\"{results}\"; cursor=\"{cursor}\""
            )
        };
        let links = [
            link("previous", false, "0:0:1"),
            link("next", results, "0:15:0"),
        ];
        Reply::json(200, json!(issues)).header("link", &links.join(", "))
    }

    fn query(params: Value) -> Vec<(String, String)> {
        let sentry = TestProvider::new(PROVIDER);
        sentry.expect(Method::Get, PATH, page(&[], false));
        sentry.run("list_issues", params).unwrap();
        sentry.requests()[0].query.clone()
    }

    fn pairs(query: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        query.iter().map(owned).collect()
    }

    #[test]
    fn the_query_is_sent_also_when_it_is_empty() {
        assert_eq!(
            query(json!({ "organization_slug": "acme" })),
            pairs(&[("query", ""), ("limit", "10")])
        );
    }

    #[test]
    fn every_param_is_passed_on() {
        let params = json!({
            "organization_slug": "acme",
            "project_slug": "web-2",
            "query": " is:unresolved message:\"a b\" ",
            "limit": 100,
            "cursor": "0:15:0",
        });

        assert_eq!(
            query(params),
            pairs(&[
                ("query", "project:web-2 is:unresolved message:\"a b\""),
                ("limit", "100"),
                ("cursor", "0:15:0"),
            ])
        );
        assert_eq!(
            query(json!({ "organization_slug": "acme", "project_slug": "web" }))[0].1,
            "project:web"
        );
    }

    #[test]
    fn a_projects_slug_adds_nothing_to_the_query() {
        for slug in [
            "",
            "web is:resolved",
            "web\"",
            "w*b",
            "[web,ops]",
            "!web",
            "wéb",
            "a:b",
        ] {
            let params = json!({ "organization_slug": "acme", "project_slug": slug });
            let error = TestProvider::new(PROVIDER).fails("list_issues", params);
            assert_eq!(error.code(), ErrorCode::InvalidParams, "{slug}");
            assert!(error.message().contains("not a project's slug"), "{error}");
        }
    }

    #[test]
    fn issues_are_answered_small_and_in_order() {
        let sentry = TestProvider::new(PROVIDER);
        let issues = [fixtures::issue(0), fixtures::issue(1)];
        sentry.expect(Method::Get, PATH, page(&issues, true));

        let result = sentry.run("list_issues", json!({ "organization_slug": "acme" }));

        let expected = json!({
            "issues": [fixtures::listed(0), fixtures::listed(1)],
            "nextCursor": "0:15:0",
        });
        assert_eq!(result.unwrap(), expected);
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        for reply in [
            page(&[fixtures::issue(0)], false),
            Reply::json(200, json!([])),
        ] {
            let sentry = TestProvider::new(PROVIDER);
            sentry.expect(Method::Get, PATH, reply);

            let result = sentry.run("list_issues", json!({ "organization_slug": "acme" }));

            assert_eq!(result.unwrap()["nextCursor"], json!(null));
        }
    }

    #[test]
    fn a_default_page_reaches_the_agent_uncut() {
        let sentry = TestProvider::new(PROVIDER);
        let issues: Vec<_> = (0..DEFAULT_PAGE as usize).map(fixtures::issue).collect();
        sentry.expect(Method::Get, PATH, page(&issues, true));

        let result = sentry.run("list_issues", json!({ "organization_slug": "acme" }));

        let bytes = result.unwrap().to_string().len();
        assert!(bytes <= RESULT_BYTES, "{bytes} bytes");
    }

    #[test]
    fn a_default_page_of_the_longest_issues_reaches_the_agent_uncut() {
        let sentry = TestProvider::new(PROVIDER);
        let mut issue = fixtures::longest(fixtures::issue(1));
        issue["userCount"] = json!(u64::MAX);
        let issues = vec![issue; DEFAULT_PAGE as usize];
        sentry.expect(Method::Get, PATH, page(&issues, true));

        let result = sentry
            .run("list_issues", json!({ "organization_slug": "acme" }))
            .unwrap();

        assert!(result["issues"][0]["title"].as_str().unwrap().len() > 100);
        assert!(!result["issues"][0]["assignedTo"].is_null());
        let bytes = result.to_string().len();
        assert!(bytes <= RESULT_BYTES, "{bytes} bytes");
    }

    #[test]
    fn what_is_missing_or_odd_is_null() {
        let odd = json!({
            "id": 7,
            "title": "Something",
            "culprit": ["a"],
            "userCount": "many",
            "project": "web",
            "assignedTo": 5,
        });
        let sentry = TestProvider::new(PROVIDER);
        sentry.expect(Method::Get, PATH, page(&[odd], false));

        let result = sentry.run("list_issues", json!({ "organization_slug": "acme" }));

        let issue = &result.unwrap()["issues"][0];
        let known: Vec<_> = issue
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| !value.is_null())
            .collect();
        assert_eq!(
            known,
            [
                (&"id".to_owned(), &json!("7")),
                (&"title".to_owned(), &json!("Something"))
            ]
        );
    }

    #[test]
    fn what_is_no_list_of_issues_is_an_error() {
        for body in [json!({}), json!([{}]), json!([null]), json!([[]])] {
            let sentry = TestProvider::new(PROVIDER);
            sentry.expect(Method::Get, PATH, Reply::json(200, body));

            let error = sentry.fails("list_issues", json!({ "organization_slug": "acme" }));

            assert_eq!(error.code(), ErrorCode::Upstream);
        }
    }
}
