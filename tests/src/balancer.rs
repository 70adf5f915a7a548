//! One address for several gateways: a plain TCP balancer, which copies bytes and
//! knows nothing of HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::wire::Wire;

/// A balancer that gives each new connection to the next backend. Dropping it
/// ends every connection.
pub struct Balancer {
    /// Where it listens.
    pub address: SocketAddr,
    connections: Arc<[AtomicUsize]>,
    server: JoinHandle<()>,
}

impl Balancer {
    /// Starts one on a free port. The first connection goes to the first backend.
    pub async fn start(backends: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let connections: Arc<[_]> = backends.iter().map(|_| AtomicUsize::new(0)).collect();
        Self {
            address: listener.local_addr().expect("an address"),
            server: tokio::spawn(balance(listener, backends, Arc::clone(&connections))),
            connections,
        }
    }

    /// Connects to whichever backend is next.
    pub async fn connect(&self) -> Wire {
        Wire::connect(self.address).await.expect("a connection")
    }

    /// How many connections each backend was given.
    pub fn connections(&self) -> Vec<usize> {
        let counts = self.connections.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).collect()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn balance(
    listener: TcpListener,
    backends: Vec<SocketAddr>,
    connections: Arc<[AtomicUsize]>,
) {
    let mut turns = (0..backends.len()).cycle();
    let mut open = JoinSet::new();
    loop {
        let (mut client, _) = listener.accept().await.expect("a connection");
        // Whoever refuses is passed over; when all do, the client is hung up on.
        for turn in turns.by_ref().take(backends.len()) {
            if let Ok(mut backend) = TcpStream::connect(backends[turn]).await {
                connections[turn].fetch_add(1, Ordering::Relaxed);
                open.spawn(async move {
                    // Either side may break off.
                    let _ = copy_bidirectional(&mut client, &mut backend).await;
                });
                break;
            }
        }
    }
}
