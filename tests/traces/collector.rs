//! A collector of traces, as OTLP over HTTP describes it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use portcullis_test_canary::{Place, canaries};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

/// Spans that take longer than this to arrive do not. Not a wait: a test that
/// gets here has failed, and says so instead of hanging.
const PATIENCE: Duration = Duration::from_mins(1);

/// What has been received so far.
#[derive(Debug, Default)]
struct Received {
    spans: Vec<Span>,
    requests: Vec<(HeaderMap, Bytes)>,
}

/// A collector; a clone is the same.
#[derive(Debug, Clone)]
pub(crate) struct Collector {
    received: Arc<watch::Sender<Received>>,
    pub(crate) endpoint: String,
}

impl Collector {
    /// Serves on a free port for as long as the runtime lives.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let received = Arc::new(watch::Sender::new(Received::default()));
        let router = Router::new()
            .route("/v1/traces", post(collect))
            .with_state(Arc::clone(&received));
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { received, endpoint }
    }

    /// The spans of a trace, once there are as many of them.
    pub(crate) async fn trace(&self, trace_id: &str, count: usize) -> Vec<Span> {
        let of_trace = |received: &Received| -> Vec<Span> {
            let spans = received.spans.iter();
            spans
                .filter(|span| hex::encode(&span.trace_id) == trace_id)
                .cloned()
                .collect()
        };
        let mut watching = self.received.subscribe();
        let arrived = watching.wait_for(|received| of_trace(received).len() >= count);
        let arrived = timeout(PATIENCE, arrived).await;
        let spans = of_trace(&self.received.borrow());
        let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
        assert!(arrived.is_ok(), "only {names:?}");
        spans
    }

    /// Every span received so far.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.received.borrow().spans.clone()
    }

    /// Every request received so far.
    pub(crate) fn requests(&self) -> Vec<(HeaderMap, Bytes)> {
        self.received.borrow().requests.clone()
    }
}

async fn collect(
    State(received): State<Arc<watch::Sender<Received>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    canaries().look(Place::Trace, "a batch of spans", &body);
    let request = ExportTraceServiceRequest::decode(body.clone()).unwrap();
    received.send_modify(|received| {
        for scope in request
            .resource_spans
            .into_iter()
            .flat_map(|r| r.scope_spans)
        {
            received.spans.extend(scope.spans);
        }
        received.requests.push((headers, body));
    });
    StatusCode::OK
}

/// A span's attributes, as text.
pub(crate) fn attributes(span: &Span) -> BTreeMap<&str, String> {
    let attributes = span.attributes.iter();
    attributes
        .map(|attribute| {
            let value = attribute.value.as_ref().and_then(|any| any.value.as_ref());
            let text = match value {
                Some(Value::StringValue(text)) => text.clone(),
                Some(Value::IntValue(number)) => number.to_string(),
                Some(Value::BoolValue(flag)) => flag.to_string(),
                other => panic!("{}: {other:?}", attribute.key),
            };
            (attribute.key.as_str(), text)
        })
        .collect()
}
