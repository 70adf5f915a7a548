//! Accepting connections and ending them.
//!
//! `axum::serve` would do for well-behaved servers. A fake must also be able to close a connection
//! instead of answering, which only hyper's own service interface allows.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::exchange::Exchange;

/// How long a connection may take to finish its answer after the shutdown began. Only a client that
/// does not read its answer ever needs it.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// Serves until `shutdown` is cancelled.
pub(super) async fn serve(
    listener: TcpListener,
    exchange: Arc<Exchange>,
    shutdown: CancellationToken,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_ended) = connections.join_next() => {}
            accepted = listener.accept() => {
                // An accept fails when the client is gone already; the next one may succeed.
                if let Ok((stream, _peer)) = accepted {
                    let exchange = Arc::clone(&exchange);
                    connections.spawn(serve_connection(stream, exchange, shutdown.clone()));
                }
            }
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    // Dropping the set aborts what has not ended by then.
    let _ = tokio::time::timeout(SHUTDOWN_GRACE, ended).await;
}

/// Errors are ignored: either a client went away or a fault cut the connection on purpose.
async fn serve_connection(stream: TcpStream, exchange: Arc<Exchange>, shutdown: CancellationToken) {
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        Arc::clone(&exchange).answer(request.map(Body::new))
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
