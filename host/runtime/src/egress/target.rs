//! From an endpoint and a path to the URL.

use std::collections::HashSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use portcullis_core::invocation::BaseUrls;
use portcullis_core::plugin::Endpoint;
use url::Url;

use super::address::check_literal_host;
use super::limits::EgressLimits;
use super::message::{Denial, HttpError, HttpErrorKind};
use super::origin::Origin;

/// Everything but the unreserved characters of RFC 3986. A space becomes `%20`:
/// not every server reads `+` as one.
const QUERY_ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Where an endpoint's requests go in this call.
#[derive(Debug)]
pub(super) struct Base<'a> {
    url: &'a Url,
    origin: Origin,
    /// The connection's base, which the guest must not learn.
    overridden: bool,
    /// An operator allowed the origin, wherever it is.
    granted: bool,
}

impl<'a> Base<'a> {
    /// The connection's base for the endpoint, or else the endpoint's own.
    pub(super) fn of(
        endpoint: &'a Endpoint,
        base_urls: &'a BaseUrls,
        granted: &HashSet<Origin>,
    ) -> Result<Self, HttpError> {
        let replacement = base_urls.get(&endpoint.name);
        let url = replacement.unwrap_or(&endpoint.base_url);
        let origin = Origin::of(url).filter(|_| is_plain(url)).ok_or_else(|| {
            HttpError::denied(
                Denial::BaseUrl,
                format!(
                    "the base URL of endpoint `{}` is not http(s)://host[:port][/path]",
                    endpoint.name
                ),
            )
        })?;
        Ok(Self {
            url,
            granted: granted.contains(&origin),
            origin,
            overridden: replacement.is_some(),
        })
    }

    /// Refuses what only an operator's grant opens: plain HTTP, and hosts
    /// written as addresses that are not globally routable.
    pub(super) fn check(&self, endpoint: &Endpoint) -> Result<(), HttpError> {
        if self.granted {
            return Ok(());
        }
        if self.url.scheme() != "https" {
            return Err(HttpError::denied(
                Denial::PlainHttp,
                format!(
                    "endpoint `{}` does not use https; {}",
                    endpoint.name,
                    self.grant_hint()
                ),
            ));
        }
        check_literal_host(self.url).map_err(|_| self.not_routable(endpoint))
    }

    /// The refusal of a host that is, or resolves to, a refused address.
    pub(super) fn not_routable(&self, endpoint: &Endpoint) -> HttpError {
        HttpError::denied(
            Denial::Address,
            format!(
                "the host of endpoint `{}` resolves to an address that is not globally routable; {}",
                endpoint.name,
                self.grant_hint()
            ),
        )
    }

    /// True when the operator's word replaces the check of addresses.
    pub(super) fn is_granted(&self) -> bool {
        self.granted
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The base with a checked path and a query below it.
    pub(super) fn join(&self, path: &str, query: Option<&str>) -> Result<Url, HttpError> {
        let full = format!("{}{path}", self.url.path().trim_end_matches('/'));
        let mut url = self.url.clone();
        url.set_path(&full);
        // The path was checked as text; were the parser to read it otherwise,
        // the check would be about another path.
        if url.path() != full {
            return Err(HttpError::unsent(
                HttpErrorKind::InvalidRequest,
                "the path is not in normal form",
            ));
        }
        url.set_query(query);
        Ok(url)
    }

    fn grant_hint(&self) -> String {
        let origin = if self.overridden {
            "<origin of the connection's base URL>"
        } else {
            self.origin.as_str()
        };
        format!(
            "an operator can allow the origin with POST /v1/egress-grants {{\"origin\":\"{origin}\"}}"
        )
    }
}

/// Encodes parameters; `None` when there are none. `TooLarge` over the limit.
pub(super) fn encode_query(
    query: &[(String, String)],
    limits: &EgressLimits,
) -> Result<Option<String>, HttpError> {
    let mut text = String::new();
    for (name, value) in query {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend(utf8_percent_encode(name, QUERY_ENCODED));
        text.push('=');
        text.extend(utf8_percent_encode(value, QUERY_ENCODED));
        if text.len() > limits.max_query_bytes {
            return Err(HttpError::unsent(
                HttpErrorKind::TooLarge,
                format!(
                    "a query has at most {} bytes (egress.max_query_bytes)",
                    limits.max_query_bytes
                ),
            ));
        }
    }
    Ok((!text.is_empty()).then_some(text))
}

fn is_plain(url: &Url) -> bool {
    url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(base: &str) -> Endpoint {
        Endpoint {
            name: "api".to_owned(),
            base_url: Url::parse(base).unwrap(),
            routes: Vec::new(),
            credentials: Vec::new(),
        }
    }

    fn overriding(base: &str) -> BaseUrls {
        BaseUrls::from([("api".to_owned(), Url::parse(base).unwrap())])
    }

    fn pairs(query: &[(&str, &str)]) -> Vec<(String, String)> {
        query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_path_of_the_base_is_kept() {
        for (base, path, expected) in [
            ("https://sentry.io", "/x", "https://sentry.io/x"),
            ("https://sentry.io/", "/", "https://sentry.io/"),
            (
                "https://sentry.io/api/0",
                "/a/",
                "https://sentry.io/api/0/a/",
            ),
            (
                "https://sentry.io/api/0/",
                "/a",
                "https://sentry.io/api/0/a",
            ),
            (
                "https://sentry.io:8443/api",
                "/a%20b",
                "https://sentry.io:8443/api/a%20b",
            ),
        ] {
            let endpoint = endpoint(base);
            let (base_urls, granted) = (BaseUrls::new(), HashSet::new());
            let base = Base::of(&endpoint, &base_urls, &granted).unwrap();
            assert_eq!(base.join(path, None).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn a_connections_base_replaces_the_endpoints() {
        let endpoint = endpoint("https://sentry.io/api/0");
        let base_urls = overriding("https://sentry.example.com/self/api/0");
        let granted = HashSet::new();
        let base = Base::of(&endpoint, &base_urls, &granted).unwrap();
        assert_eq!(
            base.join("/a", Some("b=c")).unwrap().as_str(),
            "https://sentry.example.com/self/api/0/a?b=c"
        );
    }

    #[test]
    fn a_base_with_more_than_host_and_path_is_denied() {
        let endpoint = endpoint("https://sentry.io");
        for base in [
            "https://user@sentry.io",
            "https://user:pass@sentry.io",
            "https://sentry.io?x=y",
            "https://sentry.io#x",
            "ftp://sentry.io",
            "file:///etc/passwd",
        ] {
            let base_urls = overriding(base);
            let error = Base::of(&endpoint, &base_urls, &HashSet::new()).unwrap_err();
            assert_eq!(error.kind, HttpErrorKind::Denied, "{base}");
        }
    }

    #[test]
    fn only_a_grant_opens_plain_http_and_private_addresses() {
        for base in [
            "http://sentry.io",
            "https://127.0.0.1",
            "https://[::1]:8443",
        ] {
            let endpoint = endpoint(base);
            let base_urls = BaseUrls::new();
            let error = Base::of(&endpoint, &base_urls, &HashSet::new())
                .unwrap()
                .check(&endpoint)
                .unwrap_err();
            assert_eq!(error.kind, HttpErrorKind::Denied, "{base}");
            assert!(error.message.contains(base), "{}", error.message);

            let granted = HashSet::from([base.parse().unwrap()]);
            let base = Base::of(&endpoint, &base_urls, &granted).unwrap();
            assert_eq!(base.check(&endpoint), Ok(()));
        }
    }

    #[test]
    fn a_grant_is_for_one_origin() {
        let endpoint = endpoint("http://127.0.0.1:9101");
        let base_urls = BaseUrls::new();
        for other in [
            "http://127.0.0.1:9102",
            "https://127.0.0.1:9101",
            "http://127.0.0.2:9101",
            "http://127.0.0.1",
        ] {
            let granted = HashSet::from([other.parse().unwrap()]);
            let base = Base::of(&endpoint, &base_urls, &granted).unwrap();
            assert!(base.check(&endpoint).is_err(), "{other}");
        }
    }

    #[test]
    fn the_guest_does_not_learn_a_connections_host() {
        let endpoint = endpoint("https://sentry.io");
        for base in ["http://sentry.corp.example", "https://10.1.2.3"] {
            let base_urls = overriding(base);
            let granted = HashSet::new();
            let base = Base::of(&endpoint, &base_urls, &granted).unwrap();
            let message = base.check(&endpoint).unwrap_err().message;
            assert!(
                !message.contains("corp") && !message.contains("10."),
                "{message}"
            );
        }
    }

    #[test]
    fn queries_are_encoded() {
        let limits = EgressLimits::default();
        let query = pairs(&[("q", "is:open a&b=c#d"), ("é", "+%"), ("e", "")]);
        assert_eq!(
            encode_query(&query, &limits).unwrap().as_deref(),
            Some("q=is%3Aopen%20a%26b%3Dc%23d&%C3%A9=%2B%25&e=")
        );
        assert_eq!(encode_query(&[], &limits), Ok(None));
    }

    #[test]
    fn a_query_over_the_limit_is_too_large() {
        let limits = EgressLimits {
            max_query_bytes: 5,
            ..EgressLimits::default()
        };
        assert!(encode_query(&pairs(&[("a", "123")]), &limits).is_ok());
        let error = encode_query(&pairs(&[("a", "1234")]), &limits).unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::TooLarge);
    }
}
