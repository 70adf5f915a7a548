//! Digests of an action's definition, by which it is noticed that a definition
//! has become another one.
//!
//! What somebody decided about an action was decided about the definition they
//! saw. The *interface* digest tells whether the action is still called the same
//! way, the *contract* digest whether it still reads the same.

mod difference;
mod document;
mod subschemas;

use std::collections::HashSet;

use serde_json::Value;

use crate::action::{ActionDefinition, Risk, names};
use crate::canonical::{JsonDigest, to_canonical};
use crate::schema::resolve;

pub use difference::{Affects, Difference, Entry, EntryChange, MAX_ENTRIES, difference};
pub use document::DefinitionDocument;

/// How digests are computed. It is hashed with each, so that another way to
/// compute them makes other digests, and every definition counts as changed
/// until somebody has looked at it.
const ALGORITHM_VERSION: u32 = 1;

/// What a keyword says to readers, and what may change without changing how the
/// action is called.
const WORDS: [&str; 3] = ["description", "default", "enum"];

/// What identifies a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DefinitionDigests {
    /// Of how the action is called: its id, and the schema of its params without
    /// the keywords `description`, `default` and `enum`.
    pub interface: JsonDigest,
    /// Of all that agents and people are shown.
    pub contract: JsonDigest,
}

impl DefinitionDigests {
    /// Computes both. The order of keys does not matter, nor that of `required`,
    /// of a `type` that lists several, and of the lists in `dependentRequired`.
    pub fn of(definition: &ActionDefinition) -> Self {
        DefinitionDocument::of(definition).digests()
    }
}

/// As much of a definition as modes depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DefinitionStamp {
    /// What identifies it.
    pub digests: DefinitionDigests,
    /// Its risk.
    pub risk: Risk,
}

names! {
    /// How a definition differs from the one that somebody saw, ordered from least
    /// to most.
    DefinitionChange {
        /// It is the same.
        None = "none",
        /// It reads differently, and is called the same way.
        Text = "text",
        /// It is called differently.
        Interface = "interface",
        /// Nobody has seen it, which is never the same as "no change".
        Unseen = "unseen",
    }
}

impl DefinitionChange {
    /// Compares the current definition with the one that was seen, if one was.
    pub fn between(seen: Option<DefinitionDigests>, current: DefinitionDigests) -> Self {
        match seen {
            None => Self::Unseen,
            Some(seen) if seen.interface != current.interface => Self::Interface,
            Some(seen) if seen.contract != current.contract => Self::Text,
            Some(_) => Self::None,
        }
    }
}

/// A schema with its sets in one order.
fn with_ordered_sets(schema: &Value) -> Value {
    let mut schema = schema.clone();
    subschemas::for_each(&mut schema, order_sets);
    schema
}

/// A schema as far as it says how an action is called.
///
/// One that uses data as a schema keeps its words: under them the schema could
/// change unseen.
fn without_words(schema: &Value) -> Value {
    let mut schema = with_ordered_sets(schema);
    if !uses_data_as_schema(&mut schema) {
        subschemas::for_each(&mut schema, strip_words);
    }
    schema
}

fn strip_words(schema: &mut Value) {
    if let Value::Object(keywords) = schema {
        keywords.retain(|keyword, _| !WORDS.contains(&keyword.as_str()));
    }
}

fn order_sets(schema: &mut Value) {
    for keyword in ["required", "type"] {
        if let Some(set) = schema.get_mut(keyword) {
            order(set);
        }
    }
    let dependent = schema.get_mut("dependentRequired");
    if let Some(Value::Object(named)) = dependent {
        named.values_mut().for_each(order);
    }
}

fn order(set: &mut Value) {
    if let Value::Array(items) = set {
        items.sort_by_cached_key(to_canonical);
        items.dedup();
    }
}

/// True when a `$ref`, wherever it stands, points at what no keyword declares to
/// be a schema, such as `#/default`. Leaves the schema as it is.
fn uses_data_as_schema(schema: &mut Value) -> bool {
    let mut declared: HashSet<*const Value> = HashSet::new();
    subschemas::for_each(schema, |part| {
        declared.insert(std::ptr::from_ref(part));
    });
    let root = &*schema;
    let mut pending = vec![root];
    while let Some(value) = pending.pop() {
        match value {
            Value::Array(items) => pending.extend(items),
            Value::Object(members) => {
                let reference = members.get("$ref").and_then(Value::as_str);
                let target = reference.and_then(|reference| resolve(reference, root));
                if target.is_some_and(|target| !declared.contains(&std::ptr::from_ref(target))) {
                    return true;
                }
                pending.extend(members.values());
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests;
