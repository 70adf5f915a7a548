//! Guests that break the rules between component and host.

use std::time::Duration;

use portcullis_core::invocation::FailureCode;
use serde_json::json;

use crate::harness::{Expect as _, Guest, OddGuest};

#[tokio::test]
async fn a_guest_written_by_hand_can_keep_the_rules() {
    let guest = load(&OddGuest::default()).await;
    assert_eq!(guest.result("anything", json!({})).await, json!({}));
}

async fn load(odd: &OddGuest<'_>) -> Guest {
    Guest::load(odd.component(), |config| {
        config.limits.cpu_time = Duration::from_millis(20);
    })
    .await
    .unwrap()
}

/// The call must end with this code, and a call of a good guest must work after.
async fn check(odd: OddGuest<'_>, expected: FailureCode) {
    let guest = load(&odd).await;
    for _ in 0..2 {
        let (code, message) = guest.call("anything", json!({})).await.stopped();
        assert_eq!(code, expected, "{message}");
    }
}

async fn check_execute(execute: &str, expected: FailureCode) {
    let odd = OddGuest {
        execute,
        ..OddGuest::default()
    };
    check(odd, expected).await;
}

#[tokio::test]
async fn a_result_that_is_not_in_memory_traps() {
    for execute in ["i32.const 65528", "i32.const -8", "i32.const 1025"] {
        check_execute(execute, FailureCode::Trapped).await;
    }
}

#[tokio::test]
async fn a_trap_says_what_went_wrong() {
    for (execute, expected) in [
        (
            "(i32.load (i32.const 65533))",
            "out of bounds memory access",
        ),
        (
            "(i32.div_u (i32.const 1) (i32.const 0))",
            "integer divide by zero",
        ),
    ] {
        let odd = OddGuest {
            execute,
            ..OddGuest::default()
        };
        let guest = load(&odd).await;
        let (code, message) = guest.call("anything", json!({})).await.stopped();
        assert_eq!(code, FailureCode::Trapped);
        assert_eq!(message, format!("the provider trapped: {expected}"));
    }
}

/// The body of `execute`: a result at 2048 whose first bytes are these words.
fn result_of(words: [i32; 4]) -> String {
    let stores: Vec<_> = words
        .iter()
        .enumerate()
        .map(|(index, word)| {
            let address = 2048 + 4 * index;
            format!("(i32.store (i32.const {address}) (i32.const {word}))")
        })
        .collect();
    format!("{} i32.const 2048", stores.concat())
}

#[tokio::test]
async fn a_text_that_is_not_in_memory_traps() {
    for (address, length) in [(65535, 2), (0, 65537), (-1, 1), (1, -1)] {
        check_execute(&result_of([0, 0, address, length]), FailureCode::Trapped).await;
    }
}

#[tokio::test]
async fn a_text_that_is_not_utf_8_traps() {
    // The result itself starts with 0xff, padding that nobody reads.
    let execute = result_of([0xff00, 0, 2049, 1]);
    check_execute(&execute, FailureCode::Trapped).await;
}

#[tokio::test]
async fn a_value_that_no_variant_has_traps() {
    check_execute(&result_of([7, 0, 0, 0]), FailureCode::Trapped).await;
    // An error with a code that does not exist.
    check_execute(&result_of([1, 0, 200, 0]), FailureCode::Trapped).await;
}

#[tokio::test]
async fn an_allocator_that_misbehaves_hurts_only_its_call() {
    for (realloc, expected) in [
        ("unreachable", FailureCode::Trapped),
        ("i32.const -8", FailureCode::Trapped),
        ("i32.const 65535", FailureCode::Trapped),
        (
            "(loop $again (br $again)) unreachable",
            FailureCode::CpuExceeded,
        ),
    ] {
        let odd = OddGuest {
            realloc,
            ..OddGuest::default()
        };
        check(odd, expected).await;
    }
}

#[tokio::test]
async fn an_allocator_may_not_call_the_host() {
    let odd = OddGuest {
        imports: r#"(import "portcullis:provider/clock@0.1.0" "now" (func $now (result i64)))"#,
        realloc: "(drop (call $now)) i32.const 4096",
        ..OddGuest::default()
    };
    check(odd, FailureCode::Trapped).await;
}

#[tokio::test]
async fn what_runs_after_the_result_is_part_of_the_call() {
    for (post_return, expected) in [
        ("unreachable", FailureCode::Trapped),
        ("(loop $again (br $again))", FailureCode::CpuExceeded),
    ] {
        let odd = OddGuest {
            post_return,
            ..OddGuest::default()
        };
        check(odd, expected).await;
    }
}
