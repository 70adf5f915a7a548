//! A request under construction.

use std::{fmt::Display, time::Duration};

use serde::Serialize;

use super::{AskedWait, Busy, HttpError, Method, Response, retry};
use crate::{context::Context, host::wire};

/// A request that has not been sent.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'c> {
    ctx: &'c Context,
    wire: wire::Request,
    read_only: bool,
    retried: bool,
    asked_wait: AskedWait,
    /// A body that could not be written as JSON: reported when the request is sent, so that
    /// building one stays a chain.
    defect: Option<String>,
}

impl<'c> Request<'c> {
    pub(super) fn new(ctx: &'c Context, endpoint: &str, method: Method, path: String) -> Self {
        let wire = wire::Request {
            endpoint: endpoint.to_owned(),
            method,
            path,
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            timeout_ms: None,
        };
        Self {
            ctx,
            wire,
            read_only: matches!(method, Method::Get | Method::Head),
            retried: true,
            asked_wait: Response::retry_after,
            defect: None,
        }
    }

    /// Adds a query parameter; the host encodes it.
    pub fn query(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.wire.query.push((name.into(), value.to_string()));
        self
    }

    /// Adds a query parameter if there is a value.
    pub fn query_opt(self, name: impl Into<String>, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds a header. The contract lists the names that are allowed; credentials are the host's
    /// business.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.wire.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body to JSON, and the content type with it.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body("application/json", bytes),
            Err(error) => {
                self.defect = Some(format!("The request's body is not JSON: {error}."));
                self
            }
        }
    }

    /// Sets the body and its content type.
    pub fn body(mut self, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.wire.body = Some(bytes.into());
        self.header("content-type", content_type)
    }

    /// Limits the time until `timeout`. Without it the request may take whatever is left of the
    /// call.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.wire.timeout_ms = Some(u32::try_from(limit.as_millis()).unwrap_or(u32::MAX));
        self
    }

    /// Declares that the request changes nothing upstream, whatever its method: a search by POST,
    /// say.
    ///
    /// Failures of such a request are retryable, as those of GET and HEAD are, and it is sent again
    /// as they are.
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Sends it once, also if it only reads and is asked to come back later.
    pub fn no_retry(mut self) -> Self {
        self.retried = false;
        self
    }

    /// Replaces what reads the time to wait from an answer, where the upstream names it in a header
    /// of its own; `Retry-After` is the default.
    pub fn retry_after(mut self, asked_wait: AskedWait) -> Self {
        self.asked_wait = asked_wait;
        self
    }

    /// Sends it and waits for the whole response. Every status is a response.
    ///
    /// What only reads is sent again when the status is 429 or 503; see [`http`](crate::http).
    pub fn send(self) -> Result<Response, HttpError> {
        self.send_and(|response| response, Busy::by_status)
    }

    /// Sends it, makes something of each response, and sends it again while that is `busy`.
    pub(crate) fn send_and<T>(
        self,
        make: impl Fn(Response) -> T,
        busy: impl Fn(&T) -> Option<Busy>,
    ) -> Result<T, HttpError> {
        let attempts = if self.retried && self.read_only {
            retry::ATTEMPTS
        } else {
            1
        };
        let (ctx, terms) = (self.ctx, self.terms());
        let wire = self.into_wire()?;
        retry::repeat(
            ctx,
            attempts,
            || terms.outcome(ctx, ctx.send_wire(&wire)).map(&make),
            |outcome| outcome.as_ref().ok().and_then(&busy),
        )
    }

    pub(super) fn terms(&self) -> Terms {
        Terms {
            read_only: self.read_only,
            asked_wait: self.asked_wait,
        }
    }

    pub(super) fn into_wire(self) -> Result<wire::Request, HttpError> {
        match self.defect {
            Some(message) => Err(HttpError::unsendable(message)),
            None => Ok(self.wire),
        }
    }
}

/// What must be known of a request to judge its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) read_only: bool,
    pub(super) asked_wait: AskedWait,
}

impl Terms {
    /// Those of a request about which nothing else was said.
    #[cfg(test)]
    pub(super) fn of(read_only: bool) -> Self {
        Self {
            read_only,
            asked_wait: Response::retry_after,
        }
    }

    /// What the host answered, as a provider sees it.
    pub(super) fn outcome(
        self,
        ctx: &Context,
        outcome: Result<wire::Response, wire::Error>,
    ) -> Result<Response, HttpError> {
        match outcome {
            Ok(response) => Ok(Response::new(response, ctx.service(), ctx.now(), self)),
            Err(error) => Err(HttpError::new(&error, ctx.service(), self.read_only)),
        }
    }
}
