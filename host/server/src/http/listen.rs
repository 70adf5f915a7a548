//! Serving connections: bounded in number, and in how long they may do nothing.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::ServerConfig;

/// The pause after an accept that failed, for want of file descriptors say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections that are being served. One that has become a stream of events is
/// none of them any more: streams are bounded, and ended, apart.
#[derive(Default)]
pub(crate) struct Connections {
    open: TaskTracker,
    ending: CancellationToken,
}

impl Connections {
    /// Tells every connection to end after the answer it is giving, and waits until
    /// all have.
    pub(crate) async fn shutdown(&self) {
        self.ending.cancel();
        self.open.close();
        self.open.wait().await;
    }
}

/// Serves new connections until `stop`. Returns those that are open.
///
/// axum's own `serve` sets no timer, so a client that sends the head of a
/// request a byte at a time could keep its connection for ever.
pub(crate) async fn listen(
    listener: TcpListener,
    router: Router,
    config: &ServerConfig,
    stop: CancellationToken,
) -> Connections {
    let places = Arc::new(Semaphore::new(config.max_connections));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(config.header_timeout_seconds));
    let connections = Connections::default();
    loop {
        let (stream, place) = tokio::select! {
            () = stop.cancelled() => return connections,
            accepted = accept(&listener, &places) => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = http
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let ending = connections.ending.clone();
        connections.open.spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = ending.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
            drop(place);
        });
    }
}

/// Accepts a connection once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // Fails when the client has gone already, which serving it will find out.
    let _ = stream.set_nodelay(true);
    Ok((stream, place))
}
