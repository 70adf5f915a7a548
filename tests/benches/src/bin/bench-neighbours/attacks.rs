//! Every attack: a behaviour of the test guest, and what it is told.
//!
//! What guests do is read from the test guest itself, which names its attacks in the
//! examples of its actions, so that none is left out. What upstreams do is listed here.

use serde_json::{Value, json};

/// What the attackers call, over and over.
#[derive(Debug, Clone)]
pub(crate) struct Attack {
    /// In the table.
    pub(crate) name: String,
    /// Of the test guest.
    pub(crate) action: String,
    pub(crate) params: Value,
}

impl Attack {
    fn new(name: &str, action: &str, params: Value) -> Self {
        Self {
            name: name.to_owned(),
            action: action.to_owned(),
            params,
        }
    }
}

/// All of them; `available` is what the gateway says that the test guest can do.
pub(crate) fn all(available: &[Value]) -> Vec<Attack> {
    let guests = available.iter().flat_map(of_action);
    guests.chain(usual()).chain(upstreams()).collect()
}

/// The attacks that an action is, by its examples.
fn of_action(action: &Value) -> Vec<Attack> {
    let id = action.get("actionId").and_then(Value::as_str);
    let examples = action.get("examples").and_then(Value::as_array);
    examples
        .into_iter()
        .flatten()
        .filter_map(|example| {
            let title = example.get("title")?.as_str()?;
            Some(Attack::new(title, id?, example.get("params")?.clone()))
        })
        .collect()
}

/// What is no misbehaviour, but much.
fn usual() -> Vec<Attack> {
    let row = json!({ "a": [1, { "b": "text" }], "token": "secret" });
    vec![
        Attack::new("call for nothing", "echo", json!({})),
        Attack::new(
            "wait as long as it may",
            "edition",
            json!({ "wait": 3_900 }),
        ),
        Attack::new(
            "answer as much as it may",
            "huge_result",
            json!({ "bytes": 4_000_000 }),
        ),
        Attack::new(
            "answer many rows",
            "rows",
            json!({ "count": 20_000, "row": row }),
        ),
    ]
}

fn upstreams() -> Vec<Attack> {
    let get = |path: &str| json!({ "endpoint": "open", "method": "GET", "path": path });
    let mut attacks: Vec<_> = [
        ("upstream: says nothing", "/hang"),
        ("upstream: slow drip", "/drip"),
        ("upstream: endless body", "/endless"),
        ("upstream: gzip bomb", "/bomb"),
        ("upstream: thousand headers", "/headers"),
        ("upstream: lying length", "/lies"),
        ("upstream: reset", "/reset"),
        ("upstream: redirects", "/redirect"),
        ("upstream: body of the limit", "/large"),
    ]
    .into_iter()
    .map(|(name, path)| Attack::new(name, "fetch", get(path)))
    .collect();
    let requests = vec![get("/endless"); 8];
    attacks.push(Attack::new(
        "upstream: eight endless bodies at once",
        "fetch_many",
        json!({ "requests": requests }),
    ));
    attacks
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn attacks_are_those_of_the_examples_and_ours() {
        let available = json!([
            { "actionId": "spin", "examples": [{ "title": "compute for ever", "params": {} }] },
            { "actionId": "echo", "examples": [] },
        ]);
        let ours = all(&[]).len();
        let attacks = all(available.as_array().unwrap());
        assert_eq!(attacks.len(), ours + 1);
        let first = attacks.first().unwrap();
        assert_eq!((&*first.name, &*first.action), ("compute for ever", "spin"));
    }

    #[test]
    fn names_tell_attacks_apart() {
        let attacks = all(&[]);
        let names: BTreeSet<_> = attacks.iter().map(|attack| &attack.name).collect();
        assert_eq!(names.len(), attacks.len());
    }
}
