//! The one HTTP client of the command line.
//!
//! It talks to one origin. Redirects are not followed and no proxy is asked, so
//! a key or token never reaches anybody but the gateway that was named.

use std::time::Duration;

use portcullis_core::signature::Signature;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, redirect, retry};
use serde_json::Value;
use url::Url;

use super::console::{Console, variables};
use super::exit::Exit;
use super::failure::Failure;
use crate::config::Secret;

/// Where `portcullis serve` listens by default.
const DEFAULT_URL: &str = "http://127.0.0.1:8480";

/// A gateway nearby accepts at once; one far away takes a second or two.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest that an action may run by configuration, and some.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(11);

/// Bytes of an answer. Catalogs have some hundred KB, results 10 KB.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// What proves who is asking.
pub(super) struct Credential {
    /// The key or token.
    pub(super) secret: Secret,
    /// The variable it came from, which errors name.
    pub(super) variable: &'static str,
}

/// A gateway, and who asks it.
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    credential: Credential,
}

/// What the gateway answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// The document; a string where the answer is text, null where it is empty.
    pub(super) body: Value,
    /// Seconds after which to ask again.
    pub(super) retry_after: Option<u64>,
    variable: &'static str,
}

impl Client {
    /// A client of the gateway that `--url` or the environment names.
    pub(super) fn new(
        console: &Console,
        url: Option<&str>,
        credential: Credential,
    ) -> Result<Self, Failure> {
        let url = url
            .or_else(|| console.variable(variables::URL))
            .unwrap_or(DEFAULT_URL);
        Ok(Self {
            http: http_client(&credential)?,
            base: parse_base(url)?,
            credential,
        })
    }

    /// GET, and the document of a success.
    pub(super) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<Value, Failure> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.exchange(self.http.get(url)).await?.success()
    }

    /// POST, and the document of a success.
    pub(super) async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        let body = body.to_string();
        self.send(Method::POST, path, body, None).await?.success()
    }

    /// PUT, and the document of a success.
    pub(super) async fn put(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        let body = body.to_string();
        self.send(Method::PUT, path, body, None).await?.success()
    }

    /// DELETE.
    pub(super) async fn delete(&self, path: &[&str]) -> Result<(), Failure> {
        let request = self.http.delete(self.url(path)?);
        self.exchange(request).await?.success().map(drop)
    }

    /// DELETE with a query.
    pub(super) async fn delete_with(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<(), Failure> {
        let mut url = self.url(path)?;
        url.query_pairs_mut().extend_pairs(query);
        let request = self.http.delete(url);
        self.exchange(request).await?.success().map(drop)
    }

    /// POST of a component with its signatures, and whatever is answered.
    pub(super) async fn upload(
        &self,
        path: &[&str],
        component: Vec<u8>,
        signatures: &[Signature],
    ) -> Result<Reply, Failure> {
        let mut request = self
            .http
            .post(self.url(path)?)
            .header(CONTENT_TYPE, "application/wasm")
            .body(component);
        for signature in signatures {
            request = request.header("portcullis-signature", signature.to_string());
        }
        self.exchange(request).await
    }

    /// POST of a body that is JSON already, and whatever is answered.
    pub(super) async fn invoke(
        &self,
        path: &[&str],
        body: String,
        idempotency_key: Option<&str>,
    ) -> Result<Reply, Failure> {
        self.send(Method::POST, path, body, idempotency_key).await
    }

    async fn send(
        &self,
        method: Method,
        path: &[&str],
        body: String,
        idempotency_key: Option<&str>,
    ) -> Result<Reply, Failure> {
        let mut request = self
            .http
            .request(method, self.url(path)?)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        self.exchange(request).await
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<Reply, Failure> {
        let response = request.send().await.map_err(|error| self.broken(error))?;
        if response.status().is_redirection() {
            return Err(Failure::other(format!(
                "{} answers with a redirect, which is not followed: the key or token is for \
                 this gateway alone",
                self.base
            ))
            .hint("set PORTCULLIS_URL or --url to where the gateway really is"));
        }
        let status = response.status().as_u16();
        let retry_after = seconds(response.headers());
        let bytes = self.read(response).await?;
        Ok(Reply {
            status,
            body: document(&bytes),
            retry_after,
            variable: self.credential.variable,
        })
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(error))? {
            if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(Failure::other(format!(
                    "{} answers with more than {MAX_ANSWER_BYTES} bytes",
                    self.base
                )));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// The address of a path, of which each segment is encoded.
    fn url(&self, path: &[&str]) -> Result<Url, Failure> {
        let mut url = self.base.clone();
        // Dots would climb, and an empty segment would name another route.
        if let Some(segment) = path.iter().find(|s| matches!(**s, "" | "." | "..")) {
            return Err(Failure::usage(format!("{segment:?} names nothing")));
        }
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        Ok(url)
    }

    /// No answer, or not all of it.
    fn broken(&self, error: reqwest::Error) -> Failure {
        let is_connect = error.is_connect();
        let is_timeout = error.is_timeout();
        let cause = root_cause(&error.without_url());
        let failure = |code: &str, message: String| Failure::new(Exit::Other, code, message);
        if is_connect {
            return failure(
                "unreachable",
                format!("cannot reach {}: {cause}", self.base),
            )
            .hint(match self.base.scheme() {
                "https" => {
                    "is the gateway running, and behind something that speaks TLS? It speaks \
                     plain HTTP itself; PORTCULLIS_URL or --url says where it is"
                }
                _ => {
                    "is the gateway running? `portcullis serve` starts one; \
                     PORTCULLIS_URL or --url says where it is"
                }
            });
        }
        if is_timeout {
            return failure("timeout", format!("{} does not answer in time", self.base));
        }
        failure(
            "broken",
            format!("the answer of {} broke off: {cause}", self.base),
        )
    }
}

impl Reply {
    /// The document of a success, else why it is none.
    pub(super) fn success(self) -> Result<Value, Failure> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        Err(self.failure(Exit::of_status(self.status)))
    }

    /// The error of an answer that has one, with what to do about it.
    pub(super) fn failure(&self, exit: Exit) -> Failure {
        let Some(error) = self.body.get("error") else {
            return Failure::other(format!(
                "the answer is {} without an error of a gateway",
                self.status
            ))
            .hint("is this address really a Portcullis gateway? See PORTCULLIS_URL and --url");
        };
        let failure = Failure::answered(exit, error);
        match self.advice(failure.code()) {
            Some(advice) => failure.hint(advice),
            None => failure,
        }
    }

    fn advice(&self, code: &str) -> Option<String> {
        let variable = self.variable;
        Some(match (self.status, code) {
            (401, "token_expired") => format!(
                "put a new token into {variable}; an operator makes one with \
                 `portcullis token sandbox` or `portcullis token user`"
            ),
            (401, _) => format!(
                "{variable} holds no key or token of this gateway; check it, and \
                 PORTCULLIS_URL or --url"
            ),
            (403, "forbidden") => format!(
                "this was asked with {variable}; agents use the token of their session, people \
                 a user token, operators {}",
                variables::OPERATOR_KEY
            ),
            (404, "not_found") => "check the id, and that it belongs to this organization or \
                 session; the `list` commands show what there is"
                .to_owned(),
            (404, "unknown_source") | (422, "unknown_action") => {
                "`portcullis actions list` shows what there is".to_owned()
            }
            (400, "invalid_params") => "`portcullis actions list --json` shows the schema of \
                 every action's params"
                .to_owned(),
            (409, "session_closed") => "`portcullis session create` opens a new one".to_owned(),
            (429 | 503, _) => match self.retry_after {
                Some(seconds) => format!("try again in {seconds} s"),
                None => "try again in a while".to_owned(),
            },
            _ => return None,
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line is a client of the gateway, to which the egress rules of plugins \
              do not apply"
)]
fn http_client(credential: &Credential) -> Result<reqwest::Client, Failure> {
    // The error says that a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let bearer = format!("Bearer {}", credential.secret.expose());
    let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| {
        Failure::usage(format!(
            "{} holds characters that no key or token has",
            credential.variable
        ))
    })?;
    bearer.set_sensitive(true);
    reqwest::Client::builder()
        .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([(AUTHORIZATION, bearer)]))
        .redirect(redirect::Policy::none())
        // What is sent twice is done twice.
        .retry(retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(ANSWER_TIMEOUT)
        .build()
        .map_err(|error| {
            Failure::other(format!(
                "the HTTP client cannot be set up: {}",
                root_cause(&error)
            ))
        })
}

/// An address that is nothing but a place.
fn parse_base(text: &str) -> Result<Url, Failure> {
    const SCHEMES: &str = "must begin with http:// or https://";
    let refuse = |rule: &str| {
        Failure::usage(format!("the gateway's URL {rule}")).hint(format!(
            "set PORTCULLIS_URL or --url, for example to {DEFAULT_URL}"
        ))
    };
    let url: Url = text.parse().map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => refuse(SCHEMES),
        error => refuse(&format!("cannot be read: {error}")),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse(SCHEMES));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("must not hold a user or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("must not have a query or a fragment"));
    }
    Ok(url)
}

fn seconds(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()
}

fn document(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(bytes).into_owned()))
}

/// The innermost cause, which is the one that tells something.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str) -> Client {
        let credential = Credential {
            secret: Secret::new("token".to_owned()),
            variable: variables::TOKEN,
        };
        Client {
            http: http_client(&credential).unwrap(),
            base: parse_base(url).unwrap(),
            credential,
        }
    }

    #[test]
    fn a_path_cannot_leave_its_place() {
        let client = client("https://gateway.example/below/");
        let url = client.url(&["v1", "orgs", "a/b?c#d", "members"]).unwrap();
        assert_eq!(
            url.as_str(),
            "https://gateway.example/below/v1/orgs/a%2Fb%3Fc%23d/members"
        );
        for bad in ["", ".", ".."] {
            assert!(client.url(&["v1", bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_url_is_a_place_and_nothing_else() {
        for bad in [
            "",
            "gateway:8480",
            "ftp://gateway",
            "http://user@gateway",
            "http://:secret@gateway",
            "http://gateway/?token=secret",
            "http://gateway/#x",
        ] {
            let failure = parse_base(bad).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage, "{bad}");
            assert!(!failure.text().contains("secret"), "{}", failure.text());
        }
        for without_scheme in ["gateway:8480", "127.0.0.1:8480"] {
            let told = parse_base(without_scheme).unwrap_err().text();
            assert!(told.contains("must begin with http://"), "{told}");
        }
    }

    #[test]
    fn a_credential_that_is_no_header_is_refused_without_being_shown() {
        let credential = Credential {
            secret: Secret::new("canary\nx".to_owned()),
            variable: variables::TOKEN,
        };
        let failure = http_client(&credential).unwrap_err().text();
        assert!(failure.contains("PORTCULLIS_TOKEN"), "{failure}");
        assert!(!failure.contains("canary"), "{failure}");
    }
}
