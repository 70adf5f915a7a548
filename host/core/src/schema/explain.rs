//! The validator's errors in an agent's words.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::types::JsonType;
use serde_json::Value;

use super::words::{bounded, listed, quoted, shown, shown_text, type_name};
use super::{MAX_VIOLATIONS, Violation, json};
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
            let message = format!("{} is required", quoted(name));
            vec![violation(error, Some(name), message)]
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
            let meant: Vec<_> = context.iter().filter(|b| is_meant(b, error)).collect();
            match meant.as_slice() {
                [branch] => branch.iter().flat_map(|e| violations(schema, e)).collect(),
                _ => vec![violation(error, None, no_form(error, context))],
            }
        }
        _ => vec![violation(error, None, message(error))],
    }
}

/// True when the params seem to follow this branch: it is not refused for its
/// type or for a constant, which is how branches are told apart.
fn is_meant(branch: &[ValidationError<'static>], error: &ValidationError<'_>) -> bool {
    let here = error.instance_path().as_str();
    !branch.iter().any(|cause| {
        let below = cause.instance_path().as_str().strip_prefix(here);
        let depth = below.map_or(usize::MAX, |path| path.matches('/').count());
        match cause.kind() {
            Kind::Type { .. } | Kind::Enum { .. } => depth == 0,
            Kind::Constant { .. } => depth <= 1,
            _ => false,
        }
    })
}

fn no_form(error: &ValidationError<'_>, context: &[Vec<ValidationError<'static>>]) -> String {
    let forms: Option<Vec<String>> = context
        .iter()
        .map(|branch| match branch.as_slice() {
            [only] if only.instance_path() == error.instance_path() => expected(only.kind()),
            _ => None,
        })
        .collect();
    match forms {
        Some(forms) => format!("must be {}, found {}", listed(&forms, " or "), found(error)),
        None => format!("must have one of {} forms and has none", context.len()),
    }
}

/// What would be right, for errors that say it in a few words.
fn expected(kind: &Kind) -> Option<String> {
    match kind {
        Kind::Constant { expected_value } => Some(shown(expected_value)),
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

fn message(error: &ValidationError<'_>) -> String {
    let found = found(error);
    let text = match error.kind() {
        kind @ (Kind::Constant { .. } | Kind::Type { .. }) => {
            format!("must be {}", expected(kind).unwrap_or_default())
        }
        Kind::Enum { options } => return unknown_option(error, options, &found),
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

fn unknown_option(error: &ValidationError<'_>, options: &Value, found: &str) -> String {
    let options = options.as_array().map_or(&[][..], Vec::as_slice);
    let shown: Vec<String> = options.iter().map(shown).collect();
    let listed = listed(&shown, ", ");
    let close = error.instance().as_str().and_then(|text| {
        let names = options.iter().filter_map(Value::as_str);
        nearest(text, names).map(|name| format!("; did you mean {}?", shown_text(name)))
    });
    format!(
        "must be one of {listed}, found {found}{}",
        close.unwrap_or_default()
    )
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

fn violation(error: &ValidationError<'_>, property: Option<&str>, message: String) -> Violation {
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
fn found(error: &ValidationError<'_>) -> String {
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
            &[" oneOf: must have one of 2 forms and has none"],
        );
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
