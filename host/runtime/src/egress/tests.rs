//! Exchanges over real sockets. What needs no socket is tested in its own file.

mod attacks;
mod upstream;

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;

use async_trait::async_trait;
use flate2::Compression;
use flate2::write::GzEncoder;
use portcullis_core::plugin::{ConnectionType, CredentialForm, CredentialRule, Route};
use url::Url;

use super::*;
use upstream::{Behaviour, Untouched, Upstream};

const SECRET: &str = "lin_api_0123456789abcdef";

/// Answers from a table; a name that is not in it does not exist.
#[derive(Default)]
struct TableResolver(HashMap<&'static str, Vec<IpAddr>>);

#[async_trait]
impl Resolve for TableResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let answer = self.0.get(host).cloned();
        answer.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Never answers.
struct SilentResolver;

#[async_trait]
impl Resolve for SilentResolver {
    async fn resolve(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

/// A call's egress with one endpoint `api` that declares every path.
struct Setup {
    base: String,
    granted: Vec<String>,
    resolver: Arc<dyn Resolve>,
    limits: EgressLimits,
    rules: Vec<CredentialRule>,
    base_urls: BaseUrls,
    secret: &'static str,
}

impl Setup {
    fn new(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            granted: Vec::new(),
            resolver: Arc::new(TableResolver::default()),
            limits: EgressLimits::default(),
            rules: Vec::new(),
            base_urls: BaseUrls::new(),
            secret: SECRET,
        }
    }

    /// The base is granted.
    fn granted(base: impl Into<String>) -> Self {
        let base = base.into();
        Self {
            granted: vec![base.clone()],
            ..Self::new(base)
        }
    }

    fn resolving(mut self, host: &'static str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
        self.resolver = Arc::new(TableResolver(HashMap::from([(host, addresses)])));
        self
    }

    fn credential(mut self, form: CredentialForm) -> Self {
        self.rules = vec![CredentialRule {
            connection: ConnectionType::ApiKey,
            form,
        }];
        self
    }

    fn max_response_body_bytes(mut self, bytes: usize) -> Self {
        self.limits.max_response_body_bytes = bytes;
        self
    }

    fn egress(self) -> CallEgress {
        let routes = [Method::Get, Method::Head, Method::Post]
            .map(|method| Route {
                method,
                path_prefix: "/".to_owned(),
            })
            .to_vec();
        let endpoint = Endpoint {
            name: "api".to_owned(),
            base_url: Url::parse(&self.base).unwrap(),
            routes,
            credentials: self.rules,
        };
        CallEgress::new(
            EgressClient::new(self.limits, self.resolver).unwrap(),
            Arc::new([endpoint]),
            self.base_urls,
            self.granted
                .iter()
                .map(|text| text.parse().unwrap())
                .collect(),
            Some(Credential::new(ConnectionType::ApiKey, self.secret.into())),
            "connect the provider first",
        )
    }

    async fn send(self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.egress().send(request, far()).await
    }

    async fn get(self) -> Result<HttpResponse, HttpError> {
        self.send(get("/x")).await
    }

    async fn failure(self) -> (HttpErrorKind, bool) {
        let error = self.get().await.unwrap_err();
        (error.kind, error.request_sent)
    }
}

fn far() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

fn get(path: &str) -> HttpRequest {
    HttpRequest {
        endpoint: "api".to_owned(),
        method: Method::Get,
        path: path.to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        timeout: None,
    }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_granted_origin_is_reached_and_gets_the_request_as_it_was_made() {
    let mut upstream = Upstream::answering(ok("Content-Type: text/plain\r\n", b"hello")).await;
    let request = HttpRequest {
        method: Method::Post,
        query: vec![pair("q", "a b&c")],
        headers: vec![pair("Content-Type", "text/plain"), pair("X-One", "1")],
        body: Some(b"the body".to_vec()),
        ..get("/graphql/a%20b")
    };
    let response = Setup::granted(upstream.origin())
        .send(request)
        .await
        .unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(response.headers, [pair("content-type", "text/plain")]);
    assert_eq!(response.body, b"hello");

    let received = upstream.request().await;
    let (head, body) = received.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.lines().collect();
    lines[1..].sort_unstable();
    let host = format!("host: 127.0.0.1:{}", upstream.port());
    let agent = format!("user-agent: portcullis/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        lines,
        [
            "POST /graphql/a%20b?q=a%20b%26c HTTP/1.1",
            "accept-encoding: gzip",
            "accept: */*",
            "content-length: 8",
            "content-type: text/plain",
            &host,
            &agent,
            "x-one: 1",
        ]
    );
    assert_eq!(body, "the body");
}

#[tokio::test]
async fn a_granted_name_may_resolve_to_a_private_address() {
    let upstream = Upstream::answering(ok("", b"hello")).await;
    let base = format!("http://internal.test:{}", upstream.port());
    let setup = Setup::granted(base).resolving("internal.test", &["127.0.0.1"]);
    assert_eq!(setup.get().await.unwrap().body, b"hello");
}

#[tokio::test]
async fn what_is_not_granted_is_refused_before_it_is_connected_to() {
    let listener = Untouched::new();
    let port = listener.port();
    for (base, addresses) in [
        (format!("http://127.0.0.1:{port}"), &[][..]),
        (format!("https://127.0.0.1:{port}"), &[]),
        (format!("https://[::ffff:127.0.0.1]:{port}"), &[]),
        (format!("https://2130706433:{port}"), &[]),
        (format!("http://host.test:{port}"), &["1.1.1.1"]),
        (format!("https://host.test:{port}"), &["127.0.0.1"]),
        (format!("https://host.test:{port}"), &["::ffff:127.0.0.1"]),
        (
            format!("https://host.test:{port}"),
            &["127.0.0.1", "1.1.1.1"],
        ),
        (
            format!("https://host.test:{port}"),
            &["1.1.1.1", "127.0.0.1"],
        ),
    ] {
        let setup = Setup::new(base.clone()).resolving("host.test", addresses);
        let error = setup.get().await.unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::Denied, "{base} {addresses:?}");
        assert!(!error.request_sent);
        assert!(
            error.message.contains("POST /v1/egress-grants"),
            "{}",
            error.message
        );
        listener.assert_untouched();
    }
}

#[tokio::test]
async fn a_refusal_shows_neither_the_address_nor_a_connections_host() {
    let listener = Untouched::new();
    let mut setup = Setup::new("https://sentry.io").resolving("sentry.corp.test", &["10.1.2.3"]);
    let base = format!("https://sentry.corp.test:{}", listener.port());
    setup
        .base_urls
        .insert("api".to_owned(), Url::parse(&base).unwrap());
    let error = setup.get().await.unwrap_err();
    assert_eq!(
        error.message,
        "the host of endpoint `api` resolves to an address that is not globally routable; an \
         operator can allow the origin with POST /v1/egress-grants \
         {\"origin\":\"<origin of the connection's base URL>\"}"
    );
}

#[tokio::test]
async fn what_the_guest_may_not_ask_for_is_refused_before_anything_is_connected_to() {
    use HttpErrorKind::{Denied, InvalidRequest, TooLarge};
    let listener = Untouched::new();
    let base = format!("http://127.0.0.1:{}", listener.port());
    let with = |change: fn(&mut HttpRequest)| {
        let mut request = get("/x");
        change(&mut request);
        request
    };
    for (request, kind) in [
        (with(|r| "other".clone_into(&mut r.endpoint)), Denied),
        (with(|r| r.method = Method::Delete), Denied),
        (with(|r| r.path.push_str("/../y")), InvalidRequest),
        (with(|r| r.path = "/x".repeat(2000)), TooLarge),
        (
            with(|r| r.headers.push(pair("host", "evil.test"))),
            InvalidRequest,
        ),
        (
            with(|r| r.query.push(pair("q", &"x".repeat(17 << 10)))),
            TooLarge,
        ),
        (with(|r| r.body = Some(vec![0; (1 << 20) + 1])), TooLarge),
        (with(|r| r.path.push_str(SECRET)), Denied),
        (with(|r| r.query.push(pair("q", SECRET))), Denied),
        (with(|r| r.query.push(pair(SECRET, "q"))), Denied),
        (with(|r| r.headers.push(pair("x-a", SECRET))), Denied),
        (
            with(|r| r.body = Some(format!("a{SECRET}b").into_bytes())),
            Denied,
        ),
    ] {
        let error = Setup::granted(&base)
            .send(request.clone())
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind, error.request_sent),
            (kind, false),
            "{request:?}"
        );
        assert!(!error.message.contains(SECRET), "{}", error.message);
    }
    listener.assert_untouched();
}

#[tokio::test]
async fn an_unknown_endpoint_is_told_which_ones_there_are() {
    let request = HttpRequest {
        endpoint: "other".to_owned(),
        ..get("/x")
    };
    let error = Setup::new("https://sentry.io")
        .send(request)
        .await
        .unwrap_err();
    assert_eq!(
        error.message,
        "no endpoint of that name; provider.describe declares [api]"
    );
}

#[tokio::test]
async fn the_credential_arrives_in_each_form() {
    let header = CredentialForm::Header {
        name: "x-api-key".to_owned(),
        prefix: "key ".to_owned(),
    };
    for (form, expected) in [
        (
            CredentialForm::Bearer,
            format!("\r\nauthorization: Bearer {SECRET}\r\n"),
        ),
        (
            CredentialForm::Raw,
            format!("\r\nauthorization: {SECRET}\r\n"),
        ),
        (header, format!("\r\nx-api-key: key {SECRET}\r\n")),
        (
            CredentialForm::Query("token".to_owned()),
            format!("GET /x?a=b&token={SECRET} HTTP/1.1"),
        ),
    ] {
        let mut upstream = Upstream::answering(ok("", b"")).await;
        let request = HttpRequest {
            query: vec![pair("a", "b")],
            ..get("/x")
        };
        let setup = Setup::granted(upstream.origin()).credential(form.clone());
        setup.send(request).await.unwrap();
        let received = upstream.request().await;
        assert!(received.contains(&expected), "{form:?}: {received}");
        assert_eq!(received.matches(SECRET).count(), 1);
    }
}

#[tokio::test]
async fn without_a_form_no_credential_leaves_the_host() {
    for rules in [vec![], vec![CredentialForm::None]] {
        let mut upstream = Upstream::answering(ok("", b"")).await;
        let mut setup = Setup::granted(upstream.origin());
        for form in rules {
            setup = setup.credential(form);
        }
        setup.get().await.unwrap();
        assert!(!upstream.request().await.contains(SECRET));
    }
}

#[tokio::test]
async fn a_guest_cannot_add_to_the_credential() {
    let listener = Untouched::new();
    let base = format!("http://127.0.0.1:{}", listener.port());
    let setup = Setup::granted(base).credential(CredentialForm::Query("token".to_owned()));
    let request = HttpRequest {
        query: vec![pair("Token", "mine")],
        ..get("/x")
    };
    let error = setup.send(request).await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::InvalidRequest);
    listener.assert_untouched();
}

#[tokio::test]
async fn a_missing_connection_is_told_in_the_callers_words() {
    let listener = Untouched::new();
    let base = format!("http://127.0.0.1:{}", listener.port());
    let mut egress = Setup::granted(base)
        .credential(CredentialForm::Bearer)
        .egress();
    egress.credential = None;
    let error = egress.send(get("/x"), far()).await.unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::ConnectionMissing);
    assert_eq!(error.message, "connect the provider first");
    listener.assert_untouched();
}

#[tokio::test]
async fn echoes_of_the_credential_do_not_reach_the_guest() {
    let body = format!("{{\"authorization\":\"Bearer {SECRET}\"}}");
    let headers = format!("X-Echo: Bearer {SECRET}\r\nX-Other: 1\r\n");
    for answer in [
        ok(&headers, body.as_bytes()),
        ok(
            &format!("{headers}Content-Encoding: gzip\r\n"),
            &gzip(body.as_bytes()),
        ),
    ] {
        let upstream = Upstream::answering(answer).await;
        let setup = Setup::granted(upstream.origin()).credential(CredentialForm::Bearer);
        let response = setup.get().await.unwrap();
        assert_eq!(response.body, b"{\"authorization\":\"Bearer [REDACTED]\"}");
        assert_eq!(response.headers, [pair("x-other", "1")]);
    }
}

#[tokio::test]
async fn cookies_are_neither_shown_nor_kept() {
    let mut upstream = Upstream::answering(ok("Set-Cookie: session=1\r\n", b"")).await;
    let egress = Setup::granted(upstream.origin()).egress();
    for _ in 0..2 {
        let response = egress.send(get("/x"), far()).await.unwrap();
        assert!(
            !response
                .headers
                .iter()
                .any(|(name, _)| name == "set-cookie")
        );
        assert!(!upstream.request().await.to_lowercase().contains("cookie"));
    }
}

#[tokio::test]
async fn a_redirect_is_a_response_and_is_not_followed() {
    let listener = Untouched::new();
    let location = format!("http://127.0.0.1:{}/stolen", listener.port());
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let upstream = Upstream::answering(answer).await;
    let mut setup = Setup::granted(upstream.origin()).credential(CredentialForm::Bearer);
    setup
        .granted
        .push(format!("http://127.0.0.1:{}", listener.port()));
    let response = setup.get().await.unwrap();
    assert_eq!(response.status, 302);
    assert!(response.headers.contains(&pair("location", &location)));
    listener.assert_untouched();
}

#[tokio::test]
async fn gzip_is_decoded() {
    let upstream = Upstream::answering(ok("Content-Encoding: gzip\r\n", &gzip(b"hello"))).await;
    let response = Setup::granted(upstream.origin()).get().await.unwrap();
    assert_eq!(response.body, b"hello");
    assert_eq!(response.headers, []);
}

#[tokio::test]
async fn a_response_to_head_has_headers_only() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 20\r\ncontent-encoding: gzip\r\n\r\n";
    let upstream = Upstream::answering(answer).await;
    let request = HttpRequest {
        method: Method::Head,
        ..get("/x")
    };
    let response = Setup::granted(upstream.origin())
        .send(request)
        .await
        .unwrap();
    assert_eq!(response.body, b"");
    assert!(response.headers.contains(&pair("content-length", "20")));
}

#[tokio::test]
async fn a_small_archive_cannot_grow_over_the_limit() {
    let bomb = gzip(&vec![0; 1 << 20]);
    assert!(bomb.len() < 10_000);
    let upstream = Upstream::answering(ok("Content-Encoding: gzip\r\n", &bomb)).await;
    let setup = Setup::granted(upstream.origin()).max_response_body_bytes(10_000);
    assert_eq!(setup.failure().await, (HttpErrorKind::TooLarge, true));
}

#[tokio::test]
async fn a_body_without_end_is_too_large() {
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n".to_vec();
    for head in [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), chunked] {
        let upstream = Upstream::start(Behaviour::Endless(head)).await;
        let setup = Setup::granted(upstream.origin()).max_response_body_bytes(10_000);
        assert_eq!(setup.failure().await, (HttpErrorKind::TooLarge, true));
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_passes() {
    let upstream = Upstream::answering(ok("", &[b'x'; 10_000])).await;
    let setup = Setup::granted(upstream.origin()).max_response_body_bytes(10_000);
    assert_eq!(setup.get().await.unwrap().body.len(), 10_000);
    let upstream = Upstream::answering(ok("", &[b'x'; 10_001])).await;
    let setup = Setup::granted(upstream.origin()).max_response_body_bytes(10_000);
    assert_eq!(setup.failure().await, (HttpErrorKind::TooLarge, true));
}

#[tokio::test]
async fn too_many_or_too_long_headers_are_too_large() {
    let many = (0..101).fold(String::new(), |all, i| all + &format!("x-{i}: 1\r\n"));
    let long = format!("x-long: {}\r\n", "x".repeat(70 << 10));
    let endless = format!("x-long: {}\r\n", "x".repeat(1 << 20));
    for headers in [many, long, endless] {
        let upstream = Upstream::answering(ok(&headers, b"")).await;
        let failure = Setup::granted(upstream.origin()).failure().await;
        assert_eq!(failure, (HttpErrorKind::TooLarge, true));
    }
}

#[tokio::test]
async fn answers_that_are_broken_are_protocol_errors() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ncontent-le",
        "220 mail.test ESMTP\r\n",
        "",
    ] {
        let upstream = Upstream::answering(answer).await;
        let failure = Setup::granted(upstream.origin()).failure().await;
        assert_eq!(failure, (HttpErrorKind::Protocol, true), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_that_is_reset_may_have_carried_the_request() {
    let upstream = Upstream::start(Behaviour::Reset).await;
    let failure = Setup::granted(upstream.origin()).failure().await;
    assert_eq!(failure, (HttpErrorKind::Protocol, true));
}

#[tokio::test]
async fn a_refused_connection_carried_nothing() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let base = format!("http://{}", socket.local_addr().unwrap());
    let failure = Setup::granted(base).failure().await;
    assert_eq!(failure, (HttpErrorKind::Connect, false));
}

#[tokio::test]
async fn a_failed_handshake_carried_nothing() {
    let upstream = Upstream::answering("").await;
    let base = format!("https://127.0.0.1:{}", upstream.port());
    let failure = Setup::granted(base).failure().await;
    assert_eq!(failure, (HttpErrorKind::Tls, false));
}

#[tokio::test]
async fn a_name_without_addresses_is_a_dns_error() {
    for setup in [
        Setup::new("https://unknown.test"),
        Setup::granted("http://unknown.test"),
        Setup::new("https://empty.test").resolving("empty.test", &[]),
    ] {
        assert_eq!(setup.failure().await, (HttpErrorKind::Dns, false));
    }
}

// The clock is paused: it jumps to the next timer once nothing else is left to
// do, so no test waits, and the earlier timer is always the one that fires.

#[tokio::test(start_paused = true)]
async fn an_upstream_that_says_nothing_ends_at_the_earlier_of_both_times() {
    let soon = Duration::from_secs(5);
    for (timeout, until_deadline) in [
        (Some(soon), Duration::from_mins(1)),
        (Some(Duration::MAX), soon),
        (None, soon),
    ] {
        let upstream = Upstream::start(Behaviour::Hang).await;
        let egress = Setup::granted(upstream.origin()).egress();
        let request = HttpRequest {
            timeout,
            ..get("/x")
        };
        let start = Instant::now();
        let error = egress
            .send(request, start + until_deadline)
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind, error.request_sent),
            (HttpErrorKind::Timeout, true)
        );
        assert_eq!(start.elapsed().as_secs(), soon.as_secs());
    }
}

#[tokio::test]
async fn without_time_nothing_is_sent() {
    let listener = Untouched::new();
    let base = format!("http://127.0.0.1:{}", listener.port());
    let request = HttpRequest {
        timeout: Some(Duration::ZERO),
        ..get("/x")
    };
    let error = Setup::granted(base).send(request).await.unwrap_err();
    assert_eq!(
        (error.kind, error.request_sent),
        (HttpErrorKind::Timeout, false)
    );
    listener.assert_untouched();
}

#[tokio::test(start_paused = true)]
async fn connecting_has_a_limit_of_its_own() {
    let mut setup = Setup::new("https://slow.test");
    setup.resolver = Arc::new(SilentResolver);
    let limit = setup.limits.connect_timeout;
    let start = Instant::now();
    assert_eq!(setup.failure().await, (HttpErrorKind::Timeout, false));
    assert_eq!(start.elapsed().as_secs(), limit.as_secs());
}

/// Remembers how requests ended.
#[derive(Debug, Default)]
struct Ended(std::sync::Mutex<Vec<(Option<String>, ExchangeResult)>>);

impl EgressObserver for Ended {
    fn ended(&self, exchange: &Exchange<'_>) {
        let endpoint = exchange.endpoint.map(str::to_owned);
        self.0.lock().unwrap().push((endpoint, exchange.result));
    }
}

#[tokio::test]
async fn an_observer_learns_how_each_request_ended() {
    let api = || Some("api".to_owned());
    let upstream = Upstream::answering(ok("", b"{}")).await;
    let answering = || Setup::granted(upstream.origin());
    let denied = ExchangeResult::Denied;
    let with_secret = HttpRequest {
        query: vec![("q".to_owned(), SECRET.to_owned())],
        ..get("/x")
    };
    let elsewhere = HttpRequest {
        endpoint: "elsewhere".to_owned(),
        ..get("/x")
    };
    let undeclared = HttpRequest {
        method: Method::Delete,
        ..get("/x")
    };
    for (setup, request, expected) in [
        (
            answering(),
            get("/x"),
            (api(), ExchangeResult::Answered(200)),
        ),
        (answering(), elsewhere, (None, denied(Denial::Endpoint))),
        (answering(), undeclared, (api(), denied(Denial::Route))),
        (
            answering(),
            with_secret,
            (api(), denied(Denial::Credential)),
        ),
        (
            Setup::new("http://api.test"),
            get("/x"),
            (api(), denied(Denial::PlainHttp)),
        ),
        (
            Setup::new("https://10.0.0.1"),
            get("/x"),
            (api(), denied(Denial::Address)),
        ),
        (
            Setup::new("https://api.test").resolving("api.test", &["10.0.0.1"]),
            get("/x"),
            (api(), denied(Denial::Address)),
        ),
        (
            Setup::new("https://api.test"),
            get("/x"),
            (api(), ExchangeResult::Failed(HttpErrorKind::Dns)),
        ),
        (
            answering(),
            get("no-slash"),
            (api(), ExchangeResult::Failed(HttpErrorKind::InvalidRequest)),
        ),
    ] {
        let ended = Arc::new(Ended::default());
        let egress = setup.egress().observed_by(Arc::clone(&ended) as Arc<_>);
        let _ = egress.send(request, far()).await;
        assert_eq!(*ended.0.lock().unwrap(), [expected]);
    }
}

#[tokio::test]
async fn a_request_given_up_is_told_as_abandoned() {
    let mut setup = Setup::new("https://api.test");
    setup.resolver = Arc::new(SilentResolver);
    let ended = Arc::new(Ended::default());
    let egress = setup.egress().observed_by(Arc::clone(&ended) as Arc<_>);
    let mut sending = Box::pin(egress.send(get("/x"), far()));
    assert!(futures_util::poll!(&mut sending).is_pending());
    drop(sending);
    let abandoned = (Some("api".to_owned()), ExchangeResult::Abandoned);
    assert_eq!(*ended.0.lock().unwrap(), [abandoned]);
}
