//! What many calls take at the same time.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use portcullis_benches::machine;
use portcullis_runtime::egress::{HttpError, HttpRequest, HttpResponse};
use portcullis_runtime::{Outbound, Sandbox, SandboxConfig};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::reply;
use crate::sandboxed::Caller;

/// Resident memory that each of `calls` calls adds while it waits for its reply.
///
/// The pool of instances is new, so none of its memory has been touched before.
pub(crate) async fn per_call(component: Vec<u8>, calls: u32) -> anyhow::Result<u64> {
    let sandbox = Sandbox::new(SandboxConfig {
        concurrent_calls: calls + 1,
        ..SandboxConfig::default()
    })?;
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    let caller = Caller::load(&sandbox, component, Arc::new(Parked(arrived))).await?;
    let params = reply::params().to_string();

    // What is shared by all calls is there after the first.
    let mut running = JoinSet::new();
    spawn(&mut running, &caller, &params);
    arrivals.recv().await.context("the first call ended")?;
    let before = resident()?;
    for _ in 0..calls {
        spawn(&mut running, &caller, &params);
    }
    for _ in 0..calls {
        arrivals.recv().await.context("a call ended")?;
    }
    let after = resident()?;
    running.shutdown().await;
    Ok(after.saturating_sub(before) / u64::from(calls))
}

fn spawn(running: &mut JoinSet<()>, caller: &Caller, params: &str) {
    let (caller, params) = (caller.clone(), params.to_owned());
    running.spawn(async move {
        caller.call(reply::ACTION, &params).await;
    });
}

fn resident() -> anyhow::Result<u64> {
    machine::resident_bytes(std::process::id()).context("/proc does not tell our memory")
}

/// Tells of a request and never answers it.
struct Parked(mpsc::UnboundedSender<()>);

#[async_trait]
impl Outbound for Parked {
    async fn send(
        &self,
        _request: HttpRequest,
        _deadline: Instant,
    ) -> Result<HttpResponse, HttpError> {
        // Nobody listens any more when the measurement is over.
        let _ = self.0.send(());
        std::future::pending().await
    }
}
