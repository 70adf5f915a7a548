//! Outbound HTTP: the only way from a guest to the world.
//!
//! | file | what it decides |
//! | --- | --- |
//! | `path`, `headers` | whether the request means what it says and is declared |
//! | `target`, `origin` | the URL, and what an operator's grant opens |
//! | `address`, `resolver` | which addresses may be connected to |
//! | `client` | that nothing goes out but what was decided |
//! | `credential` | where the credential goes |
//! | `echo` | where it must not turn up |
//! | `verdict` | whether upstreams take it |
//! | `response`, `body`, `failure` | what the guest learns |
//! | `turns` | that large bodies keep nobody from small ones |
//! | `observe` | what metrics and traces learn |
//! | `operator` | the gateway's own requests, which pass none of this |
//! | `limits` | how much |
//! | `fuzzing` | what fuzz targets ask of single rules |
//!
//! A guest names an endpoint; scheme, host, port and credential are the host's.
//! Every request passes all checks in the order of [`CallEgress::send`], and
//! nothing reaches the network before the last of them that needs none.
//!
//! This is the only place where an HTTP client is made. It does not count the
//! requests of a call; that is the sandbox's.

mod address;
mod body;
mod client;
mod credential;
mod echo;
mod failure;
#[doc(hidden)]
pub mod fuzzing;
mod headers;
mod limits;
mod message;
mod observe;
mod operator;
mod origin;
mod path;
mod resolver;
mod response;
mod target;
#[cfg(test)]
mod tests;
mod turns;
mod verdict;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use portcullis_core::invocation::BaseUrls;
use portcullis_core::plugin::{Endpoint, Method};
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

pub use client::{ClientError, EgressClient};
pub use credential::Credential;
pub use limits::EgressLimits;
pub use message::{Denial, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
pub use observe::{EgressObserver, Exchange, ExchangeResult};
pub use operator::{OperatorClient, OperatorRequestError};
pub use origin::{Origin, OriginError};
pub use resolver::{Resolve, SystemResolver};
pub use verdict::CredentialVerdict;

use credential::Attachment;
use echo::Echoes;
use observe::Watched;
use target::Base;
use verdict::CredentialAnswers;

/// What one call may reach, and with which credential. Made for the call and
/// dropped with it.
#[derive(Debug)]
pub struct CallEgress {
    client: EgressClient,
    endpoints: Arc<[Endpoint]>,
    base_urls: BaseUrls,
    granted: HashSet<Origin>,
    credential: Option<Credential>,
    connection_missing: String,
    echoes: Arc<Echoes>,
    answers: CredentialAnswers,
    observer: Option<Arc<dyn EgressObserver>>,
}

impl CallEgress {
    /// Gathers the capabilities of a call.
    ///
    /// - `endpoints`: what the plugin declares; empty: every request is denied.
    /// - `base_urls`: the connection's own, in place of the endpoints'.
    /// - `granted`: origins an operator allowed although they are plain HTTP or
    ///   not globally routable.
    /// - `credential`: of the connection that was resolved for the call.
    /// - `connection_missing`: what a guest reads when an endpoint takes a
    ///   credential and there is none.
    pub fn new(
        client: EgressClient,
        endpoints: Arc<[Endpoint]>,
        base_urls: BaseUrls,
        granted: HashSet<Origin>,
        credential: Option<Credential>,
        connection_missing: impl Into<String>,
    ) -> Self {
        let echoes = credential
            .as_ref()
            .map(|credential| Arc::clone(&credential.echoes))
            .unwrap_or_default();
        Self {
            client,
            endpoints,
            base_urls,
            granted,
            credential,
            connection_missing: connection_missing.into(),
            echoes,
            answers: CredentialAnswers::default(),
            observer: None,
        }
    }

    /// Tells an observer how each request ended.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn EgressObserver>) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// What upstreams thought of the credential so far. `provider_refused`: the
    /// provider reports that an upstream refused it.
    pub fn credential_verdict(&self, provider_refused: bool) -> CredentialVerdict {
        self.answers.verdict(provider_refused)
    }

    /// Sends one request and reads the whole response.
    ///
    /// Ends at `deadline`, or after the request's own timeout if that is
    /// earlier. Redirects are responses like any other. Dropping the future ends
    /// the exchange, and what the upstream has received of it is unknown.
    pub async fn send(
        &self,
        request: HttpRequest,
        deadline: Instant,
    ) -> Result<HttpResponse, HttpError> {
        let endpoint = self.endpoint(&request.endpoint);
        let declared = endpoint.as_ref().ok().copied();
        let watched = Watched::begin(self.observer.as_deref(), declared, request.method);
        let span = watched.span().clone();
        let answer = self
            .attempt(request, endpoint, deadline, &watched)
            .instrument(span)
            .await;
        watched.ended(&answer);
        answer
    }

    async fn attempt(
        &self,
        request: HttpRequest,
        endpoint: Result<&Endpoint, HttpError>,
        deadline: Instant,
        watched: &Watched<'_>,
    ) -> Result<HttpResponse, HttpError> {
        let deadline = earlier(deadline, request.timeout);
        let endpoint = endpoint?;
        let headers = self.check(&request, endpoint, watched)?;
        let base = Base::of(endpoint, &self.base_urls, &self.granted)?;
        base.check(endpoint)?;
        let outgoing = self.compose(request, headers, endpoint, &base)?;
        if deadline <= Instant::now() {
            return Err(HttpError::unsent(HttpErrorKind::Timeout, "no time is left"));
        }
        timeout_at(deadline, self.exchange(outgoing, endpoint, &base))
            .await
            .unwrap_or_else(|_| {
                Err(HttpError::sent(
                    HttpErrorKind::Timeout,
                    format!("endpoint `{}`: no complete response in time", endpoint.name),
                ))
            })
    }

    fn endpoint(&self, name: &str) -> Result<&Endpoint, HttpError> {
        self.endpoints
            .iter()
            .find(|endpoint| endpoint.name == name)
            .ok_or_else(|| {
                let declared: Vec<_> = self.endpoints.iter().map(|e| e.name.as_str()).collect();
                HttpError::denied(
                    Denial::Endpoint,
                    format!(
                        "no endpoint of that name; provider.describe declares [{}]",
                        declared.join(", ")
                    ),
                )
            })
    }

    /// All checks that need the request alone.
    fn check(
        &self,
        request: &HttpRequest,
        endpoint: &Endpoint,
        watched: &Watched<'_>,
    ) -> Result<HeaderMap, HttpError> {
        let limits = self.client.limits();
        path::check_path(&request.path, limits.max_path_bytes)?;
        watched.matched(path::check_route(endpoint, request.method, &request.path)?);
        let headers = headers::guest_headers(&request.headers, endpoint, limits)?;
        let body_bytes = request.body.as_ref().map_or(0, Vec::len);
        if body_bytes > limits.max_request_body_bytes {
            return Err(HttpError::unsent(
                HttpErrorKind::TooLarge,
                format!(
                    "a request's body has at most {} bytes (egress.max_request_body_bytes)",
                    limits.max_request_body_bytes
                ),
            ));
        }
        self.check_echoes(request)?;
        Ok(headers)
    }

    fn check_echoes(&self, request: &HttpRequest) -> Result<(), HttpError> {
        let mut texts = request
            .query
            .iter()
            .chain(&request.headers)
            .flat_map(|(name, value)| [name, value])
            .chain([&request.path]);
        let found = texts.any(|text| self.echoes.are_in(text.as_bytes()))
            || request
                .body
                .as_deref()
                .is_some_and(|body| self.echoes.are_in(body));
        if found {
            return Err(HttpError::denied(
                Denial::Credential,
                "the request contains a credential",
            ));
        }
        Ok(())
    }

    /// Puts together what goes out, the credential included.
    fn compose(
        &self,
        request: HttpRequest,
        mut headers: HeaderMap,
        endpoint: &Endpoint,
        base: &Base<'_>,
    ) -> Result<Outgoing, HttpError> {
        let mut query = request.query;
        let attachment =
            credential::attach(endpoint, self.credential.as_ref(), &self.connection_missing)?;
        let carries_credential = !matches!(attachment, Attachment::Nothing);
        match attachment {
            Attachment::Nothing => {}
            Attachment::Header(name, value) => {
                headers.insert(name, value);
            }
            Attachment::Query(name, secret) => {
                if query.iter().any(|(own, _)| own.eq_ignore_ascii_case(&name)) {
                    return Err(HttpError::unsent(
                        HttpErrorKind::InvalidRequest,
                        format!("parameter `{name}` carries the credential, which the host adds"),
                    ));
                }
                query.push((name, secret.expose_secret().to_owned()));
            }
        }
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let query = target::encode_query(&query, self.client.limits())?;
        let url = base.join(&request.path, query.as_deref())?;
        let mut outgoing = reqwest::Request::new(method(request.method), url);
        *outgoing.headers_mut() = headers;
        *outgoing.body_mut() = request.body.map(reqwest::Body::from);
        Ok(Outgoing {
            request: outgoing,
            carries_credential,
        })
    }

    async fn exchange(
        &self,
        outgoing: Outgoing,
        endpoint: &Endpoint,
        base: &Base<'_>,
    ) -> Result<HttpResponse, HttpError> {
        let method = outgoing.request.method().clone();
        let answer = self
            .client
            .for_origin(base.is_granted())
            .execute(outgoing.request)
            .await;
        let response = answer.map_err(|error| {
            tracing::debug!(
                endpoint.name = endpoint.name,
                origin = base.origin().as_str(),
                %method,
                error = failure::describe(&error),
                "a request got no response"
            );
            failure::classify(&error, base, endpoint)
        })?;
        tracing::debug!(
            endpoint.name = endpoint.name,
            origin = base.origin().as_str(),
            %method,
            status = response.status().as_u16(),
            "a request got a response"
        );
        if outgoing.carries_credential {
            self.answers.note(response.status());
        }
        response::receive(response, &self.echoes, self.client.limits()).await
    }
}

/// A request as it goes out.
struct Outgoing {
    request: reqwest::Request,
    carries_credential: bool,
}

fn earlier(deadline: Instant, timeout: Option<Duration>) -> Instant {
    timeout
        .and_then(|timeout| Instant::now().checked_add(timeout))
        .map_or(deadline, |own| own.min(deadline))
}

fn method(method: Method) -> http::Method {
    match method {
        Method::Get => http::Method::GET,
        Method::Head => http::Method::HEAD,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
}
