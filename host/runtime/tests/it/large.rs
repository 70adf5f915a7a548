//! Memory that an operator grants to single plugins, and the larger places.

use portcullis_core::invocation::FailureCode;
use portcullis_runtime::{LoadError, MemoryNeed, MemoryShortage, SandboxConfig};
use serde_json::json;

use crate::harness::{Expect as _, Guest, OddGuest};

const PAGE: usize = 64 << 10;
const USUAL: usize = 4 << 20;
const GRANTED: usize = 8 << 20;
const LARGE: usize = 16 << 20;

/// Small places, and a grant.
fn granting(id: &'static str, bytes: usize) -> impl FnOnce(&mut SandboxConfig) {
    move |config| {
        config.limits.memory_bytes = USUAL;
        config.large.memory_bytes = LARGE;
        let own = config.own_limits.entry(id.parse().unwrap()).or_default();
        own.memory_bytes = Some(bytes);
    }
}

#[tokio::test]
async fn memory_grows_up_to_what_was_granted_and_not_by_a_page_more() {
    for (granted, limit) in [
        (GRANTED, "8 MiB"),
        (LARGE, "16 MiB"),
        (USUAL, "4 MiB"),
        (USUAL - PAGE, "4032 KiB"),
    ] {
        let guest = Guest::probe_with(granting("probe", granted)).await;
        assert_eq!(guest.plugin.limits().memory_bytes, granted);
        let grow = |to: usize| json!({ "to_bytes": to });
        let report = guest.call("grow_memory", grow(granted)).await;
        assert_eq!(report.completed(), json!({ "bytes": granted }));

        let report = guest.call("grow_memory", grow(granted + PAGE)).await;
        let (code, message) = report.stopped();
        assert_eq!(code, FailureCode::MemoryExceeded);
        for part in [
            limit,
            "sandbox.memory_bytes",
            "plugins.limits.probe.memory_bytes",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }
}

#[tokio::test]
async fn a_grant_is_for_one_plugin() {
    let guest = Guest::probe_with(granting("other", GRANTED)).await;
    assert_eq!(guest.plugin.limits().memory_bytes, USUAL);
    let params = json!({ "to_bytes": USUAL + PAGE });
    let code = guest.stop_code("grow_memory", params).await;
    assert_eq!(code, FailureCode::MemoryExceeded);
}

#[tokio::test]
async fn larger_places_are_made_for_who_needs_them_and_are_few() {
    let guest = Guest::probe_with(granting("other", GRANTED)).await;
    assert_eq!(guest.sandbox.large_load(), None);

    let guest = Guest::probe_with(granting("probe", USUAL)).await;
    assert_eq!(guest.sandbox.large_load(), None);

    let guest = Guest::probe_with(|config| {
        granting("probe", GRANTED)(config);
        config.large.concurrent_calls = 3;
    });
    let load = guest.await.sandbox.large_load().unwrap();
    assert_eq!((load.places, load.in_use), (3, 0));
}

/// The same bytes in one sandbox, under two ids that the test makes of one.
#[tokio::test]
async fn both_kinds_of_places_serve_side_by_side() {
    let guest = Guest::probe_with(granting("probf", GRANTED)).await;
    let other = guest.another_probe().await;
    let grow = json!({ "to_bytes": USUAL + PAGE });
    let (small, large) = tokio::join!(
        guest.stop_code("grow_memory", grow.clone()),
        other.result("grow_memory", grow.clone()),
    );
    assert_eq!(small, FailureCode::MemoryExceeded);
    assert_eq!(large, json!({ "bytes": USUAL + PAGE }));
}

async fn shortage(
    component: Vec<u8>,
    change: impl FnOnce(&mut SandboxConfig),
) -> Option<MemoryShortage> {
    match Guest::load(component, change).await {
        Ok(_) => None,
        Err(LoadError::Memory(shortage)) => Some(shortage),
        Err(other) => panic!("{other}"),
    }
}

/// A plugin is refused unless its own id is granted this much.
async fn check(odd: &OddGuest<'_>, needs: MemoryNeed, bytes: usize) {
    for (id, granted) in [("odd", bytes - 1), ("other", LARGE)] {
        let found = shortage(odd.component(), granting(id, granted))
            .await
            .unwrap();
        assert_eq!(found.need, needs, "{id}: {granted}");
        assert_eq!(found.has_grant, id == "odd");
        let text = found.to_string();
        assert!(text.contains("[plugins.limits.odd]"), "{text}");
        assert!(text.contains(&format!(
            "`memory_bytes = {}`",
            bytes.next_multiple_of(1 << 20)
        )));
    }
    for granted in [bytes, LARGE] {
        let found = shortage(odd.component(), granting("odd", granted)).await;
        assert_eq!(found, None, "{granted}");
    }
}

#[tokio::test]
async fn what_a_plugin_asks_for_has_to_be_granted() {
    let odd = OddGuest {
        // `some(limits { memory-mib: some(5) })`
        describe: "(i32.store8 (i32.const 316) (i32.const 1))
            (i32.store8 (i32.const 320) (i32.const 1))
            (i32.store (i32.const 324) (i32.const 5))
            i32.const 256",
        ..OddGuest::default()
    };
    check(&odd, MemoryNeed::Asks(5 << 20), 5 << 20).await;
    let enough = |config: &mut SandboxConfig| config.limits.memory_bytes = 5 << 20;
    assert_eq!(shortage(odd.component(), enough).await, None);
}

#[tokio::test]
async fn what_a_plugin_takes_to_describe_itself_has_to_be_granted() {
    // One page is there already.
    let odd = OddGuest {
        describe: "(if (i32.lt_s (memory.grow (i32.const 79)) (i32.const 0)) (then unreachable))
            i32.const 256",
        ..OddGuest::default()
    };
    let bytes = 80 * PAGE;
    for granted in [bytes, LARGE] {
        let found = shortage(odd.component(), granting("odd", granted)).await;
        assert_eq!(found, None, "{granted}");
    }
    let found = shortage(odd.component(), granting("other", LARGE))
        .await
        .unwrap();
    assert_eq!(found.need, MemoryNeed::Describes(bytes));
    assert_eq!(found.provider, Some("odd".parse().unwrap()));

    let found = shortage(odd.component(), granting("odd", bytes - PAGE))
        .await
        .unwrap();
    assert_eq!(found.need, MemoryNeed::Exceeds("provider.describe"));
    assert_eq!(found.provider, None);
}

#[tokio::test]
async fn what_a_plugin_starts_with_has_to_be_granted() {
    let odd = OddGuest {
        memory: "80",
        ..OddGuest::default()
    };
    let bytes = 80 * PAGE;
    for granted in [bytes, LARGE] {
        let found = shortage(odd.component(), granting("odd", granted)).await;
        assert_eq!(found, None, "{granted}");
    }
    let found = shortage(odd.component(), granting("other", LARGE))
        .await
        .unwrap();
    assert_eq!(found.need, MemoryNeed::Starts(bytes));
    assert_eq!(found.provider, Some("odd".parse().unwrap()));
    // Nobody was granted so much, so it is not even started.
    let found = shortage(odd.component(), granting("odd", bytes - 1))
        .await
        .unwrap();
    assert_eq!(found.need, MemoryNeed::Starts(bytes));
    let text = found.to_string();
    assert!(text.contains("[plugins.limits.<id>]"), "{text}");
}
