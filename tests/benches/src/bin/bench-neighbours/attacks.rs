//! Every attack: a behaviour of the test guest, and what it is told.

use std::collections::BTreeSet;

use anyhow::ensure;
use serde_json::{Value, json};

/// What the attackers call, over and over.
#[derive(Debug, Clone)]
pub(crate) struct Attack {
    /// In the table.
    pub(crate) name: &'static str,
    /// Of the test guest.
    pub(crate) action: &'static str,
    pub(crate) params: Value,
}

/// Actions of the test guest that hurt nobody, or that others do as well.
const HARMLESS: &[&str] = &[
    "fail",
    "fetch_as_user",
    "fetch_preferring_user",
    "forward",
    "key",
    "log_line",
    "now",
    "remember",
    "text",
    "wait",
];

/// All attacks, unless the test guest has learned something that is missing here:
/// `actions` are all it has.
pub(crate) fn all(actions: &BTreeSet<String>) -> anyhow::Result<Vec<Attack>> {
    let attacks = known();
    let mut missing = actions.clone();
    for attack in &attacks {
        missing.remove(attack.action);
    }
    for harmless in HARMLESS {
        missing.remove(*harmless);
    }
    ensure!(
        missing.is_empty(),
        "the test guest has learned to {missing:?}\nhint: add it to `attacks.rs`"
    );
    Ok(attacks)
}

pub(crate) fn known() -> Vec<Attack> {
    let mut attacks = guests();
    attacks.extend(upstreams());
    attacks
}

fn guests() -> Vec<Attack> {
    let attack = |name, action, params| Attack {
        name,
        action,
        params,
    };
    let hang = json!({ "endpoint": "open", "method": "GET", "path": "/hang", "timeout_ms": 200 });
    let refused = json!({ "endpoint": "open", "method": "GET", "path": "/../x" });
    vec![
        attack("calls that do nothing", "echo", json!({})),
        attack("endless loop", "spin", json!({})),
        attack(
            "endless loop of refused requests",
            "spin_with_host_calls",
            refused,
        ),
        attack(
            "endless loop of requests that hang",
            "spin_with_host_calls",
            hang,
        ),
        attack(
            "waiting as long as it may",
            "edition",
            json!({ "wait": 3_900 }),
        ),
        attack("trap", "trap", json!({})),
        attack("panic", "panic", json!({ "words": "x".repeat(10_000) })),
        attack("endless recursion", "recurse", json!({ "depth": null })),
        attack("memory bomb", "allocate", json!({ "bytes": 1_u64 << 30 })),
        attack(
            "memory up to the limit",
            "grow_memory",
            json!({ "to_bytes": 63 << 20 }),
        ),
        attack(
            "search of the memory",
            "scan_memory",
            json!({ "needle": "bGluX2FwaV8=" }),
        ),
        attack(
            "result of the limit",
            "huge_result",
            json!({ "bytes": 4 << 20 }),
        ),
        attack(
            "result beyond the limit",
            "huge_result",
            json!({ "bytes": 20 << 20 }),
        ),
        attack(
            "result of many rows",
            "rows",
            json!({ "count": 20_000, "row": { "a": [1, { "b": "text" }], "token": "secret" } }),
        ),
        attack(
            "flood of log lines",
            "log_flood",
            json!({ "line": "x".repeat(4_000), "times": 100_000 }),
        ),
        attack("huge log line", "huge_log", json!({ "bytes": 5 << 20 })),
    ]
}

/// What is looked for is of no interest, only how long it takes.
fn search() -> Value {
    json!({ "grow_to_bytes": 32 << 20, "mask": 0, "needles": { "a": [1, 2, 3] } })
}

fn upstreams() -> Vec<Attack> {
    let fetch = |name, path: &str| Attack {
        name,
        action: "fetch",
        params: json!({ "endpoint": "open", "method": "GET", "path": path }),
    };
    let at_once: Vec<_> = (0..8)
        .map(|_| json!({ "endpoint": "open", "method": "GET", "path": "/endless" }))
        .collect();
    vec![
        fetch("upstream: says nothing", "/hang"),
        fetch("upstream: slow drip", "/drip"),
        fetch("upstream: endless body", "/endless"),
        fetch("upstream: gzip bomb", "/bomb"),
        fetch("upstream: thousand headers", "/headers"),
        fetch("upstream: lying length", "/lies"),
        fetch("upstream: reset", "/reset"),
        fetch("upstream: redirects", "/redirect"),
        fetch("upstream: body of the limit", "/large"),
        Attack {
            name: "upstream: eight endless bodies at once",
            action: "fetch_many",
            params: json!({ "requests": at_once }),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_attacks_apart() {
        let attacks = known();
        let names: BTreeSet<_> = attacks.iter().map(|attack| attack.name).collect();
        assert_eq!(names.len(), attacks.len());
    }

    #[test]
    fn what_is_new_has_to_be_listed() {
        let known: BTreeSet<_> = ["spin", "echo", "key"].map(str::to_owned).into();
        assert!(all(&known).is_ok());
        let new: BTreeSet<_> = ["spin", "explode"].map(str::to_owned).into();
        assert!(all(&new).unwrap_err().to_string().contains("explode"));
    }
}
