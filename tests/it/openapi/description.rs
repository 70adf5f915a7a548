//! The description as tests read it.

use std::collections::BTreeMap;

use jsonschema::{Draft, Validator};
use portcullis_tests::TestHost;
use serde_json::{Map, Value, json};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The document.
pub(super) struct Description {
    pub(super) document: Value,
    /// The components, with objects closed: an answer with a field that is not
    /// described is a description that lacks one.
    closed_components: Value,
}

/// An operation and where it is.
#[derive(Clone, Copy)]
pub(super) struct Operation<'a> {
    pub(super) path: &'a str,
    pub(super) method: &'a str,
    pub(super) object: &'a Value,
}

impl Description {
    /// Asks for it, as anybody may.
    pub(super) async fn of(host: &TestHost) -> Self {
        let answer = host.request("GET", "/openapi.json", "", Value::Null).await;
        answer.assert_status(200);
        let mut components = answer.json["components"].clone();
        for schema in components["schemas"].as_object_mut().unwrap().values_mut() {
            close_parts(schema);
        }
        Self {
            document: answer.json,
            closed_components: components,
        }
    }

    /// Every operation.
    pub(super) fn operations(&self) -> Vec<Operation<'_>> {
        let mut operations = Vec::new();
        for (path, item) in self.document["paths"].as_object().unwrap() {
            for (method, object) in item.as_object().unwrap() {
                assert!(METHODS.contains(&method.as_str()), "{path}: {method}");
                operations.push(Operation {
                    path,
                    method,
                    object,
                });
            }
        }
        operations
    }

    /// The operation that a request is for.
    pub(super) fn operation_for(&self, method: &str, path: &str) -> Operation<'_> {
        let path = path.split('?').next().unwrap();
        let found: Vec<_> = self
            .operations()
            .into_iter()
            .filter(|operation| operation.method.eq_ignore_ascii_case(method))
            .filter(|operation| fits(operation.path, path))
            .collect();
        assert_eq!(found.len(), 1, "descriptions of {method} {path}");
        found[0]
    }

    /// Checks values against a schema of the document, closed where `is_closed`.
    pub(super) fn validator(&self, schema: &Value, is_closed: bool) -> Validator {
        let mut root = schema.clone();
        if is_closed {
            close(&mut root);
            root["components"] = self.closed_components.clone();
        } else {
            root["components"] = self.document["components"].clone();
        }
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&root)
            .expect("the schemas of the document are schemas")
    }

    /// What a `$ref` points at.
    pub(super) fn resolve(&self, reference: &str) -> Option<&Value> {
        self.document.pointer(reference.strip_prefix('#')?)
    }
}

impl Operation<'_> {
    pub(super) fn id(&self) -> &str {
        self.object["operationId"].as_str().unwrap()
    }

    /// The names of the security schemes, any of which will do.
    pub(super) fn schemes(&self) -> Vec<&str> {
        let requirements = self.object["security"].as_array().unwrap();
        let names = requirements.iter().flat_map(|one| one.as_object().unwrap());
        names.map(|(name, _)| name.as_str()).collect()
    }

    /// The path with each parameter replaced.
    pub(super) fn path_with(&self, values: &BTreeMap<&str, &str>) -> String {
        let parts = self.path.split('/').map(|part| {
            let name = part.strip_prefix('{').and_then(|p| p.strip_suffix('}'));
            name.map_or(part, |name| values[name])
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

/// Whether a path is one of a template's. Templates begin with different words or
/// have different lengths, except where a word stands against a parameter.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(path)
            .all(|(part, text)| part.starts_with('{') || *part == text)
}

/// Refuses what an object's schema does not describe.
fn close(schema: &mut Value) {
    close_parts(schema);
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    let describes = ["$ref", "allOf", "properties"];
    if describes.iter().any(|key| object.contains_key(*key))
        && !object.contains_key("additionalProperties")
    {
        object.insert("unevaluatedProperties".to_owned(), json!(false));
    }
}

/// Closes what a schema's parts describe. A schema itself stays open, since it
/// may be a part of a larger object.
fn close_parts(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    let properties = object.get_mut("properties").and_then(Value::as_object_mut);
    properties
        .into_iter()
        .flat_map(Map::values_mut)
        .for_each(close);
    for key in ["items", "additionalProperties"] {
        object.get_mut(key).into_iter().for_each(close);
    }
    for (key, closing) in [
        ("oneOf", close as fn(&mut Value)),
        ("allOf", close_parts as fn(&mut Value)),
    ] {
        let parts = object.get_mut(key).and_then(Value::as_array_mut);
        parts.into_iter().flatten().for_each(closing);
    }
}
