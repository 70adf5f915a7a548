//! Connections that stay open, and what is sent over them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use portcullis_plugin_linear::documents::LIST_ISSUES;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::fake::Fake;
use crate::gateway::Gateway;
use crate::seed::Seeded;

/// Connections that an open loop opens at most; more calls wait, and their wait
/// counts.
const MAX_CONNECTIONS: usize = 512;

/// Issues in every answer.
const ISSUES: u32 = 10;

/// One of the requests that take turns.
struct Turn {
    path: String,
    authorization: String,
}

/// Where load goes, and what an answer must contain to count.
pub(crate) struct Target {
    address: SocketAddr,
    turns: Vec<Turn>,
    next: AtomicUsize,
    body: Bytes,
    proof: &'static str,
}

impl Target {
    /// The fake, with the request that the plugin would send.
    pub(crate) fn direct(fake: &Fake) -> anyhow::Result<Self> {
        let variables = json!({
            "filter": { "team": { "key": { "eq": "ENG" } } },
            "first": ISSUES,
            "after": null,
        });
        Ok(Self {
            address: address(&fake.url)?,
            turns: vec![Turn {
                path: "/graphql".to_owned(),
                authorization: fake.token.clone(),
            }],
            next: AtomicUsize::new(0),
            body: bytes(&json!({ "query": LIST_ISSUES, "variables": variables })),
            proof: r#""issues":{"nodes":[{"#,
        })
    }

    /// The gateway, with the sessions in turn.
    pub(crate) fn gateway(gateway: &Gateway, seeded: &Seeded) -> anyhow::Result<Self> {
        let turn = |(session, token): &(String, String)| Turn {
            path: format!("/{session}/actions/invoke"),
            authorization: format!("Bearer {token}"),
        };
        Ok(Self {
            address: address(&gateway.url)?,
            turns: seeded.sessions.iter().map(turn).collect(),
            next: AtomicUsize::new(0),
            body: bytes(&json!({
                "integration": "linear",
                "action": "list_issues",
                "params": { "teamId": "ENG", "first": ISSUES },
            })),
            proof: r#""status":"completed""#,
        })
    }

    fn request(&self) -> anyhow::Result<Request<Full<Bytes>>> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let turn = self
            .turns
            .get(number % self.turns.len().max(1))
            .context("there is no session")?;
        let request = Request::post(&turn.path)
            .header(header::HOST, self.address.to_string())
            .header(header::AUTHORIZATION, &turn.authorization)
            .header(header::CONTENT_TYPE, "application/json");
        Ok(request.body(Full::new(self.body.clone()))?)
    }
}

fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

fn address(url: &str) -> anyhow::Result<SocketAddr> {
    let address = url.strip_prefix("http://").unwrap_or(url);
    address
        .parse()
        .with_context(|| format!("`{url}` is no URL"))
}

/// One connection, which carries one request at a time.
pub(crate) struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // It ends with the sender; what goes wrong is what the sender reports.
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    pub(crate) async fn to(target: &Target) -> anyhow::Result<Self> {
        Self::open(target.address).await
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        self.0.ready().await?;
        let response = self.0.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, body))
    }

    /// Sends the target's next request; an answer that proves nothing is an error.
    pub(crate) async fn call(&mut self, target: &Target) -> anyhow::Result<()> {
        let (status, body) = self.send(target.request()?).await?;
        let text = std::str::from_utf8(&body)?;
        ensure!(
            status == StatusCode::OK && text.contains(target.proof),
            "answered {status}: {text}"
        );
        Ok(())
    }

    /// Sends JSON and answers JSON, as an operator does.
    pub(crate) async fn exchange(
        &mut self,
        method: http::Method,
        path: &str,
        key: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let request = Request::builder()
            .method(&method)
            .uri(path)
            .header(header::HOST, "gateway")
            .header(header::AUTHORIZATION, format!("Bearer {key}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(bytes(body)))?;
        let (status, answer) = self.send(request).await?;
        if !status.is_success() {
            let answer = String::from_utf8_lossy(&answer);
            bail!("{method} {path} was answered {status}: {answer}");
        }
        Ok(serde_json::from_slice(&answer).unwrap_or_default())
    }
}

/// Connections that are opened when they are needed, and kept.
pub(crate) struct Pool {
    target: Arc<Target>,
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
}

impl Pool {
    pub(crate) fn new(target: &Arc<Target>) -> Self {
        Self {
            target: Arc::clone(target),
            idle: Mutex::default(),
            places: Semaphore::new(MAX_CONNECTIONS),
        }
    }

    /// Sends the target's next request over a connection that is free.
    pub(crate) async fn call(&self) -> anyhow::Result<()> {
        let _place = self.places.acquire().await?;
        let mut connection = match self.take() {
            Some(connection) => connection,
            None => Connection::to(&self.target).await?,
        };
        connection.call(&self.target).await?;
        self.idle().push(connection);
        Ok(())
    }

    /// The one that was used last, unless the server has closed it meanwhile.
    fn take(&self) -> Option<Connection> {
        let mut idle = self.idle();
        std::iter::from_fn(|| idle.pop()).find(|connection| !connection.0.is_closed())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
