//! One call: a fresh store, a fresh instance, and an outcome whatever happens.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portcullis_core::foreign;
use portcullis_core::id::{ActionId, OrganizationId};
use portcullis_core::invocation::FailureCode;
use portcullis_core::redact::Redactor;
use portcullis_core::time::Timestamp;
use tokio::time::{Instant, timeout_at};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use wasmtime::{Store, UpdateDeadline};

use crate::bindings::exports::actions::Context;
use crate::bindings::imports::types;
use crate::calls;
use crate::egress::{CallEgress, HttpError, HttpRequest, HttpResponse};
use crate::guest_log::GuestLog;
use crate::lane::Lane;
use crate::loader::Plugin;
use crate::outcome::{GuestError, Outcome, classify, deadline_exceeded, result_too_large};
use crate::placing::Placed;
use crate::shares::Place;
use crate::state::{CallState, Capabilities};
use crate::text::clean_text;
use crate::threads::Pace;

/// Beyond the end of a call, the time its requests have. They are ended with the
/// call, never before it, so that of two deadlines at the same moment always the
/// call's wins and the outcome is `deadline_exceeded`.
const REQUEST_GRACE: Duration = Duration::from_secs(1);

/// A result of more bytes is parsed by slow threads.
const LARGE_RESULT_BYTES: usize = 64 << 10;

/// Bytes of an error message that are kept, as `types.wit` promises.
const ERROR_MESSAGE_BYTES: usize = 4 << 10;

/// The way out for the requests of one call. The only other implementations
/// than [`CallEgress`] stand in tests and benchmarks.
#[async_trait]
pub trait Outbound: Send + Sync + 'static {
    /// Sends one request; the answer must come before `deadline`.
    async fn send(
        &self,
        request: HttpRequest,
        deadline: Instant,
    ) -> Result<HttpResponse, HttpError>;
}

#[async_trait]
impl Outbound for CallEgress {
    async fn send(
        &self,
        request: HttpRequest,
        deadline: Instant,
    ) -> Result<HttpResponse, HttpError> {
        CallEgress::send(self, request, deadline).await
    }
}

/// One call of an action.
pub struct Call {
    /// Whose call it is: organizations have their parts of the sandbox.
    pub organization: OrganizationId,
    /// An action the plugin lists.
    pub action: ActionId,
    /// JSON text that satisfies the action's schema.
    pub params: String,
    /// A version 4 UUID, the invocation's.
    pub idempotency_key: String,
    /// Where requests go.
    pub outbound: Arc<dyn Outbound>,
    /// The time, as the guest is told it.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Cleans what the guest logs.
    pub redactor: Arc<Redactor>,
}

/// How a call ended and what it used.
#[derive(Debug)]
pub struct CallReport {
    /// How it ended.
    pub outcome: Outcome,
    /// Bytes of the answer's JSON text; 0 when there is none.
    pub result_bytes: usize,
    /// What it used.
    pub usage: Usage,
}

/// What a call used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Waiting for a place.
    pub queue_time: Duration,
    /// Making the instance, from the call's start on.
    pub instantiate_time: Duration,
    /// CPU time of the guest, its instance's making included, without the time
    /// it waited for HTTP or for time to pass.
    pub cpu_time: Duration,
    /// Waiting for HTTP; requests that ran side by side count once.
    pub upstream_time: Duration,
    /// Peak of linear memory, in bytes.
    pub memory_bytes: usize,
    /// Requests sent or refused.
    pub http_requests: u32,
    /// Log lines beyond the limit.
    pub log_lines_dropped: u32,
}

impl Plugin {
    /// Executes one action in a store and an instance of its own.
    ///
    /// Never fails: whatever the guest does is an [`Outcome`]. Dropping the
    /// future ends the call.
    pub async fn execute(&self, call: Call) -> CallReport {
        let _running = self.inner.calls.begin();
        // Boxed: it is large, and so would be every future that has a call in it.
        let call = Box::pin(self.execute_in_place(call));
        let report = self.inner.calls.run(call).await;
        report.unwrap_or_else(|| CallReport {
            outcome: calls::ended(),
            result_bytes: 0,
            usage: Usage::default(),
        })
    }

    async fn execute_in_place(&self, call: Call) -> CallReport {
        let span = sandbox_span();
        let queued_at = Instant::now();
        let place = self.take_place(&call.organization).await;
        let queue_time = queued_at.elapsed();
        let mut report = match place {
            Ok(place) => self.run_on_guest_threads(place, call, span.clone()).await,
            Err(busy) => not_run(FailureCode::Busy, &busy),
        };
        report.usage.queue_time = queue_time;
        record(&span, &report);
        report
    }

    /// Waits a bounded time for a place.
    async fn take_place(&self, organization: &OrganizationId) -> Result<Place, String> {
        let sandbox = &self.inner.sandbox;
        let lane = &self.inner.placed.lane;
        let id = &self.descriptor().id;
        let shares = &sandbox.shared.shares;
        shares.take(lane, sandbox.config(), id, organization).await
    }

    async fn run_on_guest_threads(&self, held: Place, call: Call, span: Span) -> CallReport {
        let shared = Arc::clone(&self.inner.sandbox.shared);
        let caller = (self.descriptor().id.clone(), call.organization.clone());
        let pace = Arc::new(shared.recent.pace_of(&caller));
        let (plugin, noting) = (self.clone(), Arc::clone(&pace));
        let run = async move {
            let report = run(&plugin, call, noting).await;
            drop(held);
            report
        };
        match shared.guests.run(pace, run.instrument(span)).await {
            Ok(report) => {
                shared.recent.add(caller, report.usage.cpu_time);
                report
            }
            Err(join_error) => {
                tracing::error!(error = %join_error, "a call panicked in the host");
                not_run(FailureCode::Internal, "the gateway failed to run the call")
            }
        }
    }
}

/// What a trace tells of a call: names and numbers, nothing a guest wrote.
fn sandbox_span() -> Span {
    tracing::debug_span!(
        "sandbox",
        outcome = Empty,
        queueMicros = Empty,
        instantiateMicros = Empty,
        cpuMicros = Empty,
        upstreamMicros = Empty,
        memoryBytes = Empty,
        httpRequests = Empty,
    )
}

/// Numbers are signed: traces have no others, and would take these for text.
fn record(span: &Span, report: &CallReport) {
    if span.is_disabled() {
        return;
    }
    let usage = &report.usage;
    span.record("outcome", report.outcome.as_str());
    for (field, time) in [
        ("queueMicros", usage.queue_time),
        ("instantiateMicros", usage.instantiate_time),
        ("cpuMicros", usage.cpu_time),
        ("upstreamMicros", usage.upstream_time),
    ] {
        span.record(field, i64::try_from(time.as_micros()).unwrap_or(i64::MAX));
    }
    let memory_bytes = i64::try_from(usage.memory_bytes).unwrap_or(i64::MAX);
    span.record("memoryBytes", memory_bytes);
    span.record("httpRequests", i64::from(usage.http_requests));
}

fn not_run(code: FailureCode, message: &str) -> CallReport {
    CallReport {
        outcome: Outcome::stopped(code, message),
        result_bytes: 0,
        usage: Usage::default(),
    }
}

async fn run(plugin: &Plugin, call: Call, pace: Arc<Pace>) -> CallReport {
    let sandbox = &plugin.inner.sandbox;
    let Placed { lane, limits, .. } = &plugin.inner.placed;
    let source = plugin.descriptor().id.clone();
    let deadline = Instant::now() + limits.deadline;
    let capabilities = Capabilities {
        outbound: call.outbound,
        clock: call.clock,
        log: Arc::new(GuestLog::new(
            source.clone(),
            Arc::clone(&call.redactor),
            limits,
        )),
        redactor: call.redactor,
        io: sandbox.shared.io.clone(),
        deadline,
        request_deadline: deadline + REQUEST_GRACE,
    };
    let mut state = CallState::executing(source, limits.clone(), capabilities);
    if plugin.inspection().uses_wasi() {
        state = state.with_wasi();
    }
    let mut store = new_store(lane, state, Arc::clone(&pace));
    let context = Context {
        idempotency_key: call.idempotency_key,
    };
    let executed = timeout_at(
        deadline,
        execute(
            plugin,
            &mut store,
            &context,
            call.action.as_str(),
            &call.params,
        ),
    )
    .await;
    store.data().meter.pause();
    if let Some(wasi) = &store.data().wasi {
        wasi.end_output();
    }
    let result_bytes = match &executed {
        Ok(Ok(Ok(json))) => json.len(),
        _ => 0,
    };
    if result_bytes > LARGE_RESULT_BYTES {
        pace.slow_down().await;
    }
    let outcome = match executed {
        Ok(Ok(answer)) => outcome_of_answer(answer, store.data()),
        Ok(Err(error)) => {
            tracing::debug!(error = format!("{error:#}"), "the guest was stopped");
            classify(&error, store.data())
        }
        Err(_elapsed) => deadline_exceeded(store.data()),
    };
    CallReport {
        outcome,
        result_bytes,
        usage: usage(store.data()),
    }
}

async fn execute(
    plugin: &Plugin,
    store: &mut Store<CallState>,
    context: &Context,
    action: &str,
    params: &String,
) -> wasmtime::Result<Result<String, types::Error>> {
    store.data().meter.resume();
    let began = Instant::now();
    let instance = plugin
        .inner
        .placed
        .pre
        .instantiate_async(&mut *store)
        .await?;
    store.data_mut().instantiate_time = began.elapsed();
    instance
        .portcullis_provider_actions()
        .call_execute(store, context, action, params)
        .await
}

/// A store with every limit in place, and who is told how much it has taken.
pub(crate) fn new_store(lane: &Lane, state: CallState, pace: Arc<Pace>) -> Store<CallState> {
    let limits = state.limits.clone();
    let mut store = Store::new(&lane.engine, state);
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(limits.host_call_bytes);
    store.set_max_component_handles(limits.handles);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |store| {
        let meter = Arc::clone(&store.data().meter);
        meter.pause();
        let used = meter.used();
        if used >= limits.cpu_time {
            return Ok(UpdateDeadline::Interrupt);
        }
        pace.note(used);
        Ok(UpdateDeadline::YieldCustom(
            1,
            Box::pin(async move {
                tokio::task::yield_now().await;
                meter.resume();
            }),
        ))
    });
    store
}

fn outcome_of_answer(answer: Result<String, types::Error>, state: &CallState) -> Outcome {
    match answer {
        Ok(json) if json.len() > state.limits.result_bytes => result_too_large(json.len(), state),
        Ok(json) => match foreign::parse(&json) {
            Ok(value) => Outcome::Completed(value),
            Err(error) => Outcome::stopped(
                FailureCode::ProviderInternal,
                format!("the provider's result is {error}"),
            ),
        },
        Err(error) => Outcome::Failed(guest_error(&error, state)),
    }
}

fn guest_error(error: &types::Error, state: &CallState) -> GuestError {
    use types::ErrorCode;
    const KEYS_ONLY: &Redactor = &Redactor::keys_only();
    let redactor = state
        .capabilities
        .as_ref()
        .map_or(KEYS_ONLY, |capabilities| &capabilities.redactor);
    GuestError {
        code: match error.code {
            ErrorCode::InvalidParams => FailureCode::InvalidParams,
            ErrorCode::Unauthorized => FailureCode::Unauthorized,
            ErrorCode::Forbidden => FailureCode::Forbidden,
            ErrorCode::NotFound => FailureCode::NotFound,
            ErrorCode::Conflict => FailureCode::Conflict,
            ErrorCode::RateLimited => FailureCode::RateLimited,
            ErrorCode::Upstream => FailureCode::Upstream,
            ErrorCode::Timeout => FailureCode::Timeout,
            ErrorCode::DeniedEgress => FailureCode::DeniedEgress,
            ErrorCode::ConnectionMissing => FailureCode::ConnectionMissing,
            ErrorCode::Internal => FailureCode::ProviderInternal,
        },
        message: clean_text(&error.message, redactor, ERROR_MESSAGE_BYTES),
        retryable: error.retryable,
        retry_after_ms: error.retry_after_ms,
    }
}

fn usage(state: &CallState) -> Usage {
    Usage {
        // Known to who waited for the place.
        queue_time: Duration::ZERO,
        instantiate_time: state.instantiate_time,
        cpu_time: state.meter.used(),
        upstream_time: state.upstream.total(),
        memory_bytes: state.limiter.memory_bytes(),
        http_requests: state.http_requests,
        log_lines_dropped: state
            .capabilities
            .as_ref()
            .map_or(0, |capabilities| capabilities.log.dropped()),
    }
}
