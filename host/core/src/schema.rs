//! Schemas of params: compiled once for a plugin version, then asked per call.
//!
//! A schema comes from a plugin, so it is bounded before it is compiled
//! (`check`); params come from an agent, so an answer about them is bounded as
//! well (`effort`), and says in an agent's words what is allowed and what was
//! found (`explain`, `forms`). No reference ever leaves the document, and patterns run on
//! an engine without backtracking.

mod check;
mod effort;
mod explain;
mod forms;
mod words;

use std::sync::Arc;

use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::json;
pub use check::{MAX_SCHEMA_BYTES, MAX_SCHEMA_DEPTH, resolve};

/// The most violations that are told of one call.
pub const MAX_VIOLATIONS: usize = 32;

/// The compiled size of one pattern, in bytes: enough for `^.{1,255}$`.
const MAX_PATTERN_SIZE: usize = 1 << 20;

/// A schema that is no schema for params. Messages are for the plugin's author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Params are an object, and their schema says so.
    #[error("the schema of params must be an object with `\"type\": \"object\"`")]
    NotAnObject,
    /// Its compact text is over [`MAX_SCHEMA_BYTES`].
    #[error("the schema takes {bytes} bytes; at most {MAX_SCHEMA_BYTES} are allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// It nests deeper than [`MAX_SCHEMA_DEPTH`] levels.
    #[error("the schema nests deeper than {MAX_SCHEMA_DEPTH} levels")]
    TooDeep,
    /// With its references followed it has too many parts, or it has too many
    /// patterns.
    #[error("the schema is too complex: {0}")]
    TooComplex(&'static str),
    /// It names another dialect than JSON Schema 2020-12.
    #[error("`$schema` names `{0}`; only JSON Schema 2020-12 is read")]
    Dialect(String),
    /// A reference is not `#` or `#/…` and so may leave the document.
    #[error("`{0}` is not allowed; a `$ref` must be `#` or `#/…`, without `$id` inside the schema")]
    ForeignReference(String),
    /// A reference to a place that does not exist.
    #[error("`$ref` points at `{0}`, which does not exist")]
    DanglingReference(String),
    /// It is not valid JSON Schema.
    #[error("the schema is not valid at `{path}`: {message}")]
    Invalid {
        /// JSON Pointer into the schema.
        path: String,
        /// What is wrong.
        message: String,
    },
}

/// One reason why params are refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// JSON Pointer below `/params` to the value in question; for a missing or
    /// an unknown property to that property.
    pub path: String,
    /// The schema's keyword, for example `required` or `maximum`.
    pub rule: String,
    /// What is allowed and what was found; bounded, without long values and
    /// without the value of anything named like a secret.
    pub message: String,
}

/// A compiled schema. Clones share it.
#[derive(Debug, Clone)]
pub struct ParamsValidator {
    compiled: Arc<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    schema: Value,
    validator: Validator,
}

impl ParamsValidator {
    /// Compiles a schema: JSON Schema 2020-12 with an object at its root.
    /// `format` is an annotation, as that standard says.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        check::check(schema)?;
        let validator = build(schema)?;
        let schema = schema.clone();
        Ok(Self {
            compiled: Arc::new(Compiled { schema, validator }),
        })
    }

    /// Checks params. The violations are ordered by path and rule; there are at
    /// most [`MAX_VIOLATIONS`].
    ///
    /// Where telling all of them would take unreasonable effort, which only
    /// schemas made for it and very large params bring about, there is a single
    /// one with the path `/params`.
    pub fn validate(&self, params: &Value) -> Result<(), Vec<Violation>> {
        let Compiled { schema, validator } = &*self.compiled;
        if validator.is_valid(params) {
            return Ok(());
        }
        if !effort::is_reasonable(schema, params) {
            return Err(vec![explain::unexplained()]);
        }
        let mut errors: Vec<_> = validator.iter_errors(params).collect();
        // Putting errors into words costs more than finding them, so they are
        // ordered first and only as many are put into words as are told.
        errors.sort_by(|a, b| place(a).cmp(&place(b)));
        let mut violations: Vec<_> = errors
            .iter()
            .flat_map(|error| explain::violations(schema, error))
            .take(MAX_VIOLATIONS)
            .collect();
        violations.sort_unstable();
        violations.dedup();
        Err(violations)
    }
}

/// Checks that a value is a schema by the rules that params' schemas follow,
/// save that it may describe any type: what a result schema must be.
pub fn check_schema(schema: &Value) -> Result<(), SchemaError> {
    check::check_any(schema)?;
    build(schema).map(drop)
}

fn build(schema: &Value) -> Result<Validator, SchemaError> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN_SIZE))
        .offline()
        .build(schema)
        .map_err(|error| invalid(&error))
}

fn place<'e>(error: &'e ValidationError<'_>) -> (&'e str, &'e str) {
    (error.instance_path().as_str(), error.kind().keyword())
}

fn invalid(error: &ValidationError<'_>) -> SchemaError {
    SchemaError::Invalid {
        path: words::bounded(error.instance_path().as_str()),
        message: words::bounded(&error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn issue_schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "title": {"type": "string", "minLength": 1, "maxLength": 5},
                "priority": {"type": "integer", "minimum": 0, "maximum": 4},
                "state": {"enum": ["todo", "in_progress", "done"]},
                "labels": {"type": "array", "items": {"type": "string"}, "maxItems": 2, "uniqueItems": true},
                "assignee": {"anyOf": [{"$ref": "#/$defs/user"}, {"type": "null"}]},
                "sort": {"oneOf": [{"const": "asc", "description": "up"}, {"const": "desc"}]},
                "size": {"type": ["string", "null"], "pattern": "^[SML]$"},
                "token": {"type": "string"}
            },
            "required": ["title"],
            "additionalProperties": false,
            "$defs": {
                "user": {
                    "type": "object",
                    "properties": {"id": {"type": "string"}, "a/b": {"type": "null"}},
                    "required": ["id"],
                    "additionalProperties": false
                }
            }
        })
    }

    /// Checks the lines `path rule message` of what is wrong with `params`.
    #[track_caller]
    fn check(params: &Value, expected: &[&str]) {
        let validator = ParamsValidator::compile(&issue_schema()).unwrap();
        let found = validator.validate(params).err().unwrap_or_default();
        let lines: Vec<String> = found
            .iter()
            .map(|v| format!("{} {} {}", v.path, v.rule, v.message))
            .collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn good_params_pass() {
        check(&json!({"title": "x"}), &[]);
        check(
            &json!({"title": "x", "priority": 4, "state": "done", "labels": ["a", "b"],
                    "assignee": null, "sort": "asc", "size": null}),
            &[],
        );
    }

    #[test]
    fn a_missing_property_is_named() {
        check(&json!({}), &["/params/title required `title` is required"]);
        check(
            &json!({"title": "x", "assignee": {}}),
            &["/params/assignee/id required `id` is required"],
        );
    }

    #[test]
    fn an_unknown_property_is_named_with_what_was_meant() {
        check(
            &json!({"titel": "x", "title": "x", "~/": 1}),
            &[
                "/params/titel additionalProperties `titel` is not a property here; did you mean `title`?",
                "/params/~0~1 additionalProperties `~/` is not a property here; there are `title`, \
                 `priority`, `state`, `labels`, `assignee`, `sort`, `size`, `token`",
            ],
        );
        check(
            &json!({"title": "x", "assignee": {"id": "u", "idd": 1}}),
            &[
                "/params/assignee/idd additionalProperties `idd` is not a property here; did you mean `id`?",
            ],
        );
    }

    #[test]
    fn all_violations_are_told_in_order() {
        check(
            &json!({"title": "too long", "priority": 9, "labels": [1, "a", "a"], "size": "XL"}),
            &[
                "/params/labels maxItems must have at most 2 items, found 3",
                "/params/labels uniqueItems must not have the same item twice",
                "/params/labels/0 type must be a string, found 1",
                "/params/priority maximum must be at most 4, found 9",
                "/params/size pattern must match the pattern `^[SML]$`, found \"XL\"",
                "/params/title maxLength must have at most 5 characters, found 8",
            ],
        );
    }

    #[test]
    fn types_say_what_is_allowed_and_what_was_found() {
        check(
            &json!({"title": {"a": 1}, "priority": "1", "size": [1]}),
            &[
                "/params/priority type must be an integer, found \"1\"",
                "/params/size type must be a string or null, found an array of 1 items",
                "/params/title type must be a string, found an object with 1 properties",
            ],
        );
        check(
            &json!([]),
            &["/params type must be an object, found an array of 0 items"],
        );
    }

    #[test]
    fn names_that_are_close_are_suggested() {
        check(
            &json!({"title": "x", "state": "in-progress", "sort": "up"}),
            &[
                "/params/sort oneOf must be \"asc\" or \"desc\", found \"up\"",
                "/params/state enum must be one of \"todo\", \"in_progress\", \"done\", \
                 found \"in-progress\"; did you mean \"in_progress\"?",
            ],
        );
    }

    #[test]
    fn the_form_that_was_meant_is_explained() {
        check(
            &json!({"title": "x", "assignee": {"id": 1, "a/b": 2}}),
            &[
                "/params/assignee/a~1b type must be null, found 2",
                "/params/assignee/id type must be a string, found 1",
            ],
        );
        check(
            &json!({"title": "x", "assignee": "me"}),
            &["/params/assignee anyOf must be an object or null, found \"me\""],
        );
    }

    #[test]
    fn long_values_and_secrets_are_not_echoed() {
        let long = "y".repeat(5_000);
        let validator = ParamsValidator::compile(&issue_schema()).unwrap();
        let params = json!({"title": "x", "priority": long, &long: 1, "token": 1234});
        for violation in validator.validate(&params).unwrap_err() {
            assert!(violation.message.len() < 400, "{}", violation.message);
            assert!(violation.path.len() < 400, "{}", violation.path);
            assert!(!violation.message.contains("1234"), "{}", violation.message);
        }
    }

    #[test]
    fn violations_are_bounded() {
        let validator = ParamsValidator::compile(&issue_schema()).unwrap();
        let params = json!({"title": "x", "labels": (0..500).collect::<Vec<_>>()});
        assert_eq!(
            validator.validate(&params).unwrap_err().len(),
            MAX_VIOLATIONS
        );
    }

    #[test]
    fn very_many_unknown_properties_are_bounded() {
        let validator = ParamsValidator::compile(&issue_schema()).unwrap();
        let params: Value = (0..50_000)
            .map(|n| (format!("titl{n}"), json!(n)))
            .collect();
        let violations = validator.validate(&params).unwrap_err();
        assert_eq!(violations.len(), MAX_VIOLATIONS);
    }

    #[test]
    fn invalid_schemas_are_refused_with_a_place() {
        for (schema, place) in [
            (
                json!({"type": "object", "minProperties": "x"}),
                "/minProperties",
            ),
            (
                json!({"type": "object", "properties": {"a": {"type": "text"}}}),
                "/properties/a/type",
            ),
            (
                json!({"type": "object", "properties": {"a": {"pattern": "("}}}),
                "/properties/a/pattern",
            ),
            (
                json!({"type": "object", "properties": {"a": {"pattern": "(?=x)"}}}),
                "/properties/a/pattern",
            ),
            (
                json!({"type": "object", "properties": {"a": {"pattern": "a{999}{999}"}}}),
                "/properties/a/pattern",
            ),
        ] {
            let error = ParamsValidator::compile(&schema).unwrap_err();
            let SchemaError::Invalid { path, message } = &error else {
                panic!("{schema}: {error}")
            };
            assert_eq!(path, place, "{message}");
        }
    }

    #[test]
    fn usual_patterns_compile() {
        for pattern in ["^.{1,255}$", "^\\w{1,64}$", "^[^\\s]{1,128}$", "^\\p{L}+$"] {
            let schema = json!({"type": "object", "properties": {"a": {"pattern": pattern}}});
            assert!(ParamsValidator::compile(&schema).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn recursion_that_branches_costs_no_more_than_a_short_answer() {
        let branch = json!({"properties": {"p": {"$ref": "#"}}, "required": ["x"]});
        let schema = json!({"type": "object", "anyOf": [branch.clone(), branch.clone(), branch]});
        let validator = ParamsValidator::compile(&schema).unwrap();
        let mut params = json!({});
        for _ in 0..100 {
            params = json!({ "p": params });
        }
        let violations = validator.validate(&params).unwrap_err();
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].path, "/params");
    }

    #[test]
    fn a_validator_can_be_shared() {
        fn shared<T: Send + Sync + Clone>(_: &T) {}
        shared(&ParamsValidator::compile(&issue_schema()).unwrap());
    }
}
