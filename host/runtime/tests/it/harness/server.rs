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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let response: Arc<str> = response(headers, body).into();
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

fn response(headers: &[(&str, String)], body: &str) -> String {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let headers = headers.concat();
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// Reads the head of a request without body, and answers.
async fn serve(mut stream: TcpStream, response: &str) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    stream.write_all(response.as_bytes()).await.unwrap();
    String::from_utf8(head).unwrap()
}
