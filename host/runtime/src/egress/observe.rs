//! What is told about each request: to whoever counts, and to traces.
//!
//! Neither gets a path, a query, a header or a body: endpoint and route are the
//! plugin's own declarations, so there are only so many of them.

use std::fmt;
use std::time::{Duration, Instant};

use portcullis_core::plugin::{Endpoint, Method, Route};
use tracing::Span;
use tracing::field::Empty;

use super::message::{Denial, HttpError, HttpErrorKind, HttpResponse};

/// Is told how each request of a call ended.
pub trait EgressObserver: fmt::Debug + Send + Sync + 'static {
    /// Called once for each request, also for one that was refused or given up.
    fn ended(&self, exchange: &Exchange<'_>);
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// A declared endpoint; `None` when the guest named one that is not.
    pub endpoint: Option<&'a str>,
    /// What came of it.
    pub result: ExchangeResult,
    /// From the guest's call to the end of the response.
    pub took: Duration,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeResult {
    /// A complete response with this status.
    Answered(u16),
    /// The host refused it, for this reason.
    Denied(Denial),
    /// There is no response.
    Failed(HttpErrorKind),
    /// The call ended first.
    Abandoned,
}

impl From<&Result<HttpResponse, HttpError>> for ExchangeResult {
    fn from(answer: &Result<HttpResponse, HttpError>) -> Self {
        match answer {
            Ok(response) => Self::Answered(response.status),
            Err(HttpError {
                denial: Some(reason),
                ..
            }) => Self::Denied(*reason),
            Err(error) => Self::Failed(error.kind),
        }
    }
}

/// A request under way. Dropped before its end, it tells that it was abandoned.
pub(super) struct Watched<'a> {
    observer: Option<&'a dyn EgressObserver>,
    endpoint: Option<&'a str>,
    result: ExchangeResult,
    began: Instant,
    span: Span,
}

impl<'a> Watched<'a> {
    pub(super) fn begin(
        observer: Option<&'a dyn EgressObserver>,
        endpoint: Option<&'a Endpoint>,
        method: Method,
    ) -> Self {
        let endpoint = endpoint.map(|endpoint| endpoint.name.as_str());
        Self {
            observer,
            endpoint,
            result: ExchangeResult::Abandoned,
            began: Instant::now(),
            span: tracing::debug_span!(
                "upstream",
                endpoint,
                method = method.as_str(),
                route = Empty,
                status = Empty,
                error = Empty,
                requestSent = Empty,
            ),
        }
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// The declared route that covers the request.
    pub(super) fn matched(&self, route: &Route) {
        self.span.record("route", route.path_prefix.as_str());
    }

    pub(super) fn ended(mut self, answer: &Result<HttpResponse, HttpError>) {
        self.result = ExchangeResult::from(answer);
        match answer {
            Ok(response) => {
                self.span.record("status", i64::from(response.status));
                self.span.record("requestSent", true);
            }
            Err(error) => {
                let reason = error.denial.map(Denial::as_str);
                self.span
                    .record("error", reason.unwrap_or(error.kind.as_str()));
                self.span.record("requestSent", error.request_sent);
            }
        }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if let Some(observer) = self.observer {
            observer.ended(&Exchange {
                endpoint: self.endpoint,
                result: self.result,
                took: self.began.elapsed(),
            });
        }
    }
}
