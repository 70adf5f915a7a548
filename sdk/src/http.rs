//! Outbound HTTP by the name of a declared endpoint.
//!
//! A provider names neither scheme, host nor port and never sees a credential: the host composes
//! the URL from the base that was granted and adds the credential on the way out. Every status is a
//! [`Response`]; an [`HttpError`] means that there is none.
//!
//! A read that is answered 429 or 503 is sent again, three times in all at most: after the time
//! that the upstream names, but not before a quarter of a second and then a second, and only while
//! the call has that time. What is answered in the end is the response. A write is sent once, and so is
//! whatever gets no response.
//!
//! ```
//! use portcullis_sdk::prelude::*;
//!
//! fn issue_title(ctx: &Context, id: &str) -> Result<Value> {
//!     let path = format!("/issues/{}", segment(id)?);
//!     ctx.http("api").get(path).query("fields", "title").send()?.success()?.json()
//! }
//! ```

mod error;
mod request;
mod response;
mod retry;
mod status;
mod wait;

pub(crate) use self::retry::Busy;
pub use self::{
    error::{HttpError, HttpErrorKind},
    request::Request,
    response::Response,
    wait::{AskedWait, EpochUnit},
};
pub use crate::bindings::portcullis::provider::http::Method;
use crate::{
    context::Context,
    error::{Error, Result},
};

/// As many requests as [`Context::send_all`] may send at once.
pub const MAX_PARALLEL_REQUESTS: usize = 8;

/// Requests to one endpoint; made by [`Context::http`].
#[derive(Clone, Copy, Debug)]
pub struct Http<'c> {
    ctx: &'c Context,
    endpoint: &'c str,
}

impl<'c> Http<'c> {
    pub(crate) fn new(ctx: &'c Context, endpoint: &'c str) -> Self {
        Self { ctx, endpoint }
    }

    /// A request with any method. The path starts with `/` and holds neither query nor fragment;
    /// put values into it with [`segment`].
    pub fn request(self, method: Method, path: impl Into<String>) -> Request<'c> {
        Request::new(self.ctx, self.endpoint, method, path.into())
    }

    /// A GET request.
    pub fn get(self, path: impl Into<String>) -> Request<'c> {
        self.request(Method::Get, path)
    }

    /// A HEAD request.
    pub fn head(self, path: impl Into<String>) -> Request<'c> {
        self.request(Method::Head, path)
    }

    /// A POST request.
    pub fn post(self, path: impl Into<String>) -> Request<'c> {
        self.request(Method::Post, path)
    }

    /// A PUT request.
    pub fn put(self, path: impl Into<String>) -> Request<'c> {
        self.request(Method::Put, path)
    }

    /// A PATCH request.
    pub fn patch(self, path: impl Into<String>) -> Request<'c> {
        self.request(Method::Patch, path)
    }

    /// A DELETE request.
    pub fn delete(self, path: impl Into<String>) -> Request<'c> {
        self.request(Method::Delete, path)
    }
}

/// Encodes a value as one segment of a path.
///
/// **Errors**: `invalid_params` for what cannot be a segment: nothing at all, `.` and `..`,
/// slashes, backslashes and control characters. A param that ends up in a path can so never lead to
/// another path.
///
/// ```
/// use portcullis_sdk::http::segment;
///
/// assert_eq!(segment("a b&c").unwrap(), "a%20b%26c");
/// assert!(segment("../admin").is_err());
/// ```
pub fn segment(value: &str) -> Result<String> {
    let forbidden = |character: char| matches!(character, '/' | '\\') || character.is_control();
    if matches!(value, "" | "." | "..") || value.contains(forbidden) {
        return Err(Error::invalid_params(format!(
            "{value:?} cannot be part of a path."
        )));
    }
    Ok(value.bytes().map(encoded).collect())
}

fn encoded(byte: u8) -> String {
    match byte {
        // The unreserved characters of RFC 3986.
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}

/// Sends what can be sent; see [`Context::send_all`].
pub(crate) fn send_all(
    ctx: &Context,
    requests: Vec<Request<'_>>,
) -> Vec<Result<Response, HttpError>> {
    let terms: Vec<_> = requests.iter().map(Request::terms).collect();
    let prepared: Result<Vec<_>, HttpError> =
        requests.into_iter().map(Request::into_wire).collect();
    match prepared {
        Err(error) => terms.iter().map(|_| Err(error.clone())).collect(),
        Ok(prepared) => ctx
            .send_all_wire(&prepared)
            .into_iter()
            .zip(terms)
            .map(|(outcome, terms)| terms.outcome(ctx, outcome))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn segments_keep_unreserved_characters_and_encode_the_rest() {
        assert_eq!(segment("ENG-123_a.b~").unwrap(), "ENG-123_a.b~");
        assert_eq!(segment("50%?x=é").unwrap(), "50%25%3Fx%3D%C3%A9");
    }

    #[test]
    fn what_would_leave_the_path_is_refused() {
        for value in ["", ".", "..", "a/b", "a\\b", "a\nb", "../x"] {
            assert!(segment(value).is_err(), "{value:?}");
        }
    }
}
