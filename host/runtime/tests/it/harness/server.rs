//! A server on loopback for what must be seen on a real socket.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// Answers every request with the same response, and keeps what it received. It
/// ends when it is dropped.
pub(crate) struct Echo {
    address: SocketAddr,
    received: mpsc::UnboundedReceiver<String>,
    _task: AbortOnDropHandle<()>,
}

impl Echo {
    /// Serves a response with these headers and this body.
    pub(crate) async fn start(headers: &[(&str, String)], body: &str) -> Self {
        Self::start_with_bytes(headers, body.as_bytes()).await
    }

    /// The same, of a body that is no text.
    pub(crate) async fn start_with_bytes(headers: &[(&str, String)], body: &[u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let response: Arc<[u8]> = response(headers, body).into();
        let (sender, received) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let head = serve(stream, &response).await;
                // The test may have ended already.
                let _ = sender.send(head);
            }
        });
        Self {
            address,
            received,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// `http://127.0.0.1:<port>`
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The head of the next request.
    pub(crate) async fn head(&mut self) -> String {
        self.received.recv().await.unwrap()
    }
}

fn response(headers: &[(&str, String)], body: &[u8]) -> Vec<u8> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let headers = headers.concat();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Reads a request whose body, if any, has its length announced, and answers.
async fn serve(mut stream: TcpStream, response: &[u8]) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let announced = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; announced.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    // A client that has read enough hangs up.
    let _ = stream.write_all(response).await;
    head
}
