//! GraphQL upstreams: one POST, an answer or a typed error.
//!
//! What makes GraphQL different from REST here: errors arrive with status 200, rate limits with
//! status 400, and an answer may hold data *and* errors. Partial data is an error: an agent that
//! was given half of what it asked for without being told would draw wrong conclusions.

mod classify;
mod error;

use std::time::Duration;

use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

pub use self::{classify::classify, error::GraphqlError};
use crate::{
    context::Context,
    error::{Error, ErrorCode, Result},
    http::Response,
};

/// A GraphQL API: where it is and how it tells its errors.
///
/// A provider keeps one as a constant:
///
/// ```
/// use portcullis_sdk::{graphql::{self, Graphql, GraphqlError}, prelude::*};
///
/// const LINEAR: Graphql = Graphql::new("api", "/graphql").classify(classify);
///
/// fn classify(error: &GraphqlError) -> Option<ErrorCode> {
///     match error.code() {
///         Some("FEATURE_NOT_ACCESSIBLE") => Some(ErrorCode::Forbidden),
///         _ => graphql::classify(error),
///     }
/// }
///
/// fn viewer(ctx: &Context) -> Result<Value> {
///     LINEAR.query(ctx, "query { viewer { id } }", json!({}))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Graphql {
    endpoint: &'static str,
    path: &'static str,
    classify: fn(&GraphqlError) -> Option<ErrorCode>,
    retry_after: fn(&Response) -> Option<Duration>,
}

impl Graphql {
    /// An API at a path below a declared endpoint.
    pub const fn new(endpoint: &'static str, path: &'static str) -> Self {
        Self {
            endpoint,
            path,
            classify,
            retry_after: Response::retry_after,
        }
    }

    /// Replaces the classifier of errors, [`graphql::classify`](classify()). `None` leaves the
    /// decision to the status, and to `upstream` when that says nothing either.
    #[must_use]
    pub const fn classify(mut self, classify: fn(&GraphqlError) -> Option<ErrorCode>) -> Self {
        self.classify = classify;
        self
    }

    /// Replaces what reads the time to wait from a rate-limited answer; `Retry-After` is the
    /// default.
    #[must_use]
    pub const fn retry_after(mut self, retry_after: fn(&Response) -> Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// Runs a query: an operation that changes nothing, so that failures may be retryable.
    ///
    /// **Errors**: those of the request, of the status, of the answer's `errors`; `upstream` when
    /// the answer has no data or data that is not a `T`.
    pub fn query<T>(&self, ctx: &Context, document: &str, variables: impl Serialize) -> Result<T>
    where
        T: DeserializeOwned,
    {
        self.read(&self.send(ctx, document, variables, true)?)
    }

    /// Runs a mutation. Its failures are retryable only where it is certain that nothing happened.
    ///
    /// **Errors**: as for [`query`](Graphql::query).
    pub fn mutate<T>(&self, ctx: &Context, document: &str, variables: impl Serialize) -> Result<T>
    where
        T: DeserializeOwned,
    {
        self.read(&self.send(ctx, document, variables, false)?)
    }

    fn send(
        &self,
        ctx: &Context,
        document: &str,
        variables: impl Serialize,
        read_only: bool,
    ) -> Result<Response> {
        let request = ctx.http(self.endpoint).post(self.path).json(&Operation {
            query: document,
            variables,
        });
        let request = if read_only {
            request.read_only()
        } else {
            request
        };
        Ok(request.send()?)
    }

    /// Errors first: data that stands beside them may lack what `T` needs.
    fn read<T: DeserializeOwned>(&self, response: &Response) -> Result<T> {
        let refusals = response
            .json::<Envelope<IgnoredAny>>()
            .map(|envelope| envelope.errors);
        match refusals {
            Ok(Some(errors)) if !errors.is_empty() => Err(self.refusal(&errors, response)),
            _ if !response.is_success() => Err(self.with_wait(response.error(), response)),
            Err(garbage) => Err(garbage.retryable(response.read_only())),
            Ok(_) => response
                .json::<Envelope<T>>()?
                .data
                .ok_or_else(|| response.incomprehensible("there is neither data nor an error")),
        }
    }

    fn refusal(&self, errors: &[GraphqlError], response: &Response) -> Error {
        let code = self.code(errors, response);
        let error = Error::new(code, error::message(response.service(), errors));
        match code {
            ErrorCode::RateLimited => self.with_wait(error, response),
            ErrorCode::Upstream => {
                error.retryable(response.status() >= 500 && response.read_only())
            }
            ErrorCode::Timeout => error.retryable(response.read_only()),
            _ => error,
        }
    }

    /// A refused credential and a rate limit say so in the status too; otherwise the first error
    /// that can be classified decides.
    fn code(&self, errors: &[GraphqlError], response: &Response) -> ErrorCode {
        match response.status() {
            401 => ErrorCode::Unauthorized,
            429 => ErrorCode::RateLimited,
            _ => errors.iter().find_map(self.classify).unwrap_or_else(|| {
                if response.is_success() {
                    ErrorCode::Upstream
                } else {
                    response.error().code()
                }
            }),
        }
    }

    fn with_wait(&self, error: Error, response: &Response) -> Error {
        match (error.code(), (self.retry_after)(response)) {
            (ErrorCode::RateLimited, Some(wait)) => error.retry_after(wait),
            _ => error,
        }
    }
}

#[derive(Serialize)]
struct Operation<'a, V> {
    query: &'a str,
    variables: V,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: Option<T>,
    errors: Option<Vec<GraphqlError>>,
}

#[cfg(test)]
mod tests;
