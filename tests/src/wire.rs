//! A client that sends bytes, for requests that no proper client would send.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::answer::Answer;

/// An answer that takes longer than this is none. Not a wait: a test that gets
/// here has failed, and says so instead of hanging.
const PATIENCE: Duration = Duration::from_mins(2);

/// A connection to a gateway's socket.
pub struct Wire {
    stream: BufReader<TcpStream>,
}

impl Wire {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Returns once connections to this address are refused.
    pub async fn nobody_listens(address: SocketAddr) {
        while Self::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    /// Sends bytes. Fails when the gateway has closed the connection.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Says that nothing more will be sent; the answer can still be read.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// Reads one answer. Fails when the connection ends before it does.
    pub async fn answer(&mut self) -> io::Result<Answer> {
        timeout(PATIENCE, self.read_answer())
            .await
            .expect("an answer, or the end of the connection")
    }

    /// True when the gateway has closed the connection and sent nothing more.
    pub async fn is_closed(&mut self) -> bool {
        let rest = timeout(PATIENCE, self.stream.fill_buf()).await;
        rest.expect("an end").is_ok_and(<[u8]>::is_empty)
    }

    async fn read_answer(&mut self) -> io::Result<Answer> {
        let status_line = self.line().await?;
        let status = status_line.split(' ').nth(1).and_then(|s| s.parse().ok());
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            let name: HeaderName = name.parse().expect("a header's name");
            headers.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        let length = headers.get("content-length");
        let length = length.map_or("0", |value| value.to_str().expect("ASCII"));
        let mut body = vec![0; length.parse().expect("a length")];
        self.stream.read_exact(&mut body).await?;
        Ok(Answer::new(status.expect("a status"), headers, body))
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

/// The head of a `POST` with JSON, up to the empty line.
pub fn post_head(path: &str, token: &str, framing: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\n{framing}\r\n\r\n"
    )
}
