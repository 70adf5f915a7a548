//! What one store holds: the capabilities and the counters of one call.

use std::sync::Arc;
use std::time::Duration;

use portcullis_core::id::SourceId;
use portcullis_core::redact::Redactor;
use portcullis_core::time::Timestamp;
use tokio::time::Instant;

use crate::config::Limits;
use crate::invoke::Outbound;
use crate::limits::StoreLimiter;
use crate::meter::CpuMeter;
use crate::stopwatch::Stopwatch;

/// The data of a `wasmtime::Store`.
///
/// All capabilities are closed by default: without [`Capabilities`] every
/// request is denied, every log line dropped, and the clock traps. No credential
/// is in here or reachable by the guest; `outbound` adds it at egress.
pub(crate) struct CallState {
    pub(crate) source: SourceId,
    pub(crate) limits: Limits,
    pub(crate) limiter: StoreLimiter,
    pub(crate) meter: Arc<CpuMeter>,
    /// Runs while the guest waits for HTTP.
    pub(crate) upstream: Stopwatch,
    pub(crate) instantiate_time: Duration,
    pub(crate) capabilities: Option<Capabilities>,
    pub(crate) http_requests: u32,
    pub(crate) log_lines: u32,
    pub(crate) log_lines_dropped: u32,
}

/// What a guest may do while an action executes.
pub(crate) struct Capabilities {
    pub(crate) outbound: Arc<dyn Outbound>,
    pub(crate) clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    pub(crate) redactor: Arc<Redactor>,
    /// Where requests run: the gateway's own threads, not the guests'.
    pub(crate) io: tokio::runtime::Handle,
    /// The wall-clock deadline of the call.
    pub(crate) deadline: Instant,
    pub(crate) request_deadline: Instant,
}

impl CallState {
    pub(crate) fn new(
        source: SourceId,
        limits: Limits,
        capabilities: Option<Capabilities>,
    ) -> Self {
        Self {
            source,
            limiter: StoreLimiter::new(&limits),
            limits,
            meter: Arc::default(),
            upstream: Stopwatch::default(),
            instantiate_time: Duration::ZERO,
            capabilities,
            http_requests: 0,
            log_lines: 0,
            log_lines_dropped: 0,
        }
    }
}
