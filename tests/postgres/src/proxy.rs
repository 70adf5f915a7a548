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

/// What a client says to prepare the statement that records an outcome, which is
/// a transaction by itself; and what the server says when that is done.
const OUTCOME: &[u8] = b"WITH finished AS (UPDATE action_invocations";
const UPDATED: &[u8] = b"INSERT 0 1\0";

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
        *self.next.lock() = Some(Awaited::Commit(loss));
    }

    /// Loses the next outcome that is recorded, which must be the first on its
    /// connection.
    pub fn lose_next_outcome(&self, loss: Loss) {
        *self.next.lock() = Some(Awaited::Outcome(loss));
    }

    /// Whether what is to be lost is still to come.
    pub fn will_lose(&self) -> bool {
        self.next.lock().is_some()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What is to be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Commit(Loss),
    Outcome(Loss),
}

/// What is lost next.
#[derive(Debug, Clone, Default)]
struct Next(Arc<Mutex<Option<Awaited>>>);

impl Next {
    fn lock(&self) -> MutexGuard<'_, Option<Awaited>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is what is to be lost; if so, no other is.
    fn is(&self, come: Awaited) -> bool {
        self.lock().take_if(|awaited| *awaited == come).is_some()
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
    let mut commit = End::new(COMMIT);
    let (mut outcome, mut updated) = (Passing::new(OUTCOME), Passing::new(UPDATED));
    loop {
        tokio::select! {
            read = client.read_buf(&mut asked) => {
                if read? == 0 {
                    return Ok(());
                }
                let commits = commit.reached_by(&asked);
                if outcome.is_in(&asked) && next.is(Awaited::Outcome(Loss::Request))
                    || commits && next.is(Awaited::Commit(Loss::Request))
                {
                    return Ok(());
                }
                server.write_all(&asked).await?;
                asked.clear();
                if commits && next.is(Awaited::Commit(Loss::Answer)) {
                    return wait_until_ready(server).await;
                }
            }
            read = server.read_buf(&mut answered) => {
                if read? == 0 {
                    return Ok(());
                }
                if updated.is_in(&answered) && next.is(Awaited::Outcome(Loss::Answer)) {
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

/// Looks for what passes by, however it is cut into pieces.
struct Passing {
    wanted: &'static [u8],
    /// The end of what was said before, too short to be it.
    before: Vec<u8>,
}

impl Passing {
    fn new(wanted: &'static [u8]) -> Self {
        let before = Vec::new();
        Self { wanted, before }
    }

    /// Whether it is in this piece, or ends there.
    fn is_in(&mut self, piece: &[u8]) -> bool {
        self.before.extend_from_slice(piece);
        let found = self
            .before
            .windows(self.wanted.len())
            .any(|window| window == self.wanted);
        let known = (self.before.len() + 1).saturating_sub(self.wanted.len());
        self.before.drain(..known);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_found_once_however_it_is_cut() {
        let text = b"C\0\0\0\x0fINSERT 0 1\0Z";
        for at in 0..text.len() {
            let (first, second) = text.split_at(at);
            let mut passing = Passing::new(UPDATED);
            let found = [passing.is_in(first), passing.is_in(second)];
            assert!(found.contains(&true) && found != [true, true], "{at}");
            assert!(!passing.is_in(b"INSERT 0 0\0"), "{at}");
        }
    }

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
