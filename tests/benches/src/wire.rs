//! Connections that stay open, and what is sent over them.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Connections that a pool opens at most; more requests wait, and their wait
/// counts.
const MAX_CONNECTIONS: usize = 512;

/// JSON as a body.
pub fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

/// The address in a URL of the loopback interface.
pub fn address(url: &str) -> anyhow::Result<SocketAddr> {
    let address = url.strip_prefix("http://").unwrap_or(url);
    address
        .parse()
        .with_context(|| format!("`{url}` is no URL"))
}

/// A request with a body of JSON; null is none.
pub fn request(
    method: Method,
    path: &str,
    authorization: &str,
    body: &Value,
) -> anyhow::Result<Request<Full<Bytes>>> {
    let body = match body {
        Value::Null => Bytes::new(),
        body => bytes(body),
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "gateway")
        .header(header::AUTHORIZATION, authorization)
        .header(header::CONTENT_TYPE, "application/json");
    Ok(request.body(Full::new(body))?)
}

/// One connection, which carries one request at a time.
pub struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // It ends with the sender; what goes wrong is what the sender reports.
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        self.0.ready().await?;
        let response = self.0.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, body))
    }

    /// Sends JSON and answers JSON, as an operator does.
    pub async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        key: &str,
        body: &Value,
    ) -> anyhow::Result<Value> {
        let sent = request(method.clone(), path, &format!("Bearer {key}"), body)?;
        let (status, answer) = self.send(sent).await?;
        if !status.is_success() {
            let answer = String::from_utf8_lossy(&answer);
            bail!("{method} {path} was answered {status}: {answer}");
        }
        Ok(serde_json::from_slice(&answer).unwrap_or_default())
    }
}

/// Connections that are opened when they are needed, and kept.
pub struct Pool {
    address: SocketAddr,
    idle: Mutex<Vec<Connection>>,
    places: Semaphore,
}

impl Pool {
    /// Connections to an address; none yet.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            idle: Mutex::default(),
            places: Semaphore::new(MAX_CONNECTIONS),
        }
    }

    /// Sends a request over a connection that is free.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> anyhow::Result<(StatusCode, Bytes)> {
        let _place = self.places.acquire().await?;
        let mut connection = match self.take() {
            Some(connection) => connection,
            None => Connection::open(self.address).await?,
        };
        let answer = connection.send(request).await?;
        self.idle().push(connection);
        Ok(answer)
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
