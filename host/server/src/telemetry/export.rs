//! Spans in the words of OpenTelemetry, sent and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{Context, Key, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};

/// What became of spans, since the start.
#[derive(Debug, Default)]
pub struct SpanCounts {
    waiting: AtomicUsize,
    exported: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl SpanCounts {
    /// Taken by the collector.
    pub fn exported(&self) -> u64 {
        self.exported.load(Ordering::Relaxed)
    }

    /// Not taken by the collector.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Dropped since too many waited to be sent.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Takes a place in the queue, if there is one.
    fn enter(&self, places: usize) -> bool {
        let entered = self.waiting.fetch_add(1, Ordering::Relaxed) < places;
        if !entered {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        entered
    }
}

/// Drops and counts the spans for which the queue behind it has no place: the
/// SDK's own queue drops them as well, and tells nobody.
#[derive(Debug)]
pub(super) struct BoundedQueue<P> {
    queue: P,
    counts: Arc<SpanCounts>,
    places: usize,
}

impl<P> BoundedQueue<P> {
    pub(super) fn new(queue: P, counts: Arc<SpanCounts>, places: usize) -> Self {
        Self {
            queue,
            counts,
            places,
        }
    }
}

impl<P: SpanProcessor> SpanProcessor for BoundedQueue<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.queue.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        // The queue passes over spans that are not sampled.
        if span.span_context.is_sampled() && self.counts.enter(self.places) {
            self.queue.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

/// Counts what an exporter takes.
#[derive(Debug)]
pub(super) struct CountingExporter<E> {
    exporter: E,
    counts: Arc<SpanCounts>,
}

impl<E> CountingExporter<E> {
    pub(super) fn new(exporter: E, counts: Arc<SpanCounts>) -> Self {
        Self { exporter, counts }
    }
}

impl<E: SpanExporter> SpanExporter for CountingExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.counts.waiting.fetch_sub(spans, Ordering::Relaxed);
        let batch = batch.into_iter().map(in_their_words).collect();
        let result = self.exporter.export(batch).await;
        let count = match result {
            Ok(()) => &self.counts.exported,
            Err(_) => &self.counts.failed,
        };
        count.fetch_add(spans as u64, Ordering::Relaxed);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Our fields and what the semantic conventions call them. Log lines carry the
/// same fields under the names on the left.
const NAMES: [(&str, &str); 4] = [
    ("method", "http.request.method"),
    ("route", "http.route"),
    ("status", "http.response.status_code"),
    ("error", "error.type"),
];

/// Names kinds, attributes and failures as OpenTelemetry does.
fn in_their_words(mut span: SpanData) -> SpanData {
    match span.name.as_ref() {
        "request" => {
            span.span_kind = SpanKind::Server;
            span.status = status(&span, 500);
            if let (Some(method), Some(route)) = (text(&span, "method"), text(&span, "route")) {
                span.name = format!("{method} {route}").into();
            }
        }
        "upstream" => {
            span.span_kind = SpanKind::Client;
            span.status = status(&span, 400);
        }
        _ => return span,
    }
    for attribute in &mut span.attributes {
        let names = NAMES.iter();
        if let Some((_, theirs)) = names
            .into_iter()
            .find(|(ours, _)| attribute.key.as_str() == *ours)
        {
            attribute.key = Key::from_static_str(theirs);
        }
    }
    span
}

/// An error, when there is no response or one of this status and above.
fn status(span: &SpanData, from: i64) -> Status {
    let failed = match (value(span, "status"), value(span, "error")) {
        (_, Some(_)) => true,
        (Some(Value::I64(status)), None) => *status >= from,
        _ => false,
    };
    if failed {
        Status::error("")
    } else {
        Status::Unset
    }
}

fn value<'a>(span: &'a SpanData, key: &str) -> Option<&'a Value> {
    let attribute = |attribute: &&KeyValue| attribute.key.as_str() == key;
    span.attributes
        .iter()
        .find(attribute)
        .map(|found| &found.value)
}

fn text(span: &SpanData, key: &str) -> Option<String> {
    value(span, key).map(|value| value.as_str().into_owned())
}

#[cfg(test)]
mod tests {
    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
    use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

    use super::*;

    fn span(name: &'static str, attributes: &[(&'static str, Value)]) -> SpanData {
        let attributes = attributes.iter();
        SpanData {
            span_context: SpanContext::new(
                TraceId::from(1),
                SpanId::from(1),
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: std::time::SystemTime::UNIX_EPOCH,
            end_time: std::time::SystemTime::UNIX_EPOCH,
            attributes: attributes
                .map(|(key, value)| KeyValue::new(*key, value.clone()))
                .collect(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::default(),
        }
    }

    #[test]
    fn a_request_is_a_server_span_named_by_its_route() {
        let span = in_their_words(span(
            "request",
            &[
                ("method", "POST".into()),
                ("route", "/x/{id}".into()),
                ("status", 404.into()),
            ],
        ));
        assert_eq!(span.span_kind, SpanKind::Server);
        assert_eq!(span.name, "POST /x/{id}");
        assert_eq!(span.status, Status::Unset);
        let keys: Vec<_> = span.attributes.iter().map(|a| a.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "http.request.method",
                "http.route",
                "http.response.status_code"
            ]
        );
    }

    #[test]
    fn failures_are_errors_where_they_are_the_servers() {
        for (name, attribute, failed) in [
            ("request", ("status", Value::from(499)), false),
            ("request", ("status", Value::from(500)), true),
            ("upstream", ("status", Value::from(302)), false),
            ("upstream", ("status", Value::from(429)), true),
            ("upstream", ("error", Value::from("dns")), true),
            ("sandbox", ("status", Value::from(500)), false),
        ] {
            let span = in_their_words(span(name, std::slice::from_ref(&attribute)));
            let is_error = matches!(span.status, Status::Error { .. });
            assert_eq!(is_error, failed, "{name} {attribute:?}");
        }
    }

    /// Takes and keeps spans, or refuses them.
    #[derive(Debug, Default)]
    struct Collector {
        refuses: bool,
    }

    impl SpanExporter for Collector {
        async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
            if self.refuses {
                let reason = "refused".to_owned();
                return Err(opentelemetry_sdk::error::OTelSdkError::InternalFailure(
                    reason,
                ));
            }
            Ok(())
        }
    }

    /// Lets nothing through by itself.
    #[derive(Debug, Default)]
    struct Stalled;

    impl SpanProcessor for Stalled {
        fn on_start(&self, _span: &mut Span, _context: &Context) {}
        fn on_end(&self, _span: SpanData) {}
        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }
        fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
            Ok(())
        }
    }

    #[tokio::test]
    async fn every_span_is_counted_once() {
        let counts = Arc::new(SpanCounts::default());
        let queue = BoundedQueue::new(Stalled, Arc::clone(&counts), 3);
        let spans = |count| (0..count).map(|_| span("x", &[])).collect::<Vec<_>>();
        for span in spans(5) {
            queue.on_end(span);
        }
        assert_eq!(counts.dropped(), 2);
        let takes = CountingExporter::new(Collector::default(), Arc::clone(&counts));
        takes.export(spans(2)).await.unwrap();
        let refuses = CountingExporter::new(Collector { refuses: true }, Arc::clone(&counts));
        refuses.export(spans(1)).await.unwrap_err();
        assert_eq!((counts.exported(), counts.failed()), (2, 1));
        // All have left, so there is room again.
        for span in spans(3) {
            queue.on_end(span);
        }
        assert_eq!(counts.dropped(), 2);
    }
}
