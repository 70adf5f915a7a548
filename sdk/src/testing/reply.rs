//! What a scripted host answers.

use serde_json::Value;

use crate::{host::wire, http::HttpErrorKind};

/// What a scripted host answers to one request.
#[derive(Clone, Debug)]
pub struct Reply(Result<wire::Response, wire::Error>);

impl Reply {
    /// A JSON response.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests write `json!` in place"
    )]
    pub fn json(status: u16, body: Value) -> Self {
        Self::text(status, &body.to_string()).header("content-type", "application/json")
    }

    /// A response with a body that may be anything.
    pub fn text(status: u16, body: &str) -> Self {
        Self(Ok(wire::Response {
            status,
            headers: Vec::new(),
            body: body.into(),
        }))
    }

    /// No response. `request_sent`: whether any of the request may have reached the upstream.
    pub fn error(kind: HttpErrorKind, request_sent: bool) -> Self {
        Self(Err(wire::Error {
            kind,
            message: format!("scripted {kind:?}"),
            request_sent,
        }))
    }

    /// Says why there is no response, as the host would.
    #[must_use]
    pub fn because(mut self, why: &str) -> Self {
        if let Err(error) = &mut self.0 {
            why.clone_into(&mut error.message);
        }
        self
    }

    /// Adds a header to a response.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(response) = &mut self.0 {
            response
                .headers
                .push((name.to_ascii_lowercase(), value.to_owned()));
        }
        self
    }

    pub(super) fn into_outcome(self) -> Result<wire::Response, wire::Error> {
        self.0
    }
}
