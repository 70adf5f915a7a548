//! Tiny servers that write raw bytes, right ones and wrong ones.

use std::net::{SocketAddr, TcpListener as StdListener};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// What a server does once it has read a request.
#[derive(Debug, Clone)]
pub(super) enum Behaviour {
    /// Writes these bytes and closes.
    Answer(Vec<u8>),
    /// Writes these bytes, then the letter `x` for as long as anybody reads.
    Endless(Vec<u8>),
    /// Keeps the connection and says nothing.
    Hang,
    /// Breaks the connection off.
    Reset,
}

/// A server on loopback; it ends when it is dropped.
pub(super) struct Upstream {
    address: SocketAddr,
    received: mpsc::UnboundedReceiver<String>,
    _task: AbortOnDropHandle<()>,
}

impl Upstream {
    pub(super) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, behaviour) = (sender.clone(), behaviour.clone());
                // Ends with the connection: the client is dropped with the test.
                tokio::spawn(serve(stream, behaviour, sender));
            }
        });
        Self {
            address,
            received,
            _task: AbortOnDropHandle::new(task),
        }
    }

    pub(super) async fn answering(answer: impl AsRef<[u8]>) -> Self {
        Self::start(Behaviour::Answer(answer.as_ref().to_vec())).await
    }

    pub(super) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The next request, head and body, as it came.
    pub(super) async fn request(&mut self) -> String {
        self.received.recv().await.unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    behaviour: Behaviour,
    received: mpsc::UnboundedSender<String>,
) {
    let Some(request) = read_request(&mut stream).await else {
        return;
    };
    // The test may have ended already.
    let _ = received.send(request);
    match behaviour {
        Behaviour::Answer(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Behaviour::Endless(head) => {
            let _ = stream.write_all(&head).await;
            while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
        }
        Behaviour::Hang => {
            let _ = stream.read_u8().await;
        }
        Behaviour::Reset => stream.set_zero_linger().unwrap(),
    }
}

/// Reads the head, and as much of a body as it announces. `None` when what came
/// first is no HTTP request, as from a client that starts a TLS handshake.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    while !is_complete(&bytes) {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        if bytes.first() == Some(&0x16) {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            return None;
        }
    }
    String::from_utf8(bytes).ok()
}

fn is_complete(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let announced = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    body.len() >= announced
}

/// A listener that nobody serves. The kernel completes connections to it by
/// itself, so one that was made is there to be accepted at once.
pub(super) struct Untouched(StdListener);

impl Untouched {
    pub(super) fn new() -> Self {
        Self::at("127.0.0.1", 0)
    }

    /// On another address of loopback.
    pub(super) fn at(host: &str, port: u16) -> Self {
        let listener = StdListener::bind((host, port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub(super) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    #[track_caller]
    pub(super) fn assert_untouched(&self) {
        let accepted = self.0.accept().map_err(|error| error.kind());
        assert_eq!(
            accepted.map(|(_, peer)| peer),
            Err(std::io::ErrorKind::WouldBlock),
            "somebody connected"
        );
    }
}
