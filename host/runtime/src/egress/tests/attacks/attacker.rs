//! An upstream that attacks on its first connection and is honest on all others.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// A TCP connection, or TLS above one.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

type Ended = Pin<Box<dyn Future<Output = Option<Peer>> + Send>>;
type Script = Arc<dyn Fn(TcpStream, Requests, usize) -> Ended + Send + Sync>;
/// Where the upstream notes what it received, as it came.
pub(super) type Requests = mpsc::UnboundedSender<String>;

/// A server on loopback; it ends when it is dropped.
pub(super) struct Attacker {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    received: mpsc::UnboundedReceiver<String>,
    _task: AbortOnDropHandle<()>,
}

impl Attacker {
    /// Attacks by this script on the first connection. When the script gives it
    /// back, what else comes through it is answered honestly.
    pub(super) async fn start<F, R>(script: F) -> Self
    where
        F: Fn(TcpStream, Requests) -> R + Send + Sync + 'static,
        R: Future<Output = Option<Peer>> + Send + 'static,
    {
        let script = Arc::new(script);
        Self::each(move |stream, requests, nth| {
            let script = Arc::clone(&script);
            async move {
                match nth {
                    0 => script(stream, requests).await,
                    _ => Some(Peer::new(stream, requests)),
                }
            }
        })
        .await
    }

    /// Treats each connection by this script, which is told how many there were
    /// before.
    pub(super) async fn each<F, R>(script: F) -> Self
    where
        F: Fn(TcpStream, Requests, usize) -> R + Send + Sync + 'static,
        R: Future<Output = Option<Peer>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = mpsc::unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let script: Script =
            Arc::new(move |stream, requests, nth| Box::pin(script(stream, requests, nth)));
        let task = tokio::spawn(accept(listener, script, Arc::clone(&connections), sender));
        Self {
            address,
            connections,
            received,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// Reads a request, writes these bytes, and closes.
    pub(super) async fn saying(answer: Vec<u8>) -> Self {
        Self::talking(answer, Peer::close).await
    }

    /// Reads a request, writes these bytes, and keeps the connection.
    pub(super) async fn keeping(answer: Vec<u8>) -> Self {
        Self::talking(answer, Some).await
    }

    async fn talking(answer: Vec<u8>, then: fn(Peer) -> Option<Peer>) -> Self {
        Self::start(move |stream, requests| {
            let answer = answer.clone();
            async move {
                let mut peer = Peer::new(stream, requests);
                peer.request().await?;
                peer.say(&answer).await.ok()?;
                then(peer)
            }
        })
        .await
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Connections so far.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The first lines of all requests so far.
    pub(super) fn requests(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.received.try_recv().ok())
            .map(|request| request.lines().next().unwrap_or_default().to_owned())
            .collect()
    }
}

async fn accept(
    listener: TcpListener,
    script: Script,
    connections: Arc<AtomicUsize>,
    requests: Requests,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let nth = connections.fetch_add(1, Ordering::SeqCst);
        let (script, requests) = (Arc::clone(&script), requests.clone());
        // Ends with the connection: the client is dropped with the test.
        tokio::spawn(async move {
            if let Some(peer) = script(stream, requests, nth).await {
                peer.be_honest().await;
            }
        });
    }
}

/// A connection, seen from the upstream.
pub(super) struct Peer {
    wire: Box<dyn Wire>,
    unread: Vec<u8>,
    requests: Requests,
}

impl Peer {
    pub(super) fn new(wire: impl Wire + 'static, requests: Requests) -> Self {
        Self {
            wire: Box::new(wire),
            unread: Vec::new(),
            requests,
        }
    }

    /// Reads one request, head and body; `None` when there is none.
    pub(super) async fn request(&mut self) -> Option<String> {
        let length = loop {
            if let Some(length) = complete(&self.unread) {
                break length;
            }
            if self.wire.read_buf(&mut self.unread).await.ok()? == 0 {
                return None;
            }
        };
        let rest = self.unread.split_off(length);
        let request = String::from_utf8(std::mem::replace(&mut self.unread, rest)).unwrap();
        self.note(&request);
        Some(request)
    }

    /// Notes what was received.
    pub(super) fn note(&self, request: &str) {
        // The test may have ended already.
        let _ = self.requests.send(request.to_owned());
    }

    /// Reads so many bytes; `None` when they do not come.
    pub(super) async fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.unread.len() < length {
            if self.wire.read_buf(&mut self.unread).await.ok()? == 0 {
                return None;
            }
        }
        let rest = self.unread.split_off(length);
        Some(std::mem::replace(&mut self.unread, rest))
    }

    /// Reads the first bytes of whatever comes.
    pub(super) async fn first_bytes(&mut self) {
        let _ = self.wire.read_buf(&mut self.unread).await;
    }

    pub(super) async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.write_all(bytes).await?;
        self.wire.flush().await
    }

    /// Says the same over and over, for as long as anybody listens.
    pub(super) async fn repeat(mut self, bytes: &[u8]) -> Option<Self> {
        let many = bytes.repeat(1 + 1024 / bytes.len());
        while self.say(&many).await.is_ok() {}
        None
    }

    /// Says no more, and waits until the other side is gone.
    pub(super) async fn wait(mut self) -> Option<Self> {
        while !matches!(self.wire.read_buf(&mut self.unread).await, Ok(0) | Err(_)) {}
        None
    }

    /// Closes in good order.
    pub(super) fn close(mut self) -> Option<Self> {
        tokio::spawn(async move {
            let _ = self.wire.shutdown().await;
            self.wait().await
        });
        None
    }

    async fn be_honest(mut self) {
        while self.request().await.is_some() {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhonest";
            if self.say(answer).await.is_err() {
                return;
            }
        }
    }
}

/// The length of the request that the bytes begin with, once it is there.
fn complete(bytes: &[u8]) -> Option<usize> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let body: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    (bytes.len() >= end + body).then_some(end + body)
}
