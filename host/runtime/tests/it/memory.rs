//! Linear memory and tables.

use portcullis_core::invocation::FailureCode;
use portcullis_runtime::{Outcome, SandboxConfig};
use serde_json::{Value, json};

use crate::harness::{Expect as _, Guest, OddGuest};

const PAGE: usize = 64 << 10;
const LIMIT: usize = 4 << 20;

fn small_memory(config: &mut SandboxConfig) {
    config.limits.memory_bytes = LIMIT;
}

#[tokio::test]
async fn memory_grows_up_to_the_limit_and_not_by_a_page_more() {
    let guest = Guest::probe_with(small_memory).await;
    let report = guest
        .call("grow_memory", json!({ "to_bytes": LIMIT }))
        .await;
    assert_eq!(report.usage.memory_bytes, LIMIT);
    assert_eq!(report.completed(), json!({ "bytes": LIMIT }));

    let report = guest
        .call("grow_memory", json!({ "to_bytes": LIMIT + PAGE }))
        .await;
    assert!(report.usage.memory_bytes < LIMIT);
    let (code, message) = report.stopped();
    assert_eq!(code, FailureCode::MemoryExceeded);
    assert!(message.contains("4 MiB"), "{message}");
}

#[tokio::test]
async fn a_guest_that_dies_for_lack_of_memory_has_exceeded_it() {
    let guest = Guest::probe_with(small_memory).await;
    let fits = json!({ "bytes": LIMIT / 4 });
    assert_eq!(
        guest.result("allocate", fits).await,
        json!({ "allocated": true })
    );
    let code = guest.stop_code("allocate", json!({ "bytes": LIMIT })).await;
    assert_eq!(code, FailureCode::MemoryExceeded);
}

#[tokio::test]
async fn a_guest_may_live_with_what_it_has() {
    let guest = Guest::probe_with(small_memory).await;
    let params = json!({ "bytes": LIMIT, "gently": true });
    assert_eq!(
        guest.result("allocate", params).await,
        json!({ "allocated": false })
    );
}

/// Loads a guest of which one function is odd, and calls it.
async fn call(
    odd: OddGuest<'_>,
    change: impl FnOnce(&mut SandboxConfig),
) -> Result<Value, FailureCode> {
    let guest = Guest::load(odd.component(), change).await.unwrap();
    let report = guest.call("anything", json!({})).await;
    match report.outcome {
        Outcome::Completed(value) => Ok(value),
        _ => Err(report.stopped().0),
    }
}

#[tokio::test]
async fn two_memories_share_one_limit() {
    let pages = |grow_by: usize| {
        let execute = format!(
            "(if (i32.lt_s (memory.grow $second (i32.const {grow_by})) (i32.const 0)) (then unreachable))
             i32.const 1024"
        );
        async move {
            let odd = OddGuest {
                fields: "(memory $second 1)",
                execute: &execute,
                ..OddGuest::default()
            };
            call(odd, |config| config.limits.memory_bytes = 10 * PAGE).await
        }
    };
    assert_eq!(pages(8).await, Ok(json!({})));
    assert_eq!(pages(9).await, Err(FailureCode::MemoryExceeded));
}

#[tokio::test]
async fn tables_grow_up_to_the_limit_and_not_by_an_element_more() {
    let elements = |grow_by: usize| {
        let execute = format!(
            "(if (i32.lt_s (table.grow $table (ref.null func) (i32.const {grow_by})) (i32.const 0))
               (then unreachable))
             i32.const 1024"
        );
        async move {
            let odd = OddGuest {
                fields: "(table $table 10 funcref)",
                execute: &execute,
                ..OddGuest::default()
            };
            call(odd, |config| config.limits.table_elements = 100).await
        }
    };
    assert_eq!(elements(90).await, Ok(json!({})));
    assert_eq!(elements(91).await, Err(FailureCode::MemoryExceeded));
}

#[tokio::test]
async fn growth_beyond_a_memorys_own_maximum_uses_nothing_up() {
    let odd = OddGuest {
        memory: "1 3",
        execute: "(local $tries i32)
            (local.set $tries (i32.const 100))
            (loop $again
              (if (i32.ge_s (memory.grow (i32.const 3)) (i32.const 0)) (then unreachable))
              (br_if $again (local.tee $tries (i32.sub (local.get $tries) (i32.const 1)))))
            (if (i32.lt_s (memory.grow (i32.const 2)) (i32.const 0)) (then unreachable))
            i32.const 1024",
        ..OddGuest::default()
    };
    let guest = Guest::load(odd.component(), |config| {
        config.limits.memory_bytes = 10 * PAGE;
    })
    .await
    .unwrap();
    let report = guest.call("anything", json!({})).await;
    assert_eq!(report.usage.memory_bytes, 3 * PAGE);
    assert_eq!(report.completed(), json!({}));
}

#[tokio::test]
async fn a_guest_that_trips_over_its_own_maximum_has_not_exceeded_ours() {
    let odd = OddGuest {
        memory: "1 3",
        execute: "(drop (memory.grow (i32.const 3))) unreachable",
        ..OddGuest::default()
    };
    assert_eq!(call(odd, |_| {}).await, Err(FailureCode::Trapped));
}
