//! What a request and its response may carry, from the guest to a real socket.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use portcullis_core::invocation::BaseUrls;
use portcullis_core::plugin::ConnectionType;
use portcullis_runtime::OwnLimits;
use portcullis_runtime::egress::{
    CallEgress, Credential, EgressClient, EgressLimits, SystemResolver,
};
use serde_json::{Value, json};

use crate::harness::{Echo, Guest};

/// The guest with all its endpoints at the upstream, by way of this client.
fn reaching(guest: &Guest, upstream: &Echo, client: EgressClient) -> Guest {
    let endpoints = guest.plugin.descriptor().endpoints.clone();
    let base_urls: BaseUrls = endpoints
        .iter()
        .map(|endpoint| (endpoint.name.clone(), upstream.origin().parse().unwrap()))
        .collect();
    let egress = CallEgress::new(
        client,
        endpoints.into(),
        base_urls,
        HashSet::from([upstream.origin().parse().unwrap()]),
        Some(Credential::new(
            ConnectionType::ApiKey,
            "0123456789abcdef".into(),
        )),
        "connect the probe first",
    );
    guest.clone().outbound(egress)
}

fn client(change: impl FnOnce(&mut EgressLimits)) -> EgressClient {
    let mut limits = EgressLimits::default();
    change(&mut limits);
    EgressClient::new(limits, Arc::new(SystemResolver)).unwrap()
}

fn get(path: &str) -> Value {
    json!({ "endpoint": "api", "method": "GET", "path": path })
}

/// The request with this member.
fn with(name: &str, value: Value) -> Value {
    let mut request = get("/");
    request[name] = value;
    if name == "body" {
        request["method"] = "POST".into();
    }
    request
}

#[track_caller]
fn assert_answered(answer: &Value) {
    assert_eq!(answer["response"]["status"], 200, "{answer}");
}

#[track_caller]
fn assert_too_large(answer: &Value, key: &str, request_sent: bool) {
    let error = &answer["error"];
    assert_eq!(error["kind"], "ErrorKind::TooLarge", "{answer}");
    assert_eq!(error["request_sent"], request_sent);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(&format!("egress.{key}")), "{message}");
}

#[tokio::test]
async fn a_request_goes_out_at_its_limits_and_not_beyond() {
    let mut upstream = Echo::start(&[], "").await;
    let client = client(|limits| {
        limits.max_path_bytes = 10;
        limits.max_query_bytes = 5;
        limits.max_headers = 2;
        limits.max_header_bytes = 20;
        limits.max_request_body_bytes = 10;
    });
    let guest = reaching(&Guest::probe().await, &upstream, client);
    let headers = |count| with("headers", json!(vec![["accept", "*"]; count]));
    let header = |length| with("headers", json!([["x-long", "x".repeat(length)]]));
    for (fits, beyond, key) in [
        (get("/123456789"), get("/1234567890"), "max_path_bytes"),
        (
            with("query", json!([["a", "123"]])),
            with("query", json!([["a", "1234"]])),
            "max_query_bytes",
        ),
        (headers(2), headers(3), "max_headers"),
        (header(14), header(15), "max_header_bytes"),
        (
            with("body", "0123456789".into()),
            with("body", "0123456789a".into()),
            "max_request_body_bytes",
        ),
    ] {
        assert_too_large(&guest.result("fetch", beyond).await, key, false);
        assert_answered(&guest.result("fetch", fits).await);
        // Nothing has arrived but what fits.
        upstream.head().await;
    }
}

/// What comes of a response with these headers and this body.
async fn received(
    guest: &Guest,
    headers: &[(&str, String)],
    body: &[u8],
    change: impl FnOnce(&mut EgressLimits),
) -> Value {
    let upstream = Echo::start_with_bytes(headers, body).await;
    let guest = reaching(guest, &upstream, client(change));
    guest.result("fetch", get("/")).await
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gzipped() -> (&'static str, String) {
    ("content-encoding", "gzip".to_owned())
}

#[tokio::test]
async fn a_body_arrives_at_its_limit_and_not_beyond() {
    let guest = Guest::probe().await;
    let limit = |limits: &mut EgressLimits| limits.max_response_body_bytes = 1_000;
    for (headers, fits, beyond) in [
        (vec![], vec![b'x'; 1_000], vec![b'x'; 1_001]),
        (vec![gzipped()], gzip(&[b'x'; 1_000]), gzip(&[b'x'; 1_001])),
    ] {
        let answer = received(&guest, &headers, &fits, limit).await;
        assert_answered(&answer);
        assert_eq!(answer["response"]["body"].as_str().unwrap().len(), 1_000);
        let answer = received(&guest, &headers, &beyond, limit).await;
        assert_too_large(&answer, "max_response_body_bytes", true);
    }
}

/// Archives of nothing: without a limit of their own they could go on for ever.
#[tokio::test]
async fn what_is_received_is_bounded_also_where_nothing_comes_of_it() {
    let guest = Guest::probe().await;
    let nothing = gzip(b"");
    let limit = |limits: &mut EgressLimits| limits.max_response_wire_bytes = 10 * nothing.len();
    let answer = received(&guest, &[gzipped()], &nothing.repeat(10), limit).await;
    assert_answered(&answer);
    assert_eq!(answer["response"]["body"], "");
    let answer = received(&guest, &[gzipped()], &nothing.repeat(11), limit).await;
    assert_too_large(&answer, "max_response_wire_bytes", true);
}

/// What the upstream sends of its own, in bytes of names and values.
const OWN_HEADERS: [(&str, &str); 2] = [("content-length", "0"), ("connection", "close")];

#[tokio::test]
async fn headers_arrive_at_their_limits_and_not_beyond() {
    let guest = Guest::probe().await;
    let answer = |count, length| {
        let headers = vec![("x-a", "x".repeat(length)); count];
        let guest = &guest;
        async move {
            received(guest, &headers, b"", |limits| {
                limits.max_response_headers = OWN_HEADERS.len() + 3;
                let own = OWN_HEADERS
                    .iter()
                    .map(|(name, value)| name.len() + value.len());
                limits.max_response_header_bytes = own.sum::<usize>() + 103;
            })
            .await
        }
    };
    assert_answered(&answer(3, 1).await);
    assert_too_large(&answer(4, 1).await, "max_response_headers", true);
    assert_answered(&answer(1, 100).await);
    assert_too_large(&answer(1, 101).await, "max_response_header_bytes", true);
}

#[tokio::test]
async fn a_plugin_may_have_bodies_of_its_own() {
    let own = OwnLimits {
        max_request_body_bytes: Some(10),
        max_response_body_bytes: Some(100),
        max_response_wire_bytes: Some(90),
        ..OwnLimits::default()
    };
    let guest = Guest::probe_with(|config| {
        config.own_limits.insert("probe".parse().unwrap(), own);
    })
    .await;
    let fetch = async |body: &[u8], headers: &[(&str, String)], request: Value| {
        let upstream = Echo::start_with_bytes(headers, body).await;
        let client = guest.plugin.egress().clone();
        let guest = reaching(&guest, &upstream, client);
        guest.result("fetch", request).await
    };
    let sending = |length| with("body", "x".repeat(length).into());
    assert_answered(&fetch(b"", &[], sending(10)).await);
    let answer = fetch(b"", &[], sending(11)).await;
    assert_too_large(&answer, "max_request_body_bytes", false);
    assert_answered(&fetch(&[b'x'; 90], &[], get("/")).await);
    let answer = fetch(&[b'x'; 91], &[], get("/")).await;
    assert_too_large(&answer, "max_response_wire_bytes", true);
    assert_answered(&fetch(&gzip(&[b'x'; 100]), &[gzipped()], get("/")).await);
    let answer = fetch(&gzip(&[b'x'; 101]), &[gzipped()], get("/")).await;
    assert_too_large(&answer, "max_response_body_bytes", true);
}
