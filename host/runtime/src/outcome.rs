//! How a call ended.

use portcullis_core::invocation::FailureCode;
use serde_json::Value;
use wasmtime::Trap;
use wasmtime_wasi::I32Exit;

use crate::state::CallState;

/// How a call ended. What a guest does wrong is an outcome of that call and
/// never an error of ours.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The action answered; not yet redacted or truncated.
    Completed(Value),
    /// The provider reported an error.
    Failed(GuestError),
    /// The sandbox ended the call, for this reason: one of the sandbox's codes
    /// of [`FailureCode`], and a sentence.
    Stopped {
        /// `Trapped`, `CpuExceeded`, `DeadlineExceeded`, `MemoryExceeded`,
        /// `TooLarge`, `Busy` or `ProviderInternal`.
        code: FailureCode,
        /// What happened and what to do, without any text of the guest.
        message: String,
    },
}

impl Outcome {
    /// `completed`, or the code of what went wrong.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Completed(_) => "completed",
            Self::Failed(error) => error.code.as_str(),
            Self::Stopped { code, .. } => code.as_str(),
        }
    }

    pub(crate) fn stopped(code: FailureCode, message: impl Into<String>) -> Self {
        Self::Stopped {
            code,
            message: message.into(),
        }
    }
}

/// An error that the provider reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestError {
    /// One of the provider's codes, or `DeniedEgress`, `ConnectionMissing`.
    pub code: FailureCode,
    /// The provider's words: at most 4 KiB, without control characters, not yet
    /// redacted.
    pub message: String,
    /// True when repeating the call is harmless and may succeed.
    pub retryable: bool,
    /// Milliseconds to wait first.
    pub retry_after_ms: Option<u64>,
}

/// The text of wasmtime's error when a guest hands over more than
/// `Limits::host_call_bytes`. The error's type is private; a test hands over
/// too much and so notices when the text changes.
const HOST_CALL_BYTES_EXHAUSTED: &str = "fuel allocated for hostcalls has been exhausted";

/// The text of wasmtime's errors when a guest has more handles than
/// `Limits::handles`, its own or lent ones. The same applies.
const HANDLES_EXHAUSTED: &str = "store handle limit exceeded";

/// An import was called that is closed for the time being.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the {0} is refused while a plugin describes itself")]
pub(crate) struct Refused(pub(crate) &'static str);

/// Names the reason for which wasmtime ended a call.
pub(crate) fn classify(error: &wasmtime::Error, state: &CallState) -> Outcome {
    let trap = error.downcast_ref::<Trap>();
    // These two have a cause of their own, whatever was refused before.
    if let Some(trap @ (Trap::Interrupt | Trap::StackOverflow)) = trap {
        return classify_trap(*trap, state);
    }
    if state.limiter.refused() {
        return Outcome::stopped(FailureCode::MemoryExceeded, memory_exceeded(state));
    }
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return Outcome::stopped(
            FailureCode::Trapped,
            format!("the provider ended itself with status {status}"),
        );
    }
    if let Some(trap) = trap {
        return classify_trap(*trap, state);
    }
    if let Some(refused) = error.downcast_ref::<Refused>() {
        return Outcome::stopped(FailureCode::Trapped, refused.to_string());
    }
    if says(error, HOST_CALL_BYTES_EXHAUSTED) {
        return Outcome::stopped(
            FailureCode::TooLarge,
            format!(
                "the provider handed over more than {} bytes at once (sandbox.host_call_bytes)",
                state.limits.host_call_bytes
            ),
        );
    }
    if says(error, HANDLES_EXHAUSTED) {
        return Outcome::stopped(
            FailureCode::Trapped,
            format!(
                "the provider had more than {} handles at the same time (sandbox.handles)",
                state.limits.handles
            ),
        );
    }
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return Outcome::stopped(FailureCode::Busy, "the sandbox has no free place");
    }
    Outcome::stopped(
        FailureCode::Trapped,
        "the provider broke the rules of the component model",
    )
}

fn says(error: &wasmtime::Error, text: &str) -> bool {
    error.chain().any(|cause| cause.to_string().contains(text))
}

/// Says which limit it was, and which keys raise it.
fn memory_exceeded(state: &CallState) -> String {
    if !state.limiter.memory_refused() {
        return format!(
            "the provider asked for more than its {} table elements (sandbox.table_elements)",
            state.limits.table_elements
        );
    }
    format!(
        "the provider asked for more than its {} of memory ({})",
        bytes(state.limits.memory_bytes),
        state.keys("memory_bytes")
    )
}

fn classify_trap(trap: Trap, state: &CallState) -> Outcome {
    match trap {
        Trap::Interrupt => Outcome::stopped(
            FailureCode::CpuExceeded,
            format!(
                "the provider used up its {} ms of CPU time ({})",
                state.limits.cpu_time.as_millis(),
                state.keys("cpu_time_ms")
            ),
        ),
        Trap::UnreachableCodeReached => Outcome::stopped(
            FailureCode::Trapped,
            "the provider stopped abruptly, as programs do that panic",
        ),
        Trap::StackOverflow => Outcome::stopped(
            FailureCode::Trapped,
            format!(
                "the provider used up its {} of stack (sandbox.stack_bytes)",
                bytes(state.limits.stack_bytes)
            ),
        ),
        other => {
            let trap = other.to_string();
            let trap = trap.strip_prefix("wasm trap: ").unwrap_or(&trap);
            Outcome::stopped(
                FailureCode::Trapped,
                format!("the provider trapped: {trap}"),
            )
        }
    }
}

/// The outcome of a call that has passed its wall-clock deadline.
pub(crate) fn deadline_exceeded(state: &CallState) -> Outcome {
    Outcome::stopped(
        FailureCode::DeadlineExceeded,
        format!(
            "the call did not end within {} ms ({}); whether the upstream acted is unknown",
            state.limits.deadline.as_millis(),
            state.keys("deadline_ms")
        ),
    )
}

/// The outcome of a call whose result has so many bytes.
pub(crate) fn result_too_large(result_bytes: usize, state: &CallState) -> Outcome {
    Outcome::stopped(
        FailureCode::TooLarge,
        format!(
            "the result has {result_bytes} bytes; the limit is {} ({})",
            state.limits.result_bytes,
            state.keys("result_bytes")
        ),
    )
}

/// In the largest unit that tells it exactly.
fn bytes(count: usize) -> String {
    match count {
        0 => "0 bytes".to_owned(),
        _ if count.is_multiple_of(1 << 20) => format!("{} MiB", count >> 20),
        _ if count.is_multiple_of(1 << 10) => format!("{} KiB", count >> 10),
        _ => format!("{count} bytes"),
    }
}
