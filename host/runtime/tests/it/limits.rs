//! The edges of limits that have no file of their own: at the limit a guest goes on,
//! one beyond it the limit is named.

mod egress;
mod own;

use std::time::Duration;

use portcullis_core::invocation::FailureCode;
use portcullis_runtime::{OwnLimits, SandboxConfig};
use serde_json::{Value, json};

use crate::harness::{Expect as _, Guest, Held, OddGuest, lines_with, refusal};

/// How deep the probe can call itself and still come back.
async fn deepest(guest: &Guest) -> u64 {
    let (mut fits, mut beyond) = (0, 1 << 20);
    while beyond - fits > 1 {
        let depth = fits + (beyond - fits) / 2;
        let report = guest.call("recurse", json!({ "depth": depth })).await;
        match report.outcome.as_str() {
            "completed" => fits = depth,
            _ => beyond = depth,
        }
    }
    fits
}

#[tokio::test]
async fn the_stack_takes_one_call_more_only_where_it_is_larger() {
    let with_stack = |bytes| Guest::probe_with(move |config| config.limits.stack_bytes = bytes);
    let guest = with_stack(256 << 10).await;
    let fits = deepest(&guest).await;
    let call = |depth: u64| json!({ "depth": depth });
    assert_eq!(guest.result("recurse", call(fits)).await, fits);
    let (code, message) = guest.call("recurse", call(fits + 1)).await.stopped();
    assert_eq!(code, FailureCode::Trapped);
    assert_eq!(
        message,
        "the provider used up its 256 KiB of stack (sandbox.stack_bytes)"
    );
    let larger = with_stack(260 << 10).await;
    assert_eq!(larger.result("recurse", call(fits + 1)).await, fits + 1);
}

/// A guest that asks for so many pollables and drops none.
fn hoarder(handles: u32) -> Vec<u8> {
    let execute = format!(
        "(local $left i32)
         (local.set $left (i32.const {handles}))
         (loop $again
           (drop (call $after (i64.const 1)))
           (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
         i32.const 1024"
    );
    OddGuest {
        imports: r#"(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration"
            (func $after (param i64) (result i32)))"#,
        world: "import wasi:clocks/monotonic-clock@0.2.0;",
        execute: &execute,
        ..OddGuest::default()
    }
    .component()
}

async fn call_of_a_hoarder(handles: u32, limit: usize) -> portcullis_runtime::CallReport {
    let loaded = Guest::load(hoarder(handles), |config| config.limits.handles = limit);
    loaded.await.unwrap().call("anything", json!({})).await
}

/// This is how we notice when wasmtime words its error differently.
#[tokio::test]
async fn handles_are_counted_up_to_their_limit() {
    assert_eq!(call_of_a_hoarder(10, 10).await.completed(), json!({}));
    let (code, message) = call_of_a_hoarder(11, 10).await.stopped();
    assert_eq!(code, FailureCode::Trapped);
    assert_eq!(
        message,
        "the provider had more than 10 handles at the same time (sandbox.handles)"
    );
}

/// What is configured can be had: the table behind the handles has room for them.
#[tokio::test]
async fn as_many_handles_as_can_be_configured_have_room() {
    assert_eq!(call_of_a_hoarder(1_024, 1_024).await.completed(), json!({}));
    let (_, message) = call_of_a_hoarder(1_025, 1_024).await.stopped();
    assert!(message.contains("sandbox.handles"), "{message}");
}

#[tokio::test]
async fn tables_and_memory_are_told_apart() {
    let grow = |what: &str| {
        format!("(if (i32.lt_s ({what}) (i32.const 0)) (then unreachable)) i32.const 1024")
    };
    for (execute, expected) in [
        (
            grow("table.grow $table (ref.null func) (i32.const 101)"),
            "its 100 table elements (sandbox.table_elements)",
        ),
        (
            grow("memory.grow (i32.const 10)"),
            "its 640 KiB of memory (sandbox.memory_bytes, or plugins.limits.odd.memory_bytes \
             for it alone)",
        ),
    ] {
        let odd = OddGuest {
            fields: "(table $table 0 funcref)",
            execute: &execute,
            ..OddGuest::default()
        };
        let guest = Guest::load(odd.component(), |config| {
            config.limits.table_elements = 100;
            config.limits.memory_bytes = 640 << 10;
        });
        let report = guest.await.unwrap().call("anything", json!({})).await;
        let (code, message) = report.stopped();
        assert_eq!(code, FailureCode::MemoryExceeded);
        assert!(message.ends_with(expected), "{message}");
    }
}

/// A guest with so many parts beside its one memory.
fn many(part: &str, count: usize) -> Vec<u8> {
    let fields = part.repeat(count);
    let odd = OddGuest {
        fields: &fields,
        ..OddGuest::default()
    };
    odd.component()
}

#[tokio::test]
async fn an_instance_has_so_many_memories_and_tables_and_no_more() {
    // One memory is there already.
    for (part, beside, most, told) in [
        ("(memory 0)", 1, 4, "memories"),
        ("(table 0 funcref)", 0, 8, "tables"),
    ] {
        let fits = Guest::load(many(part, most - beside), |_| {})
            .await
            .unwrap();
        assert_eq!(fits.result("anything", json!({})).await, json!({}));
        let error = refusal(many(part, most - beside + 1)).await.to_string();
        assert!(error.contains(told), "{part}: {error}");
    }
}

#[tokio::test]
async fn a_line_is_whole_up_to_its_limit() {
    let guest = Guest::probe_with(|config| config.limits.log_line_bytes = 12).await;
    for (line, kept) in [
        ("mark-edge012", "mark-edge012"),
        ("mark-edge0123", "mark-edge012"),
    ] {
        let lines = lines_with("mark-edge", async {
            guest.result("log_line", json!({ "line": line })).await;
        });
        assert_eq!(lines.await.last().unwrap().message, kept);
    }
}

#[tokio::test]
async fn a_guest_without_requests_is_told_which_limit_that_is() {
    let held = Held::new();
    let guest = Guest::probe_with(|config| config.limits.http_requests = 0).await;
    let get = json!({ "endpoint": "api", "method": "GET", "path": "/" });
    let answer = guest.outbound(held).result("fetch", get).await;
    let message = answer["error"]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "a call may send 0 requests (sandbox.http_requests, or \
         plugins.limits.probe.http_requests for it alone)"
    );
}

/// The probe with more memory than usual, and one larger place for it.
async fn large(held: &Held) -> Guest {
    let change = |config: &mut SandboxConfig| {
        let own = OwnLimits {
            memory_bytes: Some(config.limits.memory_bytes + (64 << 10)),
            ..OwnLimits::default()
        };
        config.own_limits.insert("probe".parse().unwrap(), own);
        config.large.concurrent_calls = 1;
        config.queue_timeout = Duration::ZERO;
    };
    Guest::probe_with(change).await.outbound(held.clone())
}

#[tokio::test]
async fn one_call_more_than_there_are_larger_places_is_busy() {
    let held = Held::new();
    let guest = large(&held).await;
    let first = guest.fetch();
    held.arrivals(1).await;
    let code = guest.stop_code("echo", Value::Null).await;
    assert_eq!(code, FailureCode::Busy);
    held.release(1);
    first.await.unwrap().completed();
    assert_eq!(guest.result("echo", Value::Null).await, Value::Null);
}
