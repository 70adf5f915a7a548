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

fn push_parts<'a>(keyword: &str, value: &'a mut Value, pending: &mut Vec<&'a mut Value>) {
    if SINGLE.contains(&keyword) && !value.is_array() {
        pending.push(value);
        return;
    }
    match value {
        Value::Object(named) if BY_NAME.contains(&keyword) => pending.extend(named.values_mut()),
        Value::Array(listed) if LISTED.contains(&keyword) => pending.extend(listed),
        _ => {}
    }
}
