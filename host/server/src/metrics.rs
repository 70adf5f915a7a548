//! Numbers for operators, in the text format of `OpenMetrics`.
//!
//! | file | what lives there |
//! | --- | --- |
//! | `labels` | what a series is told apart by |
//! | `calls` | invocations and what each stage of them took |
//! | `decisions` | what people decide, and the record of what happens |
//! | `egress` | requests of plugins |
//! | `storage` | transactions |
//! | `snapshot` | what is looked up at the moment of a scrape |
//!
//! **An agent cannot make series.** Labels come from loaded plugins, from the
//! routes of the router, and from closed sets; organizations, sessions, users and
//! whatever a client wrote are never among them.
//!
//! Each gateway has a registry of its own. A new family is a field, a line in
//! `new` with its help, and a function that says what happened; those who call it
//! know nothing of families.

mod calls;
mod decisions;
mod egress;
mod labels;
mod snapshot;
mod storage;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use portcullis_core::time::Timestamp;
use portcullis_runtime::egress::EgressObserver;
use portcullis_storage::Storage;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

pub use calls::{Outcome, Stage, Timed};
pub use decisions::Decision;

use calls::Calls;
use decisions::Decisions;
use egress::{EgressFamilies, ObservedEgress};
use labels::{RequestLabels, RouteLabels, SourceLabels};
use storage::{ObservedStorage, StorageFamilies};

use crate::gateway::Gateway;
use crate::telemetry::SpanCounts;

/// The text format, as `Content-Type` names it.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The start of every family's name.
const PREFIX: &str = "portcullis";

/// Bounds of durations, in seconds: from what a fresh instance costs to the
/// deadline of a call.
const SECONDS: [f64; 18] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0, 30.0,
];

/// A family of histograms of durations.
type Durations<L> = Family<L, Histogram, fn() -> Histogram>;

fn durations() -> Histogram {
    Histogram::new(SECONDS)
}

/// What a gateway counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls: Calls,
    decisions: Decisions,
    egress: EgressFamilies,
    storage: StorageFamilies,
    http_requests: Family<RequestLabels, Counter>,
    http_seconds: Durations<RouteLabels>,
    needs_reauth: Family<SourceLabels, Counter>,
    started_at: Timestamp,
    spans: OnceLock<Arc<SpanCounts>>,
}

impl Metrics {
    /// Starts counting at zero.
    pub fn new(started_at: Timestamp) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let http_requests = Family::default();
        registry.register(
            "http_requests",
            "Requests to the gateway by the template of their route; `unmatched` has none",
            Family::clone(&http_requests),
        );
        let http_seconds = Durations::new_with_constructor(durations);
        registry.register_with_unit(
            "http_request",
            "From the head of a request to the start of its answer",
            Unit::Seconds,
            Family::clone(&http_seconds),
        );
        let needs_reauth = Family::default();
        registry.register(
            "connections_needing_reauth",
            "Connections marked because the upstream refused their credential",
            Family::clone(&needs_reauth),
        );
        Self {
            calls: Calls::register(&mut registry),
            decisions: Decisions::register(&mut registry),
            egress: EgressFamilies::register(&mut registry),
            storage: StorageFamilies::register(&mut registry),
            registry,
            http_requests,
            http_seconds,
            needs_reauth,
            started_at,
            spans: OnceLock::new(),
        }
    }

    /// A request to the gateway was answered.
    ///
    /// `route` is a template of the router, never a path that somebody sent.
    pub fn answered(&self, method: &http::Method, route: &str, status: u16, took: Duration) {
        self.http_requests
            .get_or_create(&RequestLabels {
                method: labels::method(method),
                route: route.to_owned(),
                status: labels::status_class(status),
            })
            .inc();
        self.http_seconds
            .get_or_create(&RouteLabels {
                route: route.to_owned(),
            })
            .observe(took.as_secs_f64());
    }

    /// A connection of a loaded plugin was marked, since the upstream refused
    /// its credential.
    pub fn marked_needs_reauth(&self, source: &str) {
        self.needs_reauth
            .get_or_create(&SourceLabels::of(source))
            .inc();
    }

    /// Counts the requests of one call of a loaded plugin.
    pub fn egress_of(&self, source: &str) -> Arc<dyn EgressObserver> {
        Arc::new(ObservedEgress::new(source, self.egress.clone()))
    }

    /// The same storage, its transactions counted.
    pub fn observed(&self, storage: Arc<dyn Storage>) -> Arc<dyn Storage> {
        Arc::new(ObservedStorage::new(storage, &self.storage))
    }

    /// Shows what became of spans as well; a second call changes nothing.
    pub fn show_spans(&self, counts: Arc<SpanCounts>) {
        let _ = self.spans.set(counts);
    }

    /// Everything, as [`CONTENT_TYPE`].
    pub fn render(&self, gateway: &Gateway) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &snapshot::of(gateway, self))?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}
