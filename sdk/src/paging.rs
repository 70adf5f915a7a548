//! Pages: what an action answers, what GraphQL connections look like, and what `Link` headers say.

mod link;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::link::{Link, links};
use crate::http::Response;

/// A GraphQL connection as Relay describes it, without its edges.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Nodes<T> {
    /// The things on this page.
    pub nodes: Vec<T>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// Where a page ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    /// True when more pages follow.
    pub has_next_page: bool,
    /// Pass as the cursor of the next page.
    pub end_cursor: Option<String>,
}

impl Response {
    /// The cursor of the next page according to the `Link` headers.
    ///
    /// `None` at the end: no link with `rel="next"`, or one that says `results="false"`, as Sentry
    /// does. A link without a `cursor` attribute yields the `cursor` of its address.
    pub fn next_cursor(&self) -> Option<String> {
        self.headers()
            .filter(|(name, _)| name.eq_ignore_ascii_case("link"))
            .flat_map(|(_, value)| links(value))
            .find(|link| link.rel.as_deref() == Some("next"))
            .filter(|link| link.results != Some(false))
            .and_then(|link| link.cursor)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use crate::{
        context::Context,
        provider::{Endpoint, Method, Route},
        testing::{Reply, Script},
    };

    const ENDPOINTS: &[Endpoint] =
        &[Endpoint::new("api", "https://api.example.com").routes(&[Route::get("/issues")])];

    fn next_cursor(links: &[&str]) -> Option<String> {
        let script = Rc::new(Script::new(ENDPOINTS));
        let reply = links.iter().fold(Reply::text(200, "[]"), |reply, link| {
            reply.header("Link", link)
        });
        script.expect(Method::Get, "/issues/", reply);
        let ctx = Context::new(script, "Example", String::new());
        ctx.http("api")
            .get("/issues/")
            .send()
            .unwrap()
            .next_cursor()
    }

    #[test]
    fn the_next_link_has_the_cursor() {
        let previous = r#"<https://x.example/>; rel="previous"; results="true"; cursor="0:0:1""#;
        let next = r#"<https://x.example/>; rel="next"; results="true"; cursor="0:25:0""#;

        assert_eq!(
            next_cursor(&[&format!("{previous}, {next}")]).as_deref(),
            Some("0:25:0")
        );
        assert_eq!(next_cursor(&[previous, next]).as_deref(), Some("0:25:0"));
    }

    #[test]
    fn an_empty_next_page_is_the_end() {
        let next = r#"<https://x.example/>; rel="next"; results="false"; cursor="0:25:0""#;

        assert_eq!(next_cursor(&[next]), None);
        assert_eq!(next_cursor(&[]), None);
    }
}
