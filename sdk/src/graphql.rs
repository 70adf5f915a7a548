//! GraphQL upstreams: one POST, an answer or a typed error.
//!
//! What makes GraphQL different from REST here: errors arrive with status 200, rate limits with
//! status 400, and an answer may hold data *and* errors. Partial data is an error: an agent that
//! was given half of what it asked for without being told would draw wrong conclusions.

mod classify;
mod error;

use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

pub use self::{classify::classify, error::GraphqlError};
use crate::{
    context::Context,
    error::{Error, ErrorCode, Result},
    http::{AskedWait, Busy, Request, Response},
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
    retry_after: AskedWait,
    retried: bool,
}

impl Graphql {
    /// An API at a path below a declared endpoint.
    pub const fn new(endpoint: &'static str, path: &'static str) -> Self {
        Self {
            endpoint,
            path,
            classify,
            retry_after: Response::retry_after,
            retried: true,
        }
    }

    /// Replaces the classifier of errors, [`graphql::classify`](classify()). `None` leaves the
    /// decision to the status, and to `upstream` when that says nothing either.
    #[must_use]
    pub const fn classify(mut self, classify: fn(&GraphqlError) -> Option<ErrorCode>) -> Self {
        self.classify = classify;
        self
    }

    /// Replaces what reads the time to wait from an answer; `Retry-After` is the default.
    #[must_use]
    pub const fn retry_after(mut self, retry_after: AskedWait) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// Sends queries once, also those that are asked to come back later.
    #[must_use]
    pub const fn no_retry(mut self) -> Self {
        self.retried = false;
        self
    }

    /// Runs a query: an operation that changes nothing, so that failures may be retryable.
    ///
    /// It is sent again as other reads are (see [`http`](crate::http)), also when the errors are
    /// those of a rate limit, whatever the status.
    ///
    /// **Errors**: those of the request, of the status, of the answer's `errors`; `upstream` when
    /// the answer has no data or data that is not a `T`.
    pub fn query<T>(&self, ctx: &Context, document: &str, variables: impl Serialize) -> Result<T>
    where
        T: DeserializeOwned,
    {
        self.read(&self.send(self.request(ctx, document, variables).read_only())?)
    }

    /// Runs a mutation. Its failures are retryable only where it is certain that nothing happened.
    ///
    /// Errors of a failing upstream, and errors beside data, say that it may have happened.
    ///
    /// **Errors**: as for [`query`](Graphql::query).
    pub fn mutate<T>(&self, ctx: &Context, document: &str, variables: impl Serialize) -> Result<T>
    where
        T: DeserializeOwned,
    {
        self.read(&self.send(self.request(ctx, document, variables))?)
    }

    fn request<'c>(
        &self,
        ctx: &'c Context,
        document: &str,
        variables: impl Serialize,
    ) -> Request<'c> {
        let operation = Operation {
            query: document,
            variables,
        };
        let request = ctx.http(self.endpoint).post(self.path).json(&operation);
        let request = request.retry_after(self.retry_after);
        if self.retried {
            request
        } else {
            request.no_retry()
        }
    }

    fn send(&self, request: Request<'_>) -> Result<Answer> {
        Ok(request.send_and(Answer::from, |answer| self.busy(answer))?)
    }

    fn busy(&self, answer: &Answer) -> Option<Busy> {
        let limited = || {
            let code = self.code(answer.refusals()?, &answer.response);
            (code == ErrorCode::RateLimited).then(|| Busy::told_by(&answer.response))
        };
        Busy::by_status(&answer.response).or_else(limited)
    }

    /// Errors first: data that stands beside them may lack what `T` needs.
    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T> {
        let response = &answer.response;
        if let Some(errors) = answer.refusals() {
            return Err(self.refusal(errors, answer));
        }
        if !response.is_success() {
            return Err(response.error());
        }
        match &answer.errors {
            Err(garbage) => Err(garbage.clone().retryable(response.read_only())),
            Ok(_) => response
                .json::<Envelope<T>>()?
                .data
                .ok_or_else(|| response.incomprehensible("there is neither data nor an error")),
        }
    }

    fn refusal(&self, errors: &[GraphqlError], answer: &Answer) -> Error {
        let response = &answer.response;
        let code = self.code(errors, response);
        let error = Error::new(code, error::message(response.service(), errors));
        let error = match code {
            _ if !response.read_only() && answer.may_have_happened(code) => {
                error.retryable(false).of_unknown_outcome()
            }
            ErrorCode::Upstream => error.retryable(response.status() >= 500),
            ErrorCode::Timeout => error.retryable(true),
            _ => error,
        };
        match code {
            ErrorCode::RateLimited | ErrorCode::Upstream => with_wait(error, response),
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
}

fn with_wait(error: Error, response: &Response) -> Error {
    match response.asked_wait() {
        Some(wait) => error.retry_after(wait),
        None => error,
    }
}

/// A response with the errors it tells, which are read from it once.
struct Answer {
    response: Response,
    /// True when there is data, also beside errors.
    has_data: bool,
    /// `Err`: what came is no answer to an operation.
    errors: Result<Vec<GraphqlError>>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        let envelope = response.json::<Envelope<IgnoredAny>>();
        Self {
            has_data: envelope.as_ref().is_ok_and(|it| it.data.is_some()),
            errors: envelope.map(|envelope| envelope.errors.unwrap_or_default()),
            response,
        }
    }
}

impl Answer {
    /// The errors, if there are any.
    fn refusals(&self) -> Option<&[GraphqlError]> {
        let errors = self.errors.as_deref().ok()?;
        (!errors.is_empty()).then_some(errors)
    }

    /// True when errors of this code leave open whether the operation was carried out: an upstream
    /// that fails may do so after the deed, and whoever sends data got as far as that.
    fn may_have_happened(&self, code: ErrorCode) -> bool {
        let failed = matches!(code, ErrorCode::Upstream | ErrorCode::Timeout);
        failed || self.response.status() >= 500 || self.has_data
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
