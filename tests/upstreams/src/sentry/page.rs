//! Sentry's way of listing: a cursor for the next page in a `Link` header, which is there at the end
//! too and says `results="false"`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header::LINK};
use serde_json::Value;

use super::error::SentryError;

/// Items of a page at most, and when a request does not say.
const MAX_PAGE_ITEMS: usize = 100;

/// Which part of a listing.
#[derive(Debug)]
pub(crate) struct PageRequest {
    /// The address of the listing, for the links.
    pub(crate) url: String,
    offset: usize,
    items: usize,
}

impl PageRequest {
    /// Reads a cursor and a number of items, as they were sent.
    pub(crate) fn new(
        url: String,
        cursor: Option<&str>,
        items: Option<&str>,
    ) -> Result<Self, SentryError> {
        Ok(Self {
            url,
            offset: cursor.map_or(Ok(0), parse_cursor)?,
            items: items.map_or(Ok(MAX_PAGE_ITEMS), parse_items)?,
        })
    }

    /// The page of what was found, with its links.
    pub(crate) fn answer(&self, found: Vec<Value>) -> Response {
        let more = found.len() > self.offset.saturating_add(self.items);
        let links = [
            self.link(
                "previous",
                self.offset.saturating_sub(self.items),
                self.offset > 0,
            ),
            self.link("next", self.offset.saturating_add(self.items), more),
        ]
        .join(", ");
        let page: Vec<_> = found
            .into_iter()
            .skip(self.offset)
            .take(self.items)
            .collect();
        let link = HeaderValue::try_from(links);
        let link = link.unwrap_or_else(|_| HeaderValue::from_static(""));
        ([(LINK, link)], Json(page)).into_response()
    }

    fn link(&self, rel: &str, offset: usize, results: bool) -> String {
        let url = &self.url;
        let cursor = format!("0:{offset}:{}", u8::from(rel == "previous"));
        format!(r#"<{url}?&cursor={cursor}>; rel="{rel}"; results="{results}"; cursor="{cursor}""#)
    }
}

/// `value:offset:is_previous`; the offset is what counts here.
fn parse_cursor(cursor: &str) -> Result<usize, SentryError> {
    let offset = match cursor.split(':').collect::<Vec<_>>()[..] {
        ["0", offset, "0" | "1"] => offset.parse().ok(),
        _ => None,
    };
    offset.ok_or_else(|| SentryError::bad_request("Invalid cursor parameter."))
}

fn parse_items(items: &str) -> Result<usize, SentryError> {
    let parsed = items.parse().ok();
    parsed
        .filter(|items| (1..=MAX_PAGE_ITEMS).contains(items))
        .ok_or_else(|| {
            let range = format!("Invalid per_page value. Must be between 1 and {MAX_PAGE_ITEMS}.");
            SentryError::bad_request(&range)
        })
}
