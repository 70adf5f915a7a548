//! One request from arrival to answer: record, gate, fault, vendor.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header::AUTHORIZATION};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::Vendor;
use crate::{
    fault::{self, Fault, FaultBoard},
    gate::Gates,
    journal::Journal,
};

/// Paths of our own routes. No vendor has paths like these.
const CONTROL_PREFIX: &str = "/__";

/// Larger requests are answered 413. Vendors have limits too, and a fake keeps what it reads in
/// memory.
const MAX_REQUEST_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Everything a connection needs to answer.
pub(super) struct Exchange {
    pub(super) control: Router,
    pub(super) vendor: Vendor,
    pub(super) journal: Arc<Journal>,
    pub(super) faults: Arc<FaultBoard>,
    pub(super) gates: Arc<Gates>,
    pub(super) shutdown: CancellationToken,
}

/// Tells hyper to close the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
pub(super) struct ConnectionCut;

impl Exchange {
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request,
    ) -> Result<Response, ConnectionCut> {
        if request.uri().path().starts_with(CONTROL_PREFIX) {
            return Ok(call(&self.control, request).await);
        }
        let Some(request) = self.record(request).await else {
            return Ok(StatusCode::PAYLOAD_TOO_LARGE.into_response());
        };
        let held_back = self.shutdown.run_until_cancelled(self.hold_back()).await;
        let fault = held_back.ok_or(ConnectionCut)?;
        self.answer_with(fault, request).await
    }

    /// Reads the body and writes the request down; `None` when the body is too large or broke off.
    async fn record(&self, request: Request) -> Option<Request> {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, MAX_REQUEST_BODY_BYTES)
            .await
            .ok()?;
        self.journal.record(&head, &body, &self.vendor.credential);
        Some(Request::from_parts(head, Body::from(body)))
    }

    /// Waits as gates and faults demand, and returns the fault that applies to this request.
    async fn hold_back(&self) -> Option<Fault> {
        self.gates.opened().await;
        let drawn = self.faults.draw()?;
        match &drawn.fault {
            Fault::Slow { delay_ms } => tokio::time::sleep(Duration::from_millis(*delay_ms)).await,
            Fault::Hang => self.faults.replaced(&drawn).await,
            _ => {}
        }
        Some(drawn.fault)
    }

    async fn answer_with(
        &self,
        fault: Option<Fault>,
        request: Request,
    ) -> Result<Response, ConnectionCut> {
        if let Some(fault) = &fault
            && let Some(replacement) = self.replacement(fault)?
        {
            return Ok(replacement);
        }
        let credential = request.headers().get(AUTHORIZATION).cloned();
        let answer = call(&self.vendor.routes, request).await;
        match fault {
            Some(Fault::HalfBody) => Ok(fault::cut_half_way(answer).await),
            Some(Fault::Echo) => Ok(fault::with_echoes(answer, credential).await),
            Some(Fault::Disconnect) => Err(ConnectionCut),
            _ => Ok(answer),
        }
    }

    /// What stands in for the vendor's own answer, if the request is not carried out.
    fn replacement(&self, fault: &Fault) -> Result<Option<Response>, ConnectionCut> {
        Ok(match fault {
            Fault::DisconnectBefore => return Err(ConnectionCut),
            Fault::Refusal { error } => Some((self.vendor.refused)(error)),
            Fault::RateLimit {
                retry_after_seconds,
            } => {
                let wait = Duration::from_secs(*retry_after_seconds);
                Some((self.vendor.rate_limited)(wait))
            }
            _ => fault::replacement(fault),
        })
    }
}

async fn call(router: &Router, request: Request) -> Response {
    match router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
