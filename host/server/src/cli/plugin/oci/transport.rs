//! Requests to registries: where they may go, and how much may come back.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Client, Response, redirect, retry};
use url::{Host, Url};

use super::super::super::exit::Exit;
use super::super::super::failure::Failure;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Between two parts of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// For one request and what is answered: the largest component on a slow line.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(10);

/// Registries send clients on to where their content lies.
const MAX_REDIRECTS: usize = 4;

/// What a registry answered.
pub(super) struct Answer {
    pub(super) status: u16,
    /// What it asks for, each as it stands.
    pub(super) challenges: Vec<String>,
    pub(super) body: Vec<u8>,
}

/// A client for registries.
pub(super) struct Transport {
    http: Client,
    plain_http: bool,
}

/// One GET.
pub(super) struct Get<'a> {
    pub(super) url: Url,
    pub(super) accept: &'a str,
    /// For this origin alone: a redirect to another one does not take it along.
    pub(super) authorization: Option<&'a str>,
    /// Bytes that the answer may have.
    pub(super) limit: usize,
}

impl Transport {
    /// `plain_http`: registries on this machine are asked without TLS.
    #[expect(
        clippy::disallowed_methods,
        reason = "what the operator pulls is not subject to the egress rules of plugins"
    )]
    pub(super) fn new(plain_http: bool) -> Result<Self, Failure> {
        // The error says that a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
            // Followed here, where each step is checked.
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .build()
            .map_err(|error| Failure::other(format!("no HTTP client can be made: {error}")))?;
        Ok(Self { http, plain_http })
    }

    /// The scheme that registries are asked with.
    pub(super) const fn scheme(&self) -> &'static str {
        if self.plain_http { "http" } else { "https" }
    }

    /// Refuses addresses that nothing may be asked of.
    pub(super) fn check(&self, url: &Url) -> Result<(), Failure> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("an address with a user name in it"));
        }
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.plain_http && is_loopback(url) => Ok(()),
            "http" if self.plain_http => Err(refused(&format!(
                "{} is not this machine, and --plain-http is for registries on it",
                url.host_str().unwrap_or_default()
            ))),
            _ => Err(refused(&format!("{} is no https", origin(url)))),
        }
    }

    /// Asks, follows redirects, and reads what is answered.
    pub(super) async fn get(&self, get: Get<'_>) -> Result<Answer, Failure> {
        let mut url = get.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            self.check(&url)?;
            let response = self.send(&url, &get).await?;
            let Some(next) = redirection(&url, &response)? else {
                return read(response, &url, get.limit).await;
            };
            url = next;
        }
        Err(refused(&format!(
            "{} redirects more than {MAX_REDIRECTS} times",
            origin(&get.url)
        )))
    }

    async fn send(&self, url: &Url, get: &Get<'_>) -> Result<Response, Failure> {
        let mut request = self.http.get(url.clone()).header(ACCEPT, get.accept);
        let authorization = get.authorization;
        if let Some(value) = authorization.filter(|_| url.origin() == get.url.origin()) {
            let value = HeaderValue::from_str(value);
            let mut value =
                value.map_err(|_| refused("a token with characters that no header has"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.send().await.map_err(|error| broken(url, error))
    }
}

/// Where the answer sends us, if it does.
fn redirection(url: &Url, response: &Response) -> Result<Option<Url>, Failure> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION);
    let location = location.and_then(|value| value.to_str().ok());
    let next = location.and_then(|location| url.join(location).ok());
    next.map(Some)
        .ok_or_else(|| refused(&format!("{} redirects to nowhere", origin(url))))
}

async fn read(mut response: Response, url: &Url, limit: usize) -> Result<Answer, Failure> {
    let challenges = response.headers().get_all(WWW_AUTHENTICATE).iter();
    let challenges = challenges
        .filter_map(|value| value.to_str().ok().map(str::to_owned))
        .collect();
    let mut answer = Answer {
        status: response.status().as_u16(),
        challenges,
        body: Vec::new(),
    };
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(url, error))? {
        if answer.body.len() + chunk.len() > limit {
            return Err(refused(&format!(
                "{} answers with more than the {limit} bytes that it may have",
                origin(url)
            )));
        }
        answer.body.extend_from_slice(&chunk);
    }
    Ok(answer)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// As much of an address as may be shown: paths and queries of redirects are
/// signed, and so are secrets.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

pub(super) fn refused(reason: &str) -> Failure {
    Failure::new(Exit::Other, "registry", format!("the registry: {reason}"))
}

fn broken(url: &Url, error: reqwest::Error) -> Failure {
    let (is_connect, is_timeout) = (error.is_connect(), error.is_timeout());
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let (origin, code) = (
        origin(url),
        if is_connect { "unreachable" } else { "broken" },
    );
    let message = if is_timeout {
        format!("{origin} does not answer in time")
    } else if is_connect {
        format!("cannot reach {origin}: {cause}")
    } else {
        format!("the answer of {origin} broke off: {cause}")
    };
    Failure::new(Exit::Other, code, message)
}
