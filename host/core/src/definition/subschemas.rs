//! Which parts of a JSON Schema 2020-12 are schemas themselves.
//!
//! The same word is a keyword in a schema, the name of a property below
//! `properties`, and plain data below `const`. So schemas are reached through the
//! keywords that hold them and in no other way; whatever an unknown keyword holds
//! is data.

use serde_json::Value;

/// Keywords whose value is an object of schemas by name.
const BY_NAME: [&str; 5] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
];

/// Keywords whose value is a list of schemas. `items` was one of them in earlier
/// dialects.
const LISTED: [&str; 5] = ["allOf", "anyOf", "oneOf", "prefixItems", "items"];

/// Keywords whose value is a schema.
const SINGLE: [&str; 12] = [
    "items",
    "contains",
    "unevaluatedItems",
    "additionalProperties",
    "propertyNames",
    "unevaluatedProperties",
    "not",
    "if",
    "then",
    "else",
    "contentSchema",
    "additionalItems",
];

/// Calls `visit` with a schema and with every schema inside it, the outer ones
/// first; those inside are looked for in what `visit` has left.
pub(super) fn for_each(schema: &mut Value, mut visit: impl FnMut(&mut Value)) {
    let mut pending = vec![schema];
    while let Some(schema) = pending.pop() {
        visit(schema);
        if let Value::Object(keywords) = schema {
            for (keyword, value) in keywords {
                push_parts(keyword, value, &mut pending);
            }
        }
    }
}

/// What a keyword holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A schema.
    Schema,
    /// An object of schemas by name.
    Named,
    /// A list of schemas.
    Listed,
    /// No schema.
    Data,
}

/// Tells what a keyword of a schema holds as this value.
pub(super) fn part(keyword: &str, value: &Value) -> Part {
    match value {
        Value::Array(_) if LISTED.contains(&keyword) => Part::Listed,
        Value::Array(_) => Part::Data,
        _ if SINGLE.contains(&keyword) => Part::Schema,
        Value::Object(_) if BY_NAME.contains(&keyword) => Part::Named,
        _ => Part::Data,
    }
}

fn push_parts<'a>(keyword: &str, value: &'a mut Value, pending: &mut Vec<&'a mut Value>) {
    match (part(keyword, value), value) {
        (Part::Schema, value) => pending.push(value),
        (Part::Named, Value::Object(named)) => pending.extend(named.values_mut()),
        (Part::Listed, Value::Array(listed)) => pending.extend(listed),
        _ => {}
    }
}
