//! What all fakes share: a server on the loopback address and the handle by which a test steers it.
//!
//! `serve` accepts connections, `exchange` takes one request through record, gate, fault and
//! vendor, `control` answers the `/__…` routes. Nothing here knows a vendor; [`Vendor`] is what one
//! brings along.

mod control;
mod exchange;
mod serve;

use std::{fmt, io, net::Ipv4Addr, sync::Arc, time::Duration};

use axum::{Router, response::Response};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    credential::Credential,
    fault::{ActiveFault, Fault, FaultBoard},
    gate::{Gate, Gates},
    journal::{Journal, RecordedRequest},
};
use exchange::Exchange;

/// What makes a fake the fake of one vendor.
pub(crate) struct Vendor {
    /// The credential it accepts.
    pub(crate) credential: Credential,
    /// The vendor's API.
    pub(crate) routes: Router,
    /// The vendor's answer to too many requests, given what to wait.
    pub(crate) rate_limited: Box<dyn Fn(Duration) -> Response + Send + Sync>,
    /// The vendor's answer to a request that it refuses with this error.
    pub(crate) refused: fn(&str) -> Response,
}

/// A running fake.
///
/// Dropping it stops the server: no new connection is accepted, requests being carried out are
/// answered, requests held back are cut off. Many can run side by side.
pub struct FakeUpstream {
    url: String,
    credential: Credential,
    journal: Arc<Journal>,
    faults: Arc<FaultBoard>,
    gates: Arc<Gates>,
    shutdown: CancellationToken,
    server: JoinHandle<()>,
}

impl FakeUpstream {
    /// Binds `127.0.0.1:port` (0 picks a free one) and serves the vendor there.
    pub(crate) async fn start(port: u16, vendor: Vendor) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let journal = Arc::<Journal>::default();
        let faults = Arc::<FaultBoard>::default();
        let gates = Arc::<Gates>::default();
        let credential = vendor.credential.clone();
        let shutdown = CancellationToken::new();
        let exchange = Exchange {
            control: control::router(Arc::clone(&journal), Arc::clone(&faults)),
            vendor,
            journal: Arc::clone(&journal),
            faults: Arc::clone(&faults),
            gates: Arc::clone(&gates),
            shutdown: shutdown.clone(),
        };
        let server = tokio::spawn(serve::serve(listener, Arc::new(exchange), shutdown.clone()));
        Ok(Self {
            url,
            credential,
            journal,
            faults,
            gates,
            shutdown,
            server,
        })
    }

    /// Where it listens: `http://127.0.0.1:<port>`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Accepts one more token, that of an account whose name the record of its requests has.
    pub fn accept(&self, account: &str, token: &str) {
        self.credential.accept(account, token, None);
    }

    /// As [`Self::accept`], for these of the vendor's scopes alone. The fake Linear knows none.
    pub fn accept_with_scopes(&self, account: &str, token: &str, scopes: &[&str]) {
        self.credential.accept(account, token, Some(scopes));
    }

    /// Refuses a token from now on, also to requests that are held back.
    pub fn revoke(&self, token: &str) {
        self.credential.revoke(token);
    }

    /// Misbehaves from now on until [`Self::reset_fault`].
    pub fn fault(&self, fault: Fault) {
        self.faults.set(Some(ActiveFault { fault, count: None }));
    }

    /// Misbehaves for the next `count` requests. Zero is the same as [`Self::reset_fault`].
    pub fn fault_for(&self, fault: Fault, count: u64) {
        let active = ActiveFault {
            fault,
            count: Some(count),
        };
        self.faults.set((count > 0).then_some(active));
    }

    /// Behaves again. Requests that hang go on.
    pub fn reset_fault(&self) {
        self.faults.set(None);
    }

    /// What was received, oldest first: the last 10,000 requests, without those to `/__…`.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.journal.snapshot()
    }

    /// Waits until `count` requests have been received since the start, and returns
    /// [`Self::requests`].
    ///
    /// A request counts once its body has been read, before it is held back or carried out.
    pub async fn wait_for_requests(&self, count: u64) -> Vec<RecordedRequest> {
        self.journal.reached(count).await;
        self.journal.snapshot()
    }

    /// Holds requests back until the gate is released or dropped: they are received and recorded,
    /// but neither carried out nor answered.
    pub fn hold(&self) -> Gate {
        self.gates.close()
    }

    /// Stops like dropping does, and returns when the port is free and every connection is closed.
    pub async fn shutdown(mut self) {
        self.shutdown.cancel();
        // A server task that panicked has stopped as well.
        let _ = (&mut self.server).await;
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl fmt::Debug for FakeUpstream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FakeUpstream")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
