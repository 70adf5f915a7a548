//! One client's connection to one gateway at a time.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use portcullis_test_canary::{Place, canaries};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer that takes longer will not come. Not a wait: whoever gets here has
/// found a gateway that hangs.
const PATIENCE: Duration = Duration::from_mins(2);

/// What is asked of a gateway.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) token: String,
    /// The header `Idempotency-Key`.
    pub(crate) key: Option<String>,
    /// Null: none.
    pub(crate) body: Value,
}

impl Call {
    pub(crate) fn get(path: String, token: &str) -> Self {
        Self {
            method: Method::GET,
            path,
            token: token.to_owned(),
            key: None,
            body: Value::Null,
        }
    }

    pub(crate) fn post(path: String, token: &str, body: Value) -> Self {
        Self {
            method: Method::POST,
            body,
            ..Self::get(path, token)
        }
    }

    fn request(&self) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(&self.path)
            .header(header::HOST, "gateway")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        let body = match &self.body {
            Value::Null => Bytes::new(),
            body => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
        };
        Ok(request.body(Full::new(body))?)
    }
}

/// What a gateway said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body; null when there was none, or no JSON.
    pub(crate) body: Value,
}

impl Answer {
    /// A text in the body, by JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.body.pointer(pointer)?.as_str()
    }

    /// The invocation's id, if one stands in it.
    pub(crate) fn id(&self) -> Option<&str> {
        self.text("/invocation/id")
    }

    /// `error.code`.
    pub(crate) fn code(&self) -> Option<&str> {
        self.text("/error/code")
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// The gateway did not get it.
    NotSent,
    /// It was sent, and what became of it is unknown.
    Lost,
}

/// A client that keeps its connection for as long as there is one.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    open: Option<(SocketAddr, SendRequest<Full<Bytes>>)>,
}

impl Wire {
    /// Sends a call and reads the whole answer. Nothing is ever sent twice.
    pub(crate) async fn call(
        &mut self,
        address: SocketAddr,
        call: &Call,
    ) -> Result<Answer, NoAnswer> {
        let request = call.request().map_err(|_| NoAnswer::NotSent)?;
        let mut sender = match self.open.take() {
            Some((to, sender)) if to == address => sender,
            _ => connect(address).await.map_err(|_| NoAnswer::NotSent)?,
        };
        // The connection may have ended while nobody used it.
        if sender.ready().await.is_err() {
            sender = connect(address).await.map_err(|_| NoAnswer::NotSent)?;
        }
        let exchanged = timeout(PATIENCE, exchange(&mut sender, request)).await;
        let answer = exchanged.ok().and_then(Result::ok).ok_or(NoAnswer::Lost)?;
        self.open = Some((address, sender));
        Ok(answer)
    }

    /// Sends a call that must succeed; the body of its answer.
    pub(crate) async fn expect(
        &mut self,
        address: SocketAddr,
        call: &Call,
    ) -> anyhow::Result<Value> {
        let asked = || format!("{} {}", call.method, call.path);
        let answer = self.call(address, call).await;
        let answer = answer
            .ok()
            .with_context(|| format!("{}: no answer", asked()))?;
        anyhow::ensure!(
            (200..300).contains(&answer.status),
            "{} was answered {}: {}",
            asked(),
            answer.status,
            answer.body
        );
        Ok(answer.body)
    }
}

async fn connect(address: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // It ends with the sender; what goes wrong is what the sender reports.
    tokio::spawn(connection);
    Ok(sender)
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Answer> {
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    canaries().look(Place::Answer, "the body of an answer", &body);
    Ok(Answer {
        status,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}
