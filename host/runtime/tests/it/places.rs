//! How many calls run at a time, and what becomes of those given up.

use std::time::Duration;

use portcullis_core::invocation::FailureCode;
use portcullis_runtime::{Allocator, Compiler, LoadError, Plugin, Sandbox};
use serde_json::json;

use crate::harness::{Ending, Expect as _, Guest, Held, config, egress_client, probe};

#[tokio::test]
async fn a_sandbox_takes_its_instances_from_a_pool() {
    let sandbox = Sandbox::new(config()).unwrap();
    assert_eq!(sandbox.allocator(), Allocator::Pooling);
}

#[tokio::test]
async fn a_call_that_finds_no_place_in_time_is_busy() {
    let held = Held::new();
    let guest = Guest::with_one_place(Duration::ZERO, &held).await;
    let first = guest.fetch();
    held.arrivals(1).await;
    assert_eq!(guest.stop_code("echo", json!({})).await, FailureCode::Busy);
    let loaded = Plugin::load(
        &guest.sandbox,
        &Compiler::in_process(),
        probe(),
        egress_client(),
    )
    .await;
    assert!(matches!(loaded, Err(LoadError::Busy)), "{loaded:?}");
    held.release(1);
    first.await.unwrap().completed();
    guest.result("echo", json!({})).await;
}

#[tokio::test]
async fn a_call_waits_for_a_place() {
    let held = Held::new();
    let guest = Guest::with_one_place(Duration::from_mins(1), &held).await;
    let (first, second) = (guest.fetch(), guest.fetch());
    held.arrivals(1).await;
    held.release(1);
    held.arrivals(1).await;
    held.release(1);
    first.await.unwrap().completed();
    second.await.unwrap().completed();
}

#[tokio::test]
async fn every_place_has_an_instance_and_a_stack() {
    let held = Held::new();
    let guest = Guest::probe().await.outbound(held.clone());
    let calls: Vec<_> = (0..config().concurrent_calls)
        .map(|_| guest.fetch())
        .collect();
    held.arrivals(calls.len()).await;
    held.release(calls.len());
    for call in calls {
        call.await.unwrap().completed();
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_ends_its_request_and_leaves_its_place() {
    let held = Held::new();
    let guest = Guest::with_one_place(Duration::from_mins(1), &held).await;
    let call = guest.fetch();
    held.arrivals(1).await;
    call.abort();
    assert_eq!(held.ending().await, Ending::Dropped);
    guest.result("echo", json!({})).await;
}

#[tokio::test]
async fn a_computing_call_that_is_given_up_leaves_its_place() {
    let guest = Guest::probe_with(|config| {
        config.concurrent_calls = 1;
        config.queue_timeout = Duration::from_mins(1);
        config.limits.cpu_time = Duration::from_mins(10);
        config.limits.deadline = Duration::from_mins(10);
    })
    .await;
    let spinning = tokio::spawn({
        let guest = guest.clone();
        async move { guest.call("spin", json!({})).await }
    });
    tokio::task::yield_now().await;
    spinning.abort();
    guest.result("echo", json!({})).await;
}
