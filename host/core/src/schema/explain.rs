//! The validator's errors in an agent's words.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::types::JsonType;
use serde_json::{Map, Value};

use super::words::{bounded, listed, quoted, shown, shown_text, type_name};
use super::{MAX_VIOLATIONS, Violation, forms, json};
use crate::redact::{NameRule, name_rule};
use crate::suggest::nearest;

/// The answer where all violations would be too much work.
pub(super) fn unexplained() -> Violation {
    Violation {
        path: "/params".to_owned(),
        rule: "schema".to_owned(),
        message: "the params do not satisfy the schema, in more ways than can be told".to_owned(),
    }
}

/// The violations behind one error.
pub(super) fn violations(schema: &Value, error: &ValidationError<'_>) -> Vec<Violation> {
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![violation(error, Some(name), missing(schema, error, name))]
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let known = known_properties(schema, error);
            unexpected
                .iter()
                .take(MAX_VIOLATIONS)
                .map(|name| violation(error, Some(name), unknown_property(name, &known)))
                .collect()
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            forms::violations(schema, error, context)
        }
        _ => vec![violation(error, None, message(error))],
    }
}

/// What would be right, for errors that say it in a few words.
pub(super) fn expected(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Constant { .. } | Kind::Enum { .. } => {
            let allowed: Vec<_> = allowed(kind).iter().map(shown).collect();
            Some(listed(&allowed, " or "))
        }
        Kind::Type {
            kind: TypeKind::Single(name),
        } => Some(type_name(*name).to_owned()),
        Kind::Type {
            kind: TypeKind::Multiple(names),
        } => {
            let mut names: Vec<_> = names.iter().map(|n| type_name(n).to_owned()).collect();
            names.sort_by_key(|name| name == "null");
            Some(listed(&names, " or "))
        }
        _ => None,
    }
}

/// The values one of which would be right.
pub(super) fn allowed(kind: &Kind) -> &[Value] {
    match kind {
        Kind::Constant { expected_value } => std::slice::from_ref(expected_value),
        Kind::Enum { options } => options.as_array().map_or(&[], Vec::as_slice),
        _ => &[],
    }
}

fn message(error: &ValidationError<'_>) -> String {
    let found = found(error);
    let text = match error.kind() {
        kind @ (Kind::Constant { .. } | Kind::Type { .. }) => {
            format!("must be {}", expected(kind).unwrap_or_default())
        }
        kind @ Kind::Enum { .. } => return unknown_option(error, allowed(kind), &found),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::Pattern { pattern } => format!("must match the pattern {}", quoted(pattern)),
        Kind::Format { format } => format!("must have the format {}", quoted(format)),
        Kind::MaxLength { limit } => return count("at most", *limit, "characters", error),
        Kind::MinLength { limit } => return count("at least", *limit, "characters", error),
        Kind::MaxItems { limit } => return count("at most", *limit, "items", error),
        Kind::MinItems { limit } => return count("at least", *limit, "items", error),
        Kind::MaxProperties { limit } => return count("at most", *limit, "properties", error),
        Kind::MinProperties { limit } => return count("at least", *limit, "properties", error),
        Kind::UniqueItems => return "must not have the same item twice".to_owned(),
        Kind::FalseSchema => return "is not allowed here".to_owned(),
        Kind::Contains => return "must contain an item of the required form".to_owned(),
        Kind::Not { .. } => return "has a form that is not allowed".to_owned(),
        Kind::OneOfMultipleValid { .. } => {
            return "must have exactly one of the forms and has several".to_owned();
        }
        Kind::PropertyNames { error } => {
            return format!("the name of a property {}", message(error));
        }
        _ => return bounded(&error.masked().to_string()),
    };
    format!("{text}, found {found}")
}

fn count(bound: &str, limit: u64, what: &str, error: &ValidationError<'_>) -> String {
    let found = match &**error.instance() {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    };
    format!("must have {bound} {limit} {what}, found {found}")
}

fn unknown_option(error: &ValidationError<'_>, options: &[Value], found: &str) -> String {
    let shown: Vec<String> = options.iter().map(shown).collect();
    let listed = listed(&shown, ", ");
    let close = close_option(error.instance(), options);
    format!("must be one of {listed}, found {found}{close}")
}

/// The allowed value that was probably meant, as the end of a sentence.
pub(super) fn close_option<'v>(
    value: &Value,
    options: impl IntoIterator<Item = &'v Value>,
) -> String {
    let names = options.into_iter().filter_map(Value::as_str);
    let close = value.as_str().and_then(|text| nearest(text, names));
    let hint = close.map(|name| format!("; did you mean {}?", shown_text(name)));
    hint.unwrap_or_default()
}

/// What is missing, and what may have been given in its place.
fn missing(schema: &Value, error: &ValidationError<'_>, name: &str) -> String {
    let known = known_properties(schema, error);
    let given = error.instance().as_object();
    let unknown = given.into_iter().flat_map(Map::keys).map(String::as_str);
    let unknown = unknown.filter(|given| !known.contains(given));
    let hint = match nearest(name, unknown) {
        Some(close) => format!("; rename {} if it was meant", quoted(close)),
        None => String::new(),
    };
    format!("{} is required{hint}", quoted(name))
}

fn unknown_property(name: &str, known: &[&str]) -> String {
    let hint = match nearest(name, known.iter().copied()) {
        Some(close) => format!("; did you mean {}?", quoted(close)),
        None if known.is_empty() => String::new(),
        None => {
            let names: Vec<String> = known.iter().map(|name| quoted(name)).collect();
            format!("; there are {}", listed(&names, ", "))
        }
    };
    format!("{} is not a property here{hint}", quoted(name))
}

/// The properties declared beside the keyword that was violated.
fn known_properties<'s>(schema: &'s Value, error: &ValidationError<'_>) -> Vec<&'s str> {
    let keyword = error.schema_path().as_str();
    keyword
        .rsplit_once('/')
        .and_then(|(parent, _)| schema.pointer(parent)?.get("properties")?.as_object())
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

pub(super) fn violation(
    error: &ValidationError<'_>,
    property: Option<&str>,
    message: String,
) -> Violation {
    let mut path = format!("/params{}", error.instance_path().as_str());
    if let Some(name) = property {
        json::push_pointer(&mut path, name);
    }
    Violation {
        path: bounded(&path),
        rule: error.kind().keyword().to_owned(),
        message,
    }
}

/// What stands in the params; only its type if the path names a secret.
pub(super) fn found(error: &ValidationError<'_>) -> String {
    let value = error.instance();
    let mut names = error.instance_path().as_str().split('/');
    if names.any(|name| name_rule(name) != NameRule::Open) {
        return type_name(JsonType::from(&**value)).to_owned();
    }
    shown(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::ParamsValidator;

    /// Checks what is said about `value` when it must satisfy `schema`.
    #[track_caller]
    fn check(schema: &Value, value: &Value, expected: &[&str]) {
        let schema = json!({"type": "object", "properties": {"v": schema}});
        let validator = ParamsValidator::compile(&schema).unwrap();
        let violations = validator.validate(&json!({ "v": value })).unwrap_err();
        let found: Vec<_> = violations
            .iter()
            .map(|v| {
                format!(
                    "{} {}: {}",
                    v.path.trim_start_matches("/params/v"),
                    v.rule,
                    v.message
                )
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_rule_says_what_is_allowed_and_what_was_found() {
        for (schema, value, expected) in [
            (
                json!({"minimum": 1}),
                json!(0),
                " minimum: must be at least 1, found 0",
            ),
            (
                json!({"exclusiveMaximum": 1}),
                json!(1),
                " exclusiveMaximum: must be less than 1, found 1",
            ),
            (
                json!({"exclusiveMinimum": 1}),
                json!(1),
                " exclusiveMinimum: must be more than 1, found 1",
            ),
            (
                json!({"multipleOf": 3}),
                json!(4),
                " multipleOf: must be a multiple of 3, found 4",
            ),
            (
                json!({"const": "a"}),
                json!("b"),
                " const: must be \"a\", found \"b\"",
            ),
            (
                json!({"minLength": 3}),
                json!("é"),
                " minLength: must have at least 3 characters, found 1",
            ),
            (
                json!({"minItems": 1}),
                json!([]),
                " minItems: must have at least 1 items, found 0",
            ),
            (
                json!({"minProperties": 1}),
                json!({}),
                " minProperties: must have at least 1 properties, found 0",
            ),
            (
                json!({"maxProperties": 0}),
                json!({"a": 1}),
                " maxProperties: must have at most 0 properties, found 1",
            ),
            (
                json!({"uniqueItems": true}),
                json!([1, 1]),
                " uniqueItems: must not have the same item twice",
            ),
            (
                json!({"not": {}}),
                json!(1),
                " not: has a form that is not allowed",
            ),
            (
                json!({"contains": {"type": "null"}}),
                json!([1]),
                " contains: must contain an item of the required form",
            ),
            (
                json!({"oneOf": [{}, {}]}),
                json!(1),
                " oneOf: must have exactly one of the forms and has several",
            ),
            (
                json!({"propertyNames": {"maxLength": 1}}),
                json!({"abc": 1}),
                " propertyNames: the name of a property must have at most 1 characters, found 3",
            ),
            (
                json!({"dependentRequired": {"a": ["b"]}}),
                json!({"a": 1}),
                "/b required: `b` is required",
            ),
        ] {
            check(&schema, &value, &[expected]);
        }
    }

    #[test]
    fn forms_are_told_apart_by_a_constant() {
        let form = |kind: &str, rest: Value| {
            json!({"type": "object", "required": ["kind", "id"],
                   "properties": {"kind": {"const": kind}, "id": rest}})
        };
        let forms = json!({"oneOf": [form("a", json!({"type": "string"})), form("b", json!({"type": "integer"}))]});
        check(
            &forms,
            &json!({"kind": "b", "id": "x"}),
            &["/id type: must be an integer, found \"x\""],
        );
        check(
            &forms,
            &json!({"kind": "c", "id": 1}),
            &["/kind const: must be \"a\" or \"b\", found \"c\""],
        );
    }

    #[test]
    fn a_form_of_which_nearly_all_is_there_is_explained() {
        let form = |properties: &[&str]| {
            let named = properties
                .iter()
                .map(|name| ((*name).to_owned(), json!({})));
            json!({"type": "object", "required": properties,
                   "properties": named.collect::<Map<_, _>>(), "additionalProperties": false})
        };
        let forms = json!({"anyOf": [form(&["a", "b", "c"]), form(&["street", "city"]), {"type": "string"}]});
        check(
            &forms,
            &json!({"street": 1}),
            &[
                " anyOf: must have one of 3 forms and has none; form 2 is the nearest",
                "/city required: `city` is required",
            ],
        );
        check(
            &forms,
            &json!({"street": 1, "citi": 2}),
            &[
                " anyOf: must have one of 3 forms and has none; form 2 is the nearest",
                "/citi additionalProperties: `citi` is not a property here; did you mean `city`?",
                "/city required: `city` is required; rename `citi` if it was meant",
            ],
        );
    }

    #[test]
    fn a_value_that_may_be_null_says_what_it_may_be_else() {
        let state = json!({"anyOf": [{"enum": ["urgent", "high"]}, {"type": "null"}]});
        check(
            &state,
            &json!("urgnt"),
            &[
                " anyOf: must be \"urgent\" or \"high\" or null, found \"urgnt\"; did you mean \"urgent\"?",
            ],
        );
        let constants = json!({"oneOf": [{"const": "asc"}, {"const": "desc"}]});
        check(
            &constants,
            &json!("dsc"),
            &[" oneOf: must be \"asc\" or \"desc\", found \"dsc\"; did you mean \"asc\"?"],
        );
    }

    #[test]
    fn what_is_nested_is_named_by_its_place() {
        let schema = json!({"type": "array", "items": {
            "type": "object",
            "properties": {"state": {"enum": ["todo", "done"]}, "labels": {"items": {"type": "string"}}},
            "required": ["state"],
            "additionalProperties": false,
        }});
        check(
            &schema,
            &json!([{"state": "done"}, {"state": "dne", "labels": ["a", 2]}, {"stat": "todo"}]),
            &[
                "/1/labels/1 type: must be a string, found 2",
                "/1/state enum: must be one of \"todo\", \"done\", found \"dne\"; did you mean \"done\"?",
                "/2/stat additionalProperties: `stat` is not a property here; did you mean `state`?",
                "/2/state required: `state` is required; rename `stat` if it was meant",
            ],
        );
    }

    #[test]
    fn what_was_given_in_place_of_what_is_missing_is_named_where_all_names_are_allowed() {
        check(
            &json!({"properties": {"title": {}, "tile": {}}, "required": ["title"]}),
            &json!({"titel": 1}),
            &["/title required: `title` is required; rename `titel` if it was meant"],
        );
        check(
            &json!({"properties": {"title": {}, "tile": {}}, "required": ["title"]}),
            &json!({"tile": 1}),
            &["/title required: `title` is required"],
        );
    }

    #[test]
    fn what_looks_like_a_secret_is_not_echoed() {
        for secret in [
            "lin_api_0123456789",
            "Bearer abc",
            "xoxb-1-2",
            "ghp_0123",
            "eyJhbGciOiJI",
        ] {
            check(
                &json!({"type": "integer"}),
                &json!(secret),
                &[" type: must be an integer, found a string that looks like a secret"],
            );
        }
    }

    #[test]
    fn long_lists_are_cut() {
        let options: Vec<Value> = (0..12).map(Value::from).collect();
        check(
            &json!({ "enum": options }),
            &json!("x"),
            &[" enum: must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more, found \"x\""],
        );
    }
}
