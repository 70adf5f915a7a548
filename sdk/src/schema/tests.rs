//! The schemas that models read, literally.

use serde_json::json;

use super::*;
use crate::Clearable;
use crate::{params, result};

/// An order.
#[params]
#[expect(dead_code, reason = "only the schema is of interest")]
struct ListThings {
    /// The team's id.
    team_id: String,
    /// How many.
    #[schemars(range(min = 1, max = 50))]
    first: Option<u32>,
    /// In which order.
    sort: Option<Sort>,
    /// Null clears it.
    #[serde(default)]
    owner: Clearable<String>,
    between: Option<Between>,
    labels: Option<Vec<String>>,
}

#[params]
enum Sort {
    OldestFirst,
    NewestFirst,
}

#[params]
#[expect(dead_code, reason = "only the schema is of interest")]
struct Between {
    low: f64,
    high: Option<f64>,
}

#[params(rename_all = "snake_case")]
#[expect(dead_code, reason = "only the schema is of interest")]
struct SnakeCase {
    organization_slug: String,
}

#[result]
struct Thing {
    id: String,
    /// Who has it.
    owner: Option<String>,
}

#[test]
fn params_are_closed_short_and_in_the_order_of_the_fields() {
    let expected = json!({
        "description": "An order.",
        "type": "object",
        "properties": {
            "teamId": { "description": "The team's id.", "type": "string" },
            "first": { "description": "How many.", "type": "integer", "minimum": 1, "maximum": 50 },
            "sort": { "description": "In which order.", "type": "string", "enum": ["oldestFirst", "newestFirst"] },
            "owner": { "description": "Null clears it.", "oneOf": [{ "type": "string" }, { "type": "null" }] },
            "between": {
                "type": "object",
                "properties": { "low": { "type": "number" }, "high": { "type": "number" } },
                "additionalProperties": false,
                "required": ["low"],
            },
            "labels": { "type": "array", "items": { "type": "string" } },
        },
        "additionalProperties": false,
        "required": ["teamId"],
    });

    let schema = params::<ListThings>();
    assert_eq!(schema, expected);
    let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["teamId", "first", "sort", "owner", "between", "labels"]
    );
}

#[test]
fn names_can_be_in_another_case() {
    assert!(
        params::<SnakeCase>()["properties"]
            .get("organization_slug")
            .is_some()
    );
}

#[test]
fn results_are_open_and_may_be_null() {
    let expected = json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "owner": { "description": "Who has it.", "type": ["string", "null"] },
        },
        "required": ["id", "owner"],
    });

    assert_eq!(result::<Thing>(), Some(expected));
}

#[test]
fn a_type_that_says_nothing_has_no_schema() {
    assert_eq!(result::<Value>(), None);
}

#[test]
fn leaving_out_and_clearing_are_told_apart() {
    #[params]
    struct Change {
        #[serde(default)]
        owner: Clearable<String>,
    }
    let read = |text| serde_json::from_str::<Change>(text).unwrap().owner;

    assert_eq!(read("{}"), Clearable::Keep);
    assert_eq!(read(r#"{"owner":null}"#), Clearable::Clear);
    assert_eq!(read(r#"{"owner":"ada"}"#), Clearable::Set("ada".to_owned()));
}
