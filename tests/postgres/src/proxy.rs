//! Between a gateway and its database: loses what it is told to lose.
//!
//! A commit whose answer is lost is the one failure after which nobody knows what
//! was written, and no server can be asked to fail like that.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// How a simple query that commits ends on the wire. The client waits for its
/// answer, so nothing follows.
const COMMIT: &[u8] = b"COMMIT\0";

/// The server's word that it has done what it was asked, outside of a transaction.
const READY: &[u8] = b"Z\0\0\0\x05I";

/// What is lost of a commit, together with its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// It does not reach the server, which rolls back.
    Request,
    /// It is carried out, and its answer does not come back.
    Answer,
}

/// A server on the loopback address in front of another. Dropping it ends all of
/// its connections.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    next: Next,
    server: JoinHandle<()>,
}

impl Proxy {
    /// Starts in front of the server of a database.
    pub(crate) async fn start(database: &PgConnectOptions) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let through = database.clone().host("127.0.0.1").port(port);
        let behind = (database.get_host().to_owned(), database.get_port());
        let next = Next::default();
        Ok(Self {
            // What is encrypted cannot be searched for a commit.
            url: through.ssl_mode(PgSslMode::Disable).to_url_lossy().into(),
            server: tokio::spawn(serve(listener, behind, next.clone())),
            next,
        })
    }

    /// The database's URL by way of this.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Loses the next commit, and only that one.
    pub fn lose_next_commit(&self, loss: Loss) {
        *self.next.lock() = Some(loss);
    }

    /// Whether what [`lose_next_commit`](Self::lose_next_commit) asked for is still
    /// to come.
    pub fn will_lose_a_commit(&self) -> bool {
        self.next.lock().is_some()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What becomes of the next commit.
#[derive(Debug, Clone, Default)]
struct Next(Arc<Mutex<Option<Loss>>>);

impl Next {
    fn lock(&self) -> MutexGuard<'_, Option<Loss>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends by being aborted, and takes the connections along.
async fn serve(listener: TcpListener, behind: (String, u16), next: Next) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        if let Ok(server) = TcpStream::connect(&behind).await {
            connections.spawn(relay(client, server, next.clone()));
        }
    }
}

/// Passes on what both say until one is gone or a commit is lost.
async fn relay(mut client: TcpStream, mut server: TcpStream, next: Next) -> io::Result<()> {
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    let mut said = End::new(COMMIT);
    loop {
        tokio::select! {
            read = client.read_buf(&mut asked) => {
                if read? == 0 {
                    return Ok(());
                }
                let loss = if said.reached_by(&asked) { next.lock().take() } else { None };
                if loss == Some(Loss::Request) {
                    return Ok(());
                }
                server.write_all(&asked).await?;
                asked.clear();
                if loss == Some(Loss::Answer) {
                    return wait_until_ready(server).await;
                }
            }
            read = server.read_buf(&mut answered) => {
                if read? == 0 {
                    return Ok(());
                }
                client.write_all(&answered).await?;
                answered.clear();
            }
        }
    }
}

/// Reads to the end of an answer.
async fn wait_until_ready(mut server: TcpStream) -> io::Result<()> {
    let mut answered = Vec::new();
    let mut said = End::new(READY);
    while server.read_buf(&mut answered).await? > 0 {
        if said.reached_by(&answered) {
            break;
        }
        answered.clear();
    }
    Ok(())
}

/// Looks for the end of what is said, however it is cut into pieces.
struct End {
    wanted: &'static [u8],
    /// As much of what was said last.
    said: Vec<u8>,
}

impl End {
    fn new(wanted: &'static [u8]) -> Self {
        let said = Vec::new();
        Self { wanted, said }
    }

    /// Whether what was said so far ends like this.
    fn reached_by(&mut self, piece: &[u8]) -> bool {
        self.said.extend_from_slice(piece);
        let known = self.said.len().saturating_sub(self.wanted.len());
        self.said.drain(..known);
        self.said == self.wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_found_however_it_is_cut() {
        let text = b"SELECT 1; COMMIT\0";
        for at in 0..text.len() {
            let (first, second) = text.split_at(at);
            let mut end = End::new(COMMIT);
            assert!(!end.reached_by(first), "{at}");
            assert!(end.reached_by(second), "{at}");
            assert!(!end.reached_by(b"ROLLBACK\0"), "{at}");
        }
    }
}
