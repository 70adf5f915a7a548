//! What a schema must satisfy before it is compiled.
//!
//! Compiling and validating recurse along the schema and along what its
//! references expand to, and neither can be interrupted. So both are bounded
//! here, before anything else touches the schema.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{SchemaError, json, words};

/// The most bytes of compact text.
pub const MAX_SCHEMA_BYTES: usize = 64 * 1_024;

/// The most levels a schema may nest.
pub const MAX_SCHEMA_DEPTH: usize = 64;

/// The most parts a schema may have with its references followed. Twenty
/// definitions that each refer twice to the next are small, and a million parts.
const MAX_PARTS: usize = 5_000;

/// The most patterns: each may compile to a megabyte.
const MAX_PATTERNS: usize = 64;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Refuses what must not be compiled.
pub(super) fn check(schema: &Value) -> Result<(), SchemaError> {
    check_size(schema)?;
    check_root(schema)?;
    check_parts(schema)
}

/// The same for a schema that may describe any type.
pub(super) fn check_any(schema: &Value) -> Result<(), SchemaError> {
    check_size(schema)?;
    check_dialect(schema)?;
    check_parts(schema)
}

fn check_size(schema: &Value) -> Result<(), SchemaError> {
    let bytes = json::serialized_len(schema);
    if bytes > MAX_SCHEMA_BYTES {
        return Err(SchemaError::TooLarge { bytes });
    }
    let mut pending = vec![(schema, 1)];
    while let Some((value, depth)) = pending.pop() {
        if depth > MAX_SCHEMA_DEPTH {
            return Err(SchemaError::TooDeep);
        }
        match value {
            Value::Array(items) => pending.extend(items.iter().map(|v| (v, depth + 1))),
            Value::Object(members) => pending.extend(members.values().map(|v| (v, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}

fn check_root(schema: &Value) -> Result<(), SchemaError> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(SchemaError::NotAnObject);
    }
    check_dialect(schema)
}

fn check_dialect(schema: &Value) -> Result<(), SchemaError> {
    match schema.get("$schema") {
        Some(Value::String(dialect)) if dialect.trim_end_matches('#') != DIALECT => {
            Err(SchemaError::Dialect(words::bounded(dialect)))
        }
        _ => Ok(()),
    }
}

/// Where the walk over the parts stands.
enum Step<'a> {
    Enter(&'a Value),
    Follow(&'a Value),
    Return(*const Value),
}

/// Walks the schema with its references followed, and counts.
fn check_parts(root: &Value) -> Result<(), SchemaError> {
    let mut following = HashSet::new();
    let (mut parts, mut patterns) = (0, 0);
    let mut pending = vec![Step::Enter(root)];
    while let Some(step) = pending.pop() {
        match step {
            Step::Return(target) => {
                following.remove(&target);
            }
            // A recursive reference: the validator remembers its results.
            Step::Follow(target) if !following.insert(std::ptr::from_ref(target)) => {}
            Step::Follow(target) => {
                pending.extend([Step::Return(target), Step::Enter(target)]);
            }
            Step::Enter(part) => {
                parts += 1;
                if let Value::Object(keywords) = part {
                    patterns += pattern_count(keywords);
                    check_identity(keywords, part, root)?;
                    pending.extend(target(keywords, root)?.map(Step::Follow));
                    push_parts(keywords, &mut pending);
                }
            }
        }
        if parts > MAX_PARTS {
            return Err(SchemaError::TooComplex(
                "its references expand to too many parts",
            ));
        }
        if patterns > MAX_PATTERNS {
            return Err(SchemaError::TooComplex("it has more than 64 patterns"));
        }
    }
    Ok(())
}

fn pattern_count(keywords: &Map<String, Value>) -> usize {
    let named = keywords.get("patternProperties").and_then(Value::as_object);
    named.map_or(0, Map::len) + usize::from(keywords.contains_key("pattern"))
}

/// Refuses what would change the meaning of `#/…` below, or resolves elsewhere.
fn check_identity(
    keywords: &Map<String, Value>,
    part: &Value,
    root: &Value,
) -> Result<(), SchemaError> {
    if !std::ptr::eq(part, root) && keywords.get("$id").is_some_and(Value::is_string) {
        return Err(SchemaError::ForeignReference("$id".to_owned()));
    }
    if keywords.contains_key("$dynamicRef") {
        return Err(SchemaError::ForeignReference("$dynamicRef".to_owned()));
    }
    Ok(())
}

/// What the `$ref` of a schema points at.
fn target<'a>(
    keywords: &Map<String, Value>,
    root: &'a Value,
) -> Result<Option<&'a Value>, SchemaError> {
    let Some(Value::String(reference)) = keywords.get("$ref") else {
        return Ok(None);
    };
    if reference != "#" && !reference.starts_with("#/") {
        return Err(SchemaError::ForeignReference(words::bounded(reference)));
    }
    match resolve(reference, root) {
        Some(target) => Ok(Some(target)),
        None => Err(SchemaError::DanglingReference(words::bounded(reference))),
    }
}

/// What a `$ref` of a schema with this root refers to: `#` or `#/…`, percent-encoded.
/// `None` for any other reference, and where nothing stands.
pub fn resolve<'a>(reference: &str, root: &'a Value) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    let pointer = percent_encoding::percent_decode_str(pointer)
        .decode_utf8()
        .ok()?;
    root.pointer(&pointer)
}

/// Pushes the schemas inside a schema. What `enum`, `const`, `default` and
/// `examples` hold is data there, while properties *named* so are schemas.
fn push_parts<'a>(keywords: &'a Map<String, Value>, pending: &mut Vec<Step<'a>>) {
    for (keyword, value) in keywords {
        match (keyword.as_str(), value) {
            ("enum" | "const" | "default" | "examples", _) => {}
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas",
                Value::Object(named),
            ) => pending.extend(named.values().map(Step::Enter)),
            (_, Value::Array(items)) => pending.extend(items.iter().map(Step::Enter)),
            (_, Value::Object(_) | Value::Bool(_)) => pending.push(Step::Enter(value)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::arbitrary::nested_objects;
    use crate::schema::ParamsValidator;

    #[track_caller]
    fn check_error(mut rest: Value, expected: &SchemaError) {
        rest["type"] = json!("object");
        assert_eq!(&ParamsValidator::compile(&rest).unwrap_err(), expected);
    }

    #[track_caller]
    fn check_ok(mut rest: Value) {
        rest["type"] = json!("object");
        ParamsValidator::compile(&rest).unwrap();
    }

    #[test]
    fn the_root_describes_an_object() {
        for schema in [
            json!({}),
            json!(true),
            json!([]),
            json!({"type": "array"}),
            json!({"type": ["object", "null"]}),
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}),
        ] {
            let error = ParamsValidator::compile(&schema).unwrap_err();
            assert_eq!(error, SchemaError::NotAnObject, "{schema}");
        }
    }

    #[test]
    fn references_that_leave_the_document_are_refused() {
        for reference in [
            "https://example.com/schema.json",
            "https://json-schema.org/draft/2020-12/schema",
            "file:///etc/passwd",
            "other.json",
            "other.json#/a",
            "#anchor",
            "",
        ] {
            let expected = SchemaError::ForeignReference(reference.to_owned());
            check_error(json!({"properties": {"a": {"$ref": reference}}}), &expected);
            check_error(json!({"$defs": {"unused": {"$ref": reference}}}), &expected);
            check_error(json!({"allOf": [{"not": {"$ref": reference}}]}), &expected);
        }
        check_error(
            json!({"$defs": {"a": {"$id": "https://example.com/"}}}),
            &SchemaError::ForeignReference("$id".to_owned()),
        );
        check_error(
            json!({"items": {"$dynamicRef": "#a"}}),
            &SchemaError::ForeignReference("$dynamicRef".to_owned()),
        );
    }

    #[test]
    fn references_within_the_document_are_followed() {
        check_ok(json!({"$id": "https://example.com/x", "properties": {"a": {"$ref": "#"}}}));
        check_ok(
            json!({"properties": {"a": {"$ref": "#/$defs/a%20b~1c"}}, "$defs": {"a b/c": true}}),
        );
        check_error(
            json!({"$defs": {"a": {"$ref": "#/$defs/b"}}}),
            &SchemaError::DanglingReference("#/$defs/b".to_owned()),
        );
    }

    #[test]
    fn what_is_data_or_a_name_is_no_reference() {
        let data = json!({"$ref": "https://example.com/"});
        check_ok(
            json!({"default": data, "examples": [data], "properties": {"a": {"enum": [data]}}}),
        );
        check_ok(json!({"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}}));
        check_error(
            json!({"properties": {"default": {"$ref": "x"}}}),
            &SchemaError::ForeignReference("x".to_owned()),
        );
    }

    #[test]
    fn only_one_dialect_is_read() {
        check_ok(json!({"$schema": DIALECT}));
        check_ok(json!({"$schema": format!("{DIALECT}#")}));
        let other = "http://json-schema.org/draft-07/schema#";
        check_error(
            json!({"$schema": other}),
            &SchemaError::Dialect(other.to_owned()),
        );
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let text = "x".repeat(MAX_SCHEMA_BYTES);
        let bytes = json!({"description": text, "type": "object"})
            .to_string()
            .len();
        check_error(
            json!({"description": text}),
            &SchemaError::TooLarge { bytes },
        );
        check_error(
            json!({"default": nested_objects(64)}),
            &SchemaError::TooDeep,
        );
        check_ok(json!({"default": nested_objects(63)}));
        let deep = nested_objects(5_000);
        assert_eq!(check_size(&deep), Err(SchemaError::TooDeep));
        json::discard(deep);
    }

    #[test]
    fn references_that_multiply_are_refused() {
        let mut schema = json!({"$ref": "#/$defs/d0", "$defs": {"d30": {"type": "object"}}});
        for n in 0..30 {
            let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
            schema["$defs"][format!("d{n}")] = json!({"allOf": [next.clone(), next]});
        }
        check_error(
            schema,
            &SchemaError::TooComplex("its references expand to too many parts"),
        );
    }

    #[test]
    fn patterns_are_bounded() {
        let patterns: Value = (0..65).map(|n| (format!("^{n}"), json!({}))).collect();
        check_error(
            json!({ "patternProperties": patterns }),
            &SchemaError::TooComplex("it has more than 64 patterns"),
        );
    }

    #[test]
    fn recursive_schemas_are_allowed() {
        check_ok(json!({"$ref": "#"}));
        check_ok(json!({
            "$ref": "#/$defs/filter",
            "$defs": {"filter": {"anyOf": [
                {"properties": {"and": {"items": {"$ref": "#/$defs/filter"}}}},
                {"properties": {"not": {"$ref": "#/$defs/filter"}}}
            ]}}
        }));
    }
}
