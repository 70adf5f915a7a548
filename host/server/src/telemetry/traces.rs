//! Which spans are recorded, and how they wait to be sent.
//!
//! Spans are handed over in a bounded queue to a thread that sends them in
//! batches. A call never waits for it: what finds the queue full is dropped and
//! counted.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, ParentBasedSampler, Sampler, SdkTracerProvider,
};
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

use super::export::{BoundedQueue, CountingExporter, SpanCounts};
use super::transport::Transport;
use crate::config::TelemetryConfig;

/// Spans that wait to be sent; more are dropped. A call has about ten, so this
/// is several hundred calls, or a few megabytes.
const QUEUED_SPANS: usize = 4_096;

/// Spans of one request to the collector.
const BATCH_SPANS: usize = 512;

/// How long a span waits at most for others to be sent with it.
const BATCH_DELAY: Duration = Duration::from_secs(2);

/// How long the last spans have to be sent when the gateway ends.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(5);

/// Traces of this process, on their way to a collector.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    filter: String,
    counts: Arc<SpanCounts>,
}

impl Traces {
    /// Sets up the way to the collector; `None` when none is configured.
    /// Nothing is sent yet. Must be called within a tokio runtime, which sends.
    pub fn start(config: &TelemetryConfig) -> anyhow::Result<Option<Self>> {
        let Some(endpoint) = config.endpoint() else {
            return Ok(None);
        };
        let transport = Transport::new(&endpoint, &config.headers()?, Handle::current())?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(transport)
            .with_endpoint(endpoint.as_str())
            .with_timeout(super::transport::TIMEOUT)
            .build()
            .context("telemetry.otlp_endpoint")?;
        let counts = Arc::new(SpanCounts::default());
        let queue = BoundedQueue::new(
            BatchSpanProcessor::builder(CountingExporter::new(exporter, Arc::clone(&counts)))
                .with_batch_config(
                    BatchConfigBuilder::default()
                        .with_max_queue_size(QUEUED_SPANS)
                        .with_max_export_batch_size(BATCH_SPANS)
                        .with_scheduled_delay(BATCH_DELAY)
                        .build(),
                )
                .build(),
            Arc::clone(&counts),
            QUEUED_SPANS,
        );
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler(config.sample_ratio))
            .with_resource(resource(&config.service_name))
            .with_span_processor(queue)
            .build();
        Ok(Some(Self {
            provider,
            filter: config.filter.clone(),
            counts,
        }))
    }

    /// Records the gateway's own spans that the filter lets through.
    ///
    /// Spans only, since log lines have their place; and only ours, since those
    /// of the HTTP client would describe the sending of traces in traces.
    pub fn layer<S>(&self) -> anyhow::Result<impl Layer<S> + Send + Sync + use<S>>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let filter = EnvFilter::try_new(&self.filter)
            .with_context(|| format!("telemetry.filter = {:?}", self.filter))?;
        let own_spans =
            filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("portcullis"));
        Ok(tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("portcullis"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(filter.and(own_spans)))
    }

    /// What became of the spans so far.
    pub fn counts(&self) -> Arc<SpanCounts> {
        Arc::clone(&self.counts)
    }

    /// Sends what waits, within a bounded time, and stops.
    pub async fn shutdown(self) {
        let stop = move || self.provider.shutdown_with_timeout(SHUTDOWN_PATIENCE);
        match tokio::task::spawn_blocking(stop).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the last traces could not be sent"),
            Err(panic) => tracing::error!(error = %panic, "the end of traces panicked"),
        }
    }
}

/// Keeps this part of all traces. Spans of one request are kept or dropped
/// together; what a client's `traceparent` says about it does not count, or any
/// client could make us keep everything.
fn sampler(ratio: f64) -> ParentBasedSampler {
    let ours = || Sampler::TraceIdRatioBased(ratio);
    Sampler::parent_based(ours())
        .with_remote_parent_sampled(ours())
        .with_remote_parent_not_sampled(ours())
}

/// Who speaks. Nothing is read from the environment.
fn resource(service_name: &str) -> Resource {
    Resource::builder_empty()
        .with_service_name(service_name.to_owned())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}
