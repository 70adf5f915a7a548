//! Schemas and the lists that are made of them.

use serde_json::json;

use super::*;

#[track_caller]
fn check(schema: &Value, expected: &[&str]) {
    let list = list(schema);
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines, expected, "\n{list}");
}

/// Checks the line about a property `v` with this schema.
#[track_caller]
fn check_one(schema: &Value, expected: &str) {
    check(&json!({ "properties": { "v": schema } }), &[expected]);
}

#[test]
fn every_rule_is_told() {
    for (schema, expected) in [
        (json!({}), "- `v`"),
        (json!(true), "- `v`"),
        (json!({ "type": "string" }), "- `v` (string)"),
        (
            json!({ "type": ["null", "string"], "minLength": 1, "maxLength": 5 }),
            "- `v` (string or null, 1 to 5 characters)",
        ),
        (
            json!({ "type": "string", "minLength": 1 }),
            "- `v` (string, not empty)",
        ),
        (
            json!({ "type": "integer", "minimum": 0, "default": 3 }),
            "- `v` (integer, at least 0, default `3`)",
        ),
        (
            json!({ "exclusiveMinimum": 0, "exclusiveMaximum": 1.5, "multipleOf": 0.5 }),
            "- `v` (more than 0, less than 1.5, a multiple of 0.5)",
        ),
        (
            json!({ "type": "array", "items": { "type": "string" }, "maxItems": 2, "uniqueItems": true }),
            "- `v` (array of string, at most 2 items, no item twice)",
        ),
        (
            json!({ "type": "object", "minProperties": 2, "maxProperties": 2 }),
            "- `v` (object, exactly 2 properties)",
        ),
        (
            json!({ "enum": ["a", 1, null], "description": "Which." }),
            "- `v` (one of `\"a\"`, `1`, `null`): Which.",
        ),
        (json!({ "const": "x" }), "- `v` (always `\"x\"`)"),
        (
            json!({ "type": "string", "pattern": "^[a-z]+$", "format": "date", "deprecated": true }),
            "- `v` (string, matches `^[a-z]+$`, format `date`, deprecated)",
        ),
        (
            json!({ "anyOf": [
                { "oneOf": [{ "const": "a", "title": "A" }, { "const": "b" }] },
                { "type": "null" },
            ] }),
            "- `v` (may be null, one of `\"a\"`, `\"b\"`)",
        ),
        (
            json!({ "anyOf": [{ "type": "string", "description": "Who." }, { "type": "null" }] }),
            "- `v` (string or null): Who.",
        ),
    ] {
        check_one(&schema, expected);
    }
}

#[test]
fn what_is_nested_stands_below() {
    check(
        &json!({
            "properties": {
                "owner": { "$ref": "#/$defs/user", "description": "Who owns it." },
                "watchers": { "type": "array", "items": { "$ref": "#/$defs/user" } },
                "labels": { "additionalProperties": { "type": "string" }, "type": "object" },
                "sort": { "oneOf": [{ "const": "asc", "description": "Up." }, { "const": "desc" }] },
            },
            "required": ["owner"],
            "$defs": {
                "user": {
                    "type": "object",
                    "description": "A user.",
                    "properties": { "id": { "type": "string" }, "name": { "type": "string" } },
                    "required": ["id"],
                },
            },
        }),
        &[
            "- `owner` (object, required): Who owns it.",
            "  - `id` (string, required)",
            "  - `name` (string)",
            "- `watchers` (array of object)",
            "  - each item (object): A user.",
            "    - `id` (string, required)",
            "    - `name` (string)",
            "- `labels` (object)",
            "  - any other property (string)",
            "- `sort` (one of `\"asc\"`, `\"desc\"`)",
            "  - `\"asc\"`: Up.",
        ],
    );
}

#[test]
fn forms_are_told_apart() {
    check(
        &json!({
            "properties": {
                "target": {
                    "oneOf": [
                        { "type": "string", "description": "An id." },
                        { "properties": { "kind": { "const": "team" } }, "required": ["kind"] },
                    ],
                },
            },
        }),
        &[
            "- `target` (one of the forms below)",
            "  - form 1 (string): An id.",
            "  - form 2 (object)",
            "    - `kind` (required, always `\"team\"`)",
        ],
    );
}

#[test]
fn what_all_of_several_schemas_demand_is_told_together() {
    check(
        &json!({
            "allOf": [
                { "properties": { "a": { "type": "string" } }, "required": ["a"] },
                { "$ref": "#/$defs/b" },
            ],
            "$defs": { "b": { "properties": { "b": { "type": "null" } } } },
        }),
        &["- `a` (string, required)", "- `b` (null)"],
    );
}

#[test]
fn a_schema_that_holds_itself_is_told_once() {
    let more = "- The schema in `GET /{sessionId}/actions/available` says more.";
    check(
        &json!({
            "properties": {
                "filter": { "$ref": "#/$defs/filter" },
                "all": { "$ref": "#" },
            },
            "$defs": {
                "filter": {
                    "type": "object",
                    "properties": {
                        "and": { "type": "array", "items": { "$ref": "#/$defs/filter" } },
                    },
                },
            },
        }),
        &[
            "- `filter` (object)",
            "  - `and` (array of object)",
            "    - each item (object)",
            "- `all` (object)",
            more,
        ],
    );
    for turning in [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "$ref": "#" }] }),
    ] {
        check(&turning, &[]);
    }
}

#[test]
fn what_a_line_cannot_say_is_left_to_the_schema() {
    let list = list(&json!({ "properties": { "v": {} }, "if": {}, "then": {} }));
    assert!(list.ends_with("says more.\n"), "{list}");
}

#[test]
fn lists_are_bounded() {
    let many: Map<String, Value> = (0..5_000).map(|n| (n.to_string(), json!({}))).collect();
    let list_of_many = list(&json!({ "properties": many }));
    assert_eq!(list_of_many.lines().count(), MAX_LINES + 1);

    let mut deep = json!({ "type": "string" });
    for _ in 0..100 {
        deep = json!({ "properties": { "p": deep } });
    }
    assert_eq!(list(&deep).lines().count(), MAX_DEPTH + 2);

    let values: Vec<u32> = (0..500).collect();
    let listed = list(&json!({ "properties": { "v": { "enum": values } } }));
    assert!(listed.contains(" and 470 more)"), "{listed}");

    let long = json!({ "properties": { "v": { "description": "x ".repeat(5_000) } } });
    assert!(list(&long).len() < 500);
}

#[test]
fn text_of_a_schema_stays_in_its_place() {
    let hostile = json!({
        "properties": {
            "a`\n# b": {
                "description": "One.\n\n# Two\n```\n<script>",
                "enum": ["x`\n# y"],
                "pattern": "`\n",
            },
        },
    });
    check(
        &hostile,
        &[
            "- `` a`\\n# b `` (one of `` \"x`\\n# y\" ``, matches `` `\\n ``): One. # Two \\`\\`\\` \\<script>",
        ],
    );
}
