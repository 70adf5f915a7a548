//! What one call leaves for the next: nothing.

use serde_json::{Value, json};

use crate::behaviours::smuggling;
use crate::harness::Guest;

/// In a sandbox with one place, so that every call gets the same slot of the pool.
async fn alone(component: Vec<u8>) -> Guest {
    let loaded = Guest::load(component, |config| config.concurrent_calls = 1);
    loaded.await.unwrap()
}

#[tokio::test]
async fn nothing_is_left_in_statics_on_the_heap_or_in_fresh_memory() {
    let guest = alone(crate::harness::probe()).await;
    let smuggle = async |words: &str| guest.result("smuggle", json!({ "words": words })).await;
    let first = smuggle("words of the first call").await;
    for _ in 0..3 {
        assert_eq!(smuggle("words of another call").await, first);
    }
    assert_eq!(first["found"], json!([]));
    assert_eq!(first["dirty"], 0);
}

#[tokio::test]
async fn nothing_is_left_in_globals_tables_and_memory() {
    let guest = alone(smuggling()).await;
    for _ in 0..4 {
        assert_eq!(guest.result("anything", json!({})).await, Value::from(0));
    }
}
