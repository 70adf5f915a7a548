//! What one store holds: the capabilities and the counters of one call.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::id::SourceId;
use portcullis_core::redact::Redactor;
use portcullis_core::time::Timestamp;
use tokio::time::Instant;

use crate::config::Limits;
use crate::guest_log::GuestLog;
use crate::invoke::Outbound;
use crate::limits::StoreLimiter;
use crate::meter::CpuMeter;
use crate::stopwatch::Stopwatch;
use crate::wasi::WasiState;

/// The data of a `wasmtime::Store`.
///
/// All capabilities are closed by default: without [`Capabilities`] every
/// request is denied, every log line dropped, and the clock traps. No credential
/// is in here or reachable by the guest; `outbound` adds it at egress.
pub(crate) struct CallState {
    /// `None` while a plugin describes itself: who it is follows from the answer.
    pub(crate) source: Option<SourceId>,
    pub(crate) limits: Limits,
    pub(crate) limiter: StoreLimiter,
    pub(crate) meter: Arc<CpuMeter>,
    /// Runs while the guest waits for HTTP.
    pub(crate) upstream: Stopwatch,
    pub(crate) instantiate_time: Duration,
    pub(crate) capabilities: Option<Capabilities>,
    pub(crate) http_requests: u32,
    /// Only for components that import WASI; the others are linked to none.
    pub(crate) wasi: Option<Box<WasiState>>,
}

/// What a guest may do while an action executes.
pub(crate) struct Capabilities {
    pub(crate) outbound: Arc<dyn Outbound>,
    pub(crate) clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) log: Arc<GuestLog>,
    /// Where requests run: the gateway's own threads, not the guests'.
    pub(crate) io: tokio::runtime::Handle,
    /// The wall-clock deadline of the call.
    pub(crate) deadline: Instant,
    pub(crate) request_deadline: Instant,
}

impl CallState {
    /// The state of a call that executes an action of `source`.
    pub(crate) fn executing(source: SourceId, limits: Limits, capabilities: Capabilities) -> Self {
        Self {
            source: Some(source),
            capabilities: Some(capabilities),
            ..Self::describing(limits)
        }
    }

    /// The state of a plugin that says what it is, with everything closed.
    pub(crate) fn describing(limits: Limits) -> Self {
        Self {
            source: None,
            limiter: StoreLimiter::new(&limits),
            limits,
            meter: Arc::default(),
            upstream: Stopwatch::default(),
            instantiate_time: Duration::ZERO,
            capabilities: None,
            http_requests: 0,
            wasi: None,
        }
    }

    /// The keys that raise a limit which operators may give a plugin of its own.
    pub(crate) fn keys(&self, name: &str) -> String {
        match &self.source {
            Some(id) => {
                format!("sandbox.{name}, or plugins.limits.{id}.{name} for it alone")
            }
            // Nobody knows yet whose it would be.
            None => format!("sandbox.{name}"),
        }
    }

    /// The same for a component that imports WASI.
    pub(crate) fn with_wasi(mut self) -> Self {
        let wasi = WasiState::new(self.capabilities.as_ref(), self.limits.handles);
        self.wasi = Some(Box::new(wasi));
        self
    }
}
