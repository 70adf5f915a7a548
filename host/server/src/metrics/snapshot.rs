//! What is looked up at the moment of a scrape.
//!
//! In a registry made for the one scrape, so that nothing has to be kept up to
//! date and two scrapes at a time do not meet.

use portcullis_runtime::Plugin;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::{Metrics, PREFIX};
use crate::gateway::Gateway;
use crate::telemetry::SpanCounts;

pub(super) fn of(gateway: &Gateway, metrics: &Metrics) -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    process(&mut registry, metrics);
    sandbox(&mut registry, gateway);
    plugins(&mut registry, gateway);
    streams(&mut registry, gateway);
    if let Some(counts) = metrics.spans.get() {
        spans(&mut registry, counts);
    }
    registry
}

fn process(registry: &mut Registry, metrics: &Metrics) {
    let version = env!("CARGO_PKG_VERSION");
    registry.register(
        "build",
        "The version that runs",
        Info::new(vec![("version", version)]),
    );
    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds of this century fit into 53 bits"
    )]
    let started_at = metrics.started_at.as_micros() as f64 / 1e6;
    registry.register_with_unit(
        "start_time",
        "When the gateway started, since 1970",
        Unit::Seconds,
        ConstGauge::new(started_at),
    );
}

fn sandbox(registry: &mut Registry, gateway: &Gateway) {
    let load = gateway.sandbox.load();
    for (name, help, value) in [
        (
            "sandbox_places",
            "Calls that may run at the same time",
            load.places,
        ),
        ("sandbox_places_in_use", "Calls that run", load.in_use),
        (
            "sandbox_waiting",
            "Calls that wait for a place",
            load.waiting,
        ),
        (
            "executions_running",
            "Requests for actions under way, from their validation to their answer",
            gateway.executions.len(),
        ),
    ] {
        registry.register(
            name,
            help,
            ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)),
        );
    }
    for (name, help, value) in [
        (
            "sandbox_queue_timeouts",
            "Calls that found no place in time",
            load.queue_timeouts,
        ),
        (
            "sandbox_queue_overflows",
            "Calls that were turned away since too many waited",
            load.queue_overflows,
        ),
    ] {
        registry.register(name, help, ConstCounter::new(value));
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PluginLabels {
    source: String,
    version: String,
    digest: String,
}

impl From<&Plugin> for PluginLabels {
    fn from(plugin: &Plugin) -> Self {
        Self {
            source: plugin.descriptor().id.to_string(),
            version: plugin.descriptor().version.clone(),
            digest: plugin.digest().to_string(),
        }
    }
}

fn plugins(registry: &mut Registry, gateway: &Gateway) {
    let family = Family::<PluginLabels, Gauge>::default();
    for plugin in gateway.sources.plugins() {
        family.get_or_create(&PluginLabels::from(&plugin)).set(1);
    }
    registry.register("plugin_info", "The plugins that serve; always 1", family);
    let failed = gateway.sources.failed().len();
    registry.register(
        "plugins_failed",
        "Plugin files that could not be loaded",
        ConstGauge::new(i64::try_from(failed).unwrap_or(i64::MAX)),
    );
}

fn streams(registry: &mut Registry, gateway: &Gateway) {
    let open = gateway.events.count();
    registry.register(
        "event_streams_open",
        "Streams of events that somebody listens to",
        ConstGauge::new(i64::try_from(open).unwrap_or(i64::MAX)),
    );
    registry.register(
        "event_streams_dropped",
        "Streams of events ended since their client did not read",
        ConstCounter::new(gateway.events.let_go()),
    );
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SpanLabels {
    result: &'static str,
}

fn spans(registry: &mut Registry, counts: &SpanCounts) {
    let family = Family::<SpanLabels, Counter>::default();
    for (result, count) in [
        ("exported", counts.exported()),
        ("failed", counts.failed()),
        ("dropped", counts.dropped()),
    ] {
        family.get_or_create(&SpanLabels { result }).inc_by(count);
    }
    registry.register(
        "trace_spans",
        "Spans of traces: sent, not taken by the collector, or dropped since too many waited",
        family,
    );
}
