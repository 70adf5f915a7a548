//! A gateway behind a real socket, for what only a socket shows.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::host::TestHost;
use crate::wire::Wire;

/// A gateway that is served as the `portcullis serve` command serves it.
pub struct Served {
    /// Where it listens.
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<anyhow::Result<()>>,
}

impl Served {
    /// Serves a host's gateway on a free port.
    pub async fn start(host: &TestHost) -> Self {
        Self::start_at(host, (Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Serves a host's gateway where another one was served before.
    pub async fn start_at(host: &TestHost, address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await;
        let listener = listener.expect("a free port");
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            // Dropping the sender stops it as well.
            let _ = stopped.await;
        };
        Self {
            address: listener.local_addr().expect("an address"),
            stop,
            server: tokio::spawn(portcullis::serve(
                Arc::clone(&host.gateway),
                listener,
                shutdown,
            )),
        }
    }

    /// Connects to it.
    pub async fn connect(&self) -> Wire {
        Wire::connect(self.address).await.expect("a connection")
    }

    /// Tells it to stop; what it returns resolves when it has.
    pub fn stop(self) -> JoinHandle<anyhow::Result<()>> {
        let _ = self.stop.send(());
        self.server
    }
}
