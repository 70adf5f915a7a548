//! Traces, from a request to what a collector receives.
//!
//! Each test has a trace of its own, which its requests name as their parent.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod collector;

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use collector::{Collector, attributes};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use portcullis::Config;
use portcullis::telemetry::{self, Traces};
use portcullis_tests::{Answer, LINEAR_TOKEN, TestHost, canary, capture_no_log, test_config};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

/// The span of whoever calls the gateway.
const CALLER: &str = "00f067aa0ba902b7";

/// The collector's key.
const KEY: &str = concat!("Bearer ", canary!("collector-"));

fn config(endpoint: &str) -> Config {
    let data = tempfile::tempdir().unwrap();
    let overrides = [
        ("telemetry.otlp_endpoint", endpoint.to_owned()),
        ("telemetry.otlp_headers.authorization", KEY.to_owned()),
        ("log.filter", "off".to_owned()),
    ];
    test_config(data.path(), &overrides)
}

/// The collector of this process, to which all its gateways send.
fn collector() -> &'static Collector {
    static STARTED: OnceLock<(Collector, Traces, Runtime)> = OnceLock::new();
    let start = || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (collector, traces) = runtime.block_on(async {
            let collector = Collector::start().await;
            let config = config(&collector.endpoint);
            let traces = telemetry::init(&config.log, &config.telemetry).unwrap();
            (collector, traces.unwrap())
        });
        (collector, traces, runtime)
    };
    // A runtime cannot be waited on from within another.
    let start = || std::thread::spawn(start).join().unwrap();
    &STARTED.get_or_init(start).0
}

async fn host() -> TestHost {
    collector();
    capture_no_log();
    TestHost::start().await
}

/// Invokes an action as a part of a trace.
async fn invoke(host: &TestHost, trace_id: &str, action: &str, params: Value) -> Answer {
    let mut request = host.invocation(action, &params);
    let parent = format!("00-{trace_id}-{CALLER}-00");
    let headers = request.headers_mut();
    headers.insert("traceparent", parent.parse().unwrap());
    host.send(request).await
}

#[track_caller]
fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
    assert_eq!(found.len(), 1, "{name} among {names:?}");
    found[0]
}

const INVOKE_ROUTE: &str = "POST /{session_id}/actions/invoke";

#[tokio::test]
async fn a_call_is_told_from_request_to_upstream() {
    let trace_id = "11111111111111111111111111111111";
    let host = host().await;
    let answer = invoke(&host, trace_id, "list_issues", json!({ "first": 2 })).await;
    answer.assert_status(200);
    let spans = collector().trace(trace_id, 6).await;
    let request = named(&spans, INVOKE_ROUTE);
    assert_eq!(hex::encode(&request.parent_span_id), CALLER);
    assert_eq!(request.kind, SpanKind::Server as i32);
    let of_request = attributes(request);
    assert_eq!(of_request["http.request.method"], "POST");
    assert_eq!(of_request["http.route"], "/{session_id}/actions/invoke");
    assert_eq!(of_request["http.response.status_code"], "200");
    assert_eq!(of_request["requestId"], answer.header("x-request-id"));

    let invoke = named(&spans, "invoke");
    assert_eq!(invoke.parent_span_id, request.span_id);
    let of_invoke = attributes(invoke);
    assert_eq!(of_invoke["sourceId"], "linear");
    assert_eq!(of_invoke["actionId"], "list_issues");
    assert_eq!(of_invoke["mode"], "allow");
    assert_eq!(of_invoke["status"], "completed");
    let id = answer.json["invocation"]["id"].as_str().unwrap();
    assert_eq!(of_invoke["invocationId"], id);

    for stage in ["admission", "sandbox", "persist"] {
        assert_eq!(
            named(&spans, stage).parent_span_id,
            invoke.span_id,
            "{stage}"
        );
    }
    let sandbox = named(&spans, "sandbox");
    let of_sandbox = attributes(sandbox);
    assert_eq!(of_sandbox["outcome"], "completed");
    for number in ["cpuMicros", "upstreamMicros", "memoryBytes"] {
        let number: u64 = of_sandbox[number].parse().unwrap();
        assert!(number > 0, "{of_sandbox:?}");
    }

    let upstream = named(&spans, "upstream");
    assert_eq!(upstream.parent_span_id, sandbox.span_id);
    assert_eq!(upstream.kind, SpanKind::Client as i32);
    let of_upstream = attributes(upstream);
    assert_eq!(of_upstream["endpoint"], "api");
    assert_eq!(of_upstream["http.route"], "/graphql");
    assert_eq!(of_upstream["http.response.status_code"], "200");
    assert_eq!(of_upstream["requestSent"], "true");
    // Spans of storage are left out unless they are asked for.
    assert_eq!(spans.len(), 6, "{spans:?}");
}

#[tokio::test]
async fn failures_are_marked_where_they_happen() {
    let trace_id = "22222222222222222222222222222222";
    let host = host().await;
    let bad = invoke(
        &host,
        trace_id,
        "get_issue",
        json!({ "issueId": "ENG-9999" }),
    )
    .await;
    bad.assert_status(502);
    let spans = collector().trace(trace_id, 6).await;
    let request = named(&spans, INVOKE_ROUTE);
    let failed = request.status.as_ref().map(|status| status.code);
    assert_eq!(failed, Some(StatusCode::Error as i32));
    assert_eq!(
        attributes(named(&spans, "invoke"))["errorCode"],
        "not_found"
    );
    assert_eq!(attributes(named(&spans, "sandbox"))["outcome"], "not_found");
}

#[tokio::test]
async fn no_trace_holds_a_secret_or_what_was_said() {
    let trace_id = "33333333333333333333333333333333";
    let host = host().await;
    let title = "a title that stays between agent and Linear";
    host.set_mode("create_issue", "allow").await;
    let params = json!({ "teamId": "ENG", "title": title, "description": LINEAR_TOKEN });
    invoke(&host, trace_id, "create_issue", params).await;
    invoke(&host, trace_id, "list_issues", json!({}))
        .await
        .assert_status(200);
    let spans = collector().trace(trace_id, 10).await;
    assert!(spans.iter().any(|span| span.name == "upstream"));
    let encoded = STANDARD.encode(LINEAR_TOKEN);
    let requests = collector().requests();
    assert!(!requests.is_empty());
    for (headers, body) in requests {
        assert_eq!(headers["authorization"], KEY);
        assert_eq!(headers["content-type"], "application/x-protobuf");
        let body = String::from_utf8_lossy(&body);
        for secret in [
            LINEAR_TOKEN,
            &encoded,
            &host.sandbox_token,
            title,
            "collector-",
        ] {
            assert!(!body.contains(secret), "{secret}");
        }
    }
}

#[tokio::test]
async fn the_trace_ends_at_the_gateway() {
    let trace_id = "44444444444444444444444444444444";
    let host = host().await;
    invoke(&host, trace_id, "list_issues", json!({}))
        .await
        .assert_status(200);
    let requests = host.upstreams.linear.requests();
    assert!(!requests.is_empty());
    for request in requests {
        assert!(!request.headers.contains_key("traceparent"), "{request:?}");
    }
}

#[tokio::test]
async fn the_last_spans_are_sent_when_the_gateway_ends() {
    let collector = Collector::start().await;
    let traces = Traces::start(&config(&collector.endpoint).telemetry);
    let traces = traces.unwrap().unwrap();
    let counts = traces.counts();
    let subscriber = Registry::default().with(traces.layer().unwrap());
    tracing::subscriber::with_default(subscriber, || {
        tracing::debug_span!(target: "portcullis::last", "last").in_scope(|| {});
        tracing::info_span!(target: "reqwest", "not ours").in_scope(|| {});
    });
    traces.shutdown().await;
    let names: Vec<_> = collector
        .spans()
        .into_iter()
        .map(|span| span.name)
        .collect();
    assert_eq!(names, ["last"]);
    assert_eq!(
        (counts.exported(), counts.failed(), counts.dropped()),
        (1, 0, 0)
    );
}

#[tokio::test]
async fn a_collector_that_is_gone_costs_spans_and_nothing_else() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let traces = Traces::start(&config(&endpoint).telemetry)
        .unwrap()
        .unwrap();
    let counts = traces.counts();
    let subscriber = Registry::default().with(traces.layer().unwrap());
    tracing::subscriber::with_default(subscriber, || {
        tracing::debug_span!(target: "portcullis::lost", "lost").in_scope(|| {});
    });
    traces.shutdown().await;
    assert_eq!((counts.exported(), counts.failed()), (0, 1));
}

#[tokio::test]
async fn without_an_endpoint_there_are_no_traces() {
    assert!(Traces::start(&config("").telemetry).unwrap().is_none());
}
