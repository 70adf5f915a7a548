//! Invocations: how they end, and how long each stage of them takes.

use std::time::{Duration, Instant};

use portcullis_runtime::Usage;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::labels::SourceLabels;
use super::{Durations, Metrics, durations};

/// Bounds of memory: one page of WebAssembly to the default limit and beyond.
const BYTES: [f64; 8] = [
    65_536.0,
    1_048_576.0,
    2_097_152.0,
    4_194_304.0,
    8_388_608.0,
    16_777_216.0,
    33_554_432.0,
    67_108_864.0,
];

/// How a request for an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The action succeeded.
    Completed,
    /// The action failed.
    Failed,
    /// It waits for a person.
    Pending,
    /// Policy or a person said no.
    Denied,
    /// There is no invocation: it was not admitted.
    Refused,
    /// The answer of an earlier request with the same idempotency key.
    Repeated,
    /// It ran, and what came of it could not be written.
    Unrecorded,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Denied => "denied",
            Self::Refused => "refused",
            Self::Repeated => "repeated",
            Self::Unrecorded => "unrecorded",
        }
    }
}

/// A part of an invocation's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Everything up to the committed row.
    Admission,
    /// Waiting for a place in the sandbox.
    Queue,
    /// CPU time of the guest and of making its instance.
    Sandbox,
    /// Waiting for HTTP.
    Upstream,
    /// Writing the outcome.
    Persistence,
}

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::Queue => "queue",
            Self::Sandbox => "sandbox",
            Self::Upstream => "upstream",
            Self::Persistence => "persistence",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    source: String,
    action: String,
    outcome: &'static str,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActionLabels {
    source: String,
    action: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    source: String,
    stage: &'static str,
}

/// The families of invocations.
#[derive(Debug)]
pub(super) struct Calls {
    ends: Family<EndLabels, Counter>,
    whole: Durations<ActionLabels>,
    stages: Durations<StageLabels>,
    memory: Family<SourceLabels, Histogram, fn() -> Histogram>,
    log_lines_dropped: Family<SourceLabels, Counter>,
}

impl Calls {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let calls = Self {
            ends: Family::default(),
            whole: Durations::new_with_constructor(durations),
            stages: Durations::new_with_constructor(durations),
            memory: Family::new_with_constructor(|| Histogram::new(BYTES)),
            log_lines_dropped: Family::default(),
        };
        registry.register(
            "invocations",
            "Requests for actions by how they ended; `code` says why where they failed, were \
             denied or refused, and source and action are empty where there is none of that name",
            Family::clone(&calls.ends),
        );
        registry.register_with_unit(
            "invocation",
            "From a request for an action to its answer, of those that were admitted",
            Unit::Seconds,
            Family::clone(&calls.whole),
        );
        registry.register_with_unit(
            "invocation_stage",
            "Where the time of invocations goes; `sandbox` is CPU time, without any waiting",
            Unit::Seconds,
            Family::clone(&calls.stages),
        );
        registry.register_with_unit(
            "guest_memory_peak",
            "Linear memory of a call at its end, which is its peak",
            Unit::Bytes,
            Family::clone(&calls.memory),
        );
        registry.register(
            "guest_log_lines_dropped",
            "Log lines of plugins beyond the limit of a call",
            Family::clone(&calls.log_lines_dropped),
        );
        calls
    }
}

impl Metrics {
    /// A request for an action ended.
    ///
    /// Source and action are names of what is loaded, or empty; `code` is of a
    /// closed set, or empty.
    pub fn ended(&self, source: &str, action: &str, outcome: Outcome, code: &'static str) {
        self.calls
            .ends
            .get_or_create(&EndLabels {
                source: source.to_owned(),
                action: action.to_owned(),
                outcome: outcome.as_str(),
                code,
            })
            .inc();
    }

    /// An admitted invocation was answered.
    pub fn took(&self, source: &str, action: &str, took: Duration) {
        self.calls
            .whole
            .get_or_create(&ActionLabels {
                source: source.to_owned(),
                action: action.to_owned(),
            })
            .observe(took.as_secs_f64());
    }

    /// A guest has run, or found no place to.
    pub fn ran(&self, source: &str, usage: &Usage) {
        self.stage(source, Stage::Queue, usage.queue_time);
        self.stage(source, Stage::Sandbox, usage.cpu_time);
        self.stage(source, Stage::Upstream, usage.upstream_time);
        let labels = SourceLabels::of(source);
        #[expect(
            clippy::cast_precision_loss,
            reason = "the limit on memory is far below 2^53 bytes"
        )]
        let peak = usage.memory_bytes as f64;
        self.calls.memory.get_or_create(&labels).observe(peak);
        if usage.log_lines_dropped > 0 {
            self.calls
                .log_lines_dropped
                .get_or_create(&labels)
                .inc_by(u64::from(usage.log_lines_dropped));
        }
    }

    /// Times a stage until what is returned is dropped.
    pub fn time<'a>(&'a self, source: &'a str, stage: Stage) -> Timed<'a> {
        Timed {
            metrics: self,
            source,
            stage,
            began: Instant::now(),
        }
    }

    fn stage(&self, source: &str, stage: Stage, took: Duration) {
        self.calls
            .stages
            .get_or_create(&StageLabels {
                source: source.to_owned(),
                stage: stage.as_str(),
            })
            .observe(took.as_secs_f64());
    }
}

/// A stage under way. It counts however it ends.
#[derive(Debug)]
pub struct Timed<'a> {
    metrics: &'a Metrics,
    source: &'a str,
    stage: Stage,
    began: Instant,
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        self.metrics
            .stage(self.source, self.stage, self.began.elapsed());
    }
}
