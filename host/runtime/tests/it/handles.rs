//! Handles of resources that a guest makes for itself.

use portcullis_core::invocation::FailureCode;
use serde_json::json;

use crate::harness::{Guest, OddGuest};

const LIMIT: usize = 10;

/// A guest that makes so many handles at a time, in as many rounds as is said, and drops
/// them after each.
async fn making(handles: usize, rounds: usize) -> Guest {
    let execute = format!(
        "(local $rounds i32) (local $left i32)
         (local.set $rounds (i32.const {rounds}))
         (loop $again
           (local.set $left (i32.const {handles}))
           (loop $make
             (i32.store offset=8192 (i32.mul (local.get $left) (i32.const 4)) (call $new (i32.const 1)))
             (br_if $make (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
           (local.set $left (i32.const {handles}))
           (loop $drop
             (call $drop (i32.load offset=8192 (i32.mul (local.get $left) (i32.const 4))))
             (br_if $drop (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
           (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
         i32.const 1024"
    );
    let odd = OddGuest {
        imports: r#"
            (import "[export]things" "[resource-new]thing" (func $new (param i32) (result i32)))
            (import "[export]things" "[resource-drop]thing" (func $drop (param i32)))"#,
        world: "export things: interface { resource thing {} }",
        execute: &execute,
        ..OddGuest::default()
    };
    let loaded = Guest::load(odd.component(), |config| config.limits.handles = LIMIT);
    loaded.await.unwrap()
}

#[tokio::test]
async fn handles_up_to_the_limit_can_be_had_and_not_one_more() {
    let fits = making(LIMIT, 1).await;
    assert_eq!(fits.result("anything", json!({})).await, json!({}));
    let beyond = making(LIMIT + 1, 1).await;
    let code = beyond.stop_code("anything", json!({})).await;
    assert_eq!(code, FailureCode::Trapped);
}

#[tokio::test]
async fn a_handle_that_was_dropped_is_no_longer_counted() {
    let guest = making(LIMIT, 1_000).await;
    assert_eq!(guest.result("anything", json!({})).await, json!({}));
}
