//! How much work it would be to tell all violations.
//!
//! Deciding whether params are valid is cheap: the validator stops at the first
//! branch that decides, and remembers. Collecting all errors is neither: every
//! branch of every `anyOf` is tried for every part of the params, and each
//! error of a branch holds a copy of what it is about. So before collecting we
//! walk schema and params together and add up what could be collected.

use serde_json::{Map, Value};

use super::{check, json};

/// The most bytes of errors that are collected for one call.
const MAX_BYTES: usize = 16 << 20;

/// What one error takes, at least.
const ERROR_BYTES: usize = 64;

/// A schema, and a part of the params it applies to.
struct Visit<'a> {
    schema: &'a Value,
    instance: &'a Value,
    /// True in the branches of `anyOf` and `oneOf`, whose errors hold copies.
    copied: bool,
}

/// True when all errors can be collected at a reasonable price. The estimate is
/// never below the real one: branches that would be skipped are counted.
pub(super) fn is_reasonable(root: &Value, params: &Value) -> bool {
    let mut bytes = 0;
    let mut pending = vec![Visit {
        schema: root,
        instance: params,
        copied: false,
    }];
    while let Some(visit) = pending.pop() {
        let Value::Object(keywords) = visit.schema else {
            continue;
        };
        bytes += price(keywords, &visit);
        if bytes > MAX_BYTES {
            return false;
        }
        push_same(keywords, &visit, root, &mut pending);
        match visit.instance {
            Value::Object(members) => push_members(keywords, members, visit.copied, &mut pending),
            Value::Array(items) => push_items(keywords, items, visit.copied, &mut pending),
            _ => {}
        }
    }
    true
}

/// What the errors of one schema about one value can take.
fn price(keywords: &Map<String, Value>, visit: &Visit<'_>) -> usize {
    // These list what they refuse, even where they are not in a branch.
    const LISTING: [&str; 4] = [
        "additionalProperties",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
    ];
    let lists = LISTING.iter().filter(|name| keywords.contains_key(**name));
    let echoes = lists.count() + if visit.copied { keywords.len() } else { 0 };
    let copied = match echoes {
        0 => 0,
        echoes => echoes * json::serialized_len(visit.instance),
    };
    // `not` names the schema that must not hold.
    let negated = keywords.get("not").map_or(0, json::serialized_len);
    ERROR_BYTES * keywords.len() + copied + negated
}

/// What else applies to the same value.
fn push_same<'a>(
    keywords: &'a Map<String, Value>,
    visit: &Visit<'a>,
    root: &'a Value,
    pending: &mut Vec<Visit<'a>>,
) {
    for (keyword, value) in keywords {
        let branches = matches!(keyword.as_str(), "anyOf" | "oneOf");
        let copied = visit.copied || branches;
        let mut push = |schema| {
            pending.push(Visit {
                schema,
                instance: visit.instance,
                copied,
            });
        };
        match (keyword.as_str(), value) {
            ("$ref", Value::String(reference)) => {
                check::resolve(reference, root).into_iter().for_each(push);
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                schemas.iter().for_each(push);
            }
            ("dependentSchemas", Value::Object(schemas)) => schemas.values().for_each(push),
            ("if" | "then" | "else" | "not", schema) => push(schema),
            _ => {}
        }
    }
}

fn push_members<'a>(
    keywords: &'a Map<String, Value>,
    members: &'a Map<String, Value>,
    copied: bool,
    pending: &mut Vec<Visit<'a>>,
) {
    let named = keywords.get("properties").and_then(Value::as_object);
    for (name, schema) in named.into_iter().flatten() {
        pending.extend(members.get(name).map(|instance| Visit {
            schema,
            instance,
            copied,
        }));
    }
    let matched = keywords.get("patternProperties").and_then(Value::as_object);
    let others = ["additionalProperties", "unevaluatedProperties"];
    let others = others.iter().filter_map(|keyword| keywords.get(*keyword));
    for schema in others.chain(matched.into_iter().flat_map(Map::values)) {
        push_all(schema, members.values(), copied, pending);
    }
}

fn push_items<'a>(
    keywords: &'a Map<String, Value>,
    items: &'a [Value],
    copied: bool,
    pending: &mut Vec<Visit<'a>>,
) {
    let first = keywords.get("prefixItems").and_then(Value::as_array);
    for (schema, instance) in first.into_iter().flatten().zip(items) {
        pending.push(Visit {
            schema,
            instance,
            copied,
        });
    }
    for keyword in ["items", "contains", "unevaluatedItems"] {
        if let Some(schema) = keywords.get(keyword) {
            push_all(schema, items, copied, pending);
        }
    }
}

/// Pushes every instance; a schema that is `true` or `false` has no parts.
fn push_all<'a>(
    schema: &'a Value,
    instances: impl IntoIterator<Item = &'a Value>,
    copied: bool,
    pending: &mut Vec<Visit<'a>>,
) {
    if schema.is_object() {
        pending.extend(instances.into_iter().map(|instance| Visit {
            schema,
            instance,
            copied,
        }));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: &Value, params: &Value, expected: bool) {
        assert_eq!(is_reasonable(schema, params), expected, "{schema}");
    }

    fn numbers(count: usize) -> Value {
        json!({ "a": (0..count).collect::<Vec<_>>() })
    }

    #[test]
    fn usual_schemas_and_large_params_are_reasonable() {
        let row = json!({"type": "object", "required": ["x"], "additionalProperties": false});
        check(
            &json!({"properties": {"a": {"items": {"anyOf": [{"type": "string"}, row]}}}}),
            &numbers(10_000),
            true,
        );
    }

    #[test]
    fn references_that_turn_in_place_are_not() {
        check(&json!({"$ref": "#"}), &json!({}), false);
        let turning =
            json!({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"});
        check(&turning, &json!({}), false);
    }

    #[test]
    fn recursion_is_as_dear_as_params_are_deep() {
        let branch = json!({"properties": {"p": {"$ref": "#"}}});
        let schema = json!({"anyOf": [branch, {"patternProperties": {".": {"$ref": "#"}}}]});
        let mut params = json!({});
        for _ in 0..4 {
            params = json!({ "p": params });
        }
        check(&schema, &params, true);
        for _ in 0..60 {
            params = json!({ "p": params });
        }
        check(&schema, &params, false);
    }

    #[test]
    fn copies_count_with_their_size() {
        let forms: Vec<Value> = (0..100)
            .map(|n| json!({"required": [n.to_string()]}))
            .collect();
        check(
            &json!({ "allOf": forms }),
            &json!({"a": "x".repeat(1 << 20)}),
            true,
        );
        check(
            &json!({ "anyOf": forms }),
            &json!({"a": "x".repeat(1 << 20)}),
            false,
        );
        let closed = vec![json!({"additionalProperties": false}); 100];
        check(
            &json!({ "allOf": closed }),
            &json!({"a": "x".repeat(1 << 20)}),
            false,
        );
    }

    #[test]
    fn every_element_counts() {
        let types = vec![json!({"type": "string"}); 100];
        let schema = json!({"properties": {"a": {"items": {"allOf": types}}}});
        check(&schema, &numbers(100), true);
        check(&schema, &numbers(10_000), false);
    }
}
