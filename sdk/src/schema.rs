//! JSON Schemas of params and results: 2020-12, in one piece, and short, because models read them.
//!
//! What is removed from what schemars writes:
//! * the names of Rust types (`title`) and of Rust's number formats (`format: uint32`);
//! * `null` as a value of an optional property. A property that may be left out has one way of
//!   being absent; where `null` means something of its own, the type is
//!   [`Clearable`](crate::Clearable);
//! * defaults that are `null`.

use schemars::{
    JsonSchema, Schema,
    generate::{Contract, SchemaSettings},
    transform::{RecursiveTransform, Transform},
};
use serde_json::{Map, Value};

/// The schema of params.
pub(crate) fn params<T: JsonSchema>() -> Value {
    generate::<T>(Contract::Deserialize)
}

/// The schema of a result; `None` when the type says nothing, as `Value` does.
pub(crate) fn result<T: JsonSchema>() -> Option<Value> {
    let schema = generate::<T>(Contract::Serialize);
    let says_nothing = schema.as_object().is_none_or(Map::is_empty);
    (!says_nothing).then_some(schema)
}

fn generate<T: JsonSchema>(contract: Contract) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.contract = contract;
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(tidy).transform(&mut schema);
    if let Some(keywords) = schema.as_object_mut() {
        keywords.shift_remove("title");
    }
    schema.to_value()
}

/// Tidies one schema; its subschemas are tidied on their own.
fn tidy(schema: &mut Schema) {
    let Some(keywords) = schema.as_object_mut() else {
        return;
    };
    if matches!(keywords.get("format"), Some(Value::String(format)) if is_number_format(format)) {
        keywords.shift_remove("format");
    }
    if keywords.get("default") == Some(&Value::Null) {
        keywords.shift_remove("default");
    }
    let required = keywords.get("required").cloned().unwrap_or_default();
    let properties = keywords
        .get_mut("properties")
        .and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        if !contains(&required, name)
            && let Some(property) = property.as_object_mut()
        {
            refuse_null(property);
        }
    }
}

/// Rust's formats: no JSON Schema vocabulary has them.
fn is_number_format(format: &str) -> bool {
    ["int", "uint", "float", "double"]
        .iter()
        .any(|prefix| format.starts_with(prefix))
}

/// Takes back the `null` that schemars adds for an `Option`: in a list of types, in an enum, or as
/// an alternative.
fn refuse_null(property: &mut Map<String, Value>) {
    if let Some(types) = property.get_mut("type") {
        remove_from(types, &Value::from("null"));
        *types = alone(types.take());
    }
    if let Some(values) = property.get_mut("enum") {
        remove_from(values, &Value::Null);
    }
    if let Some(alternatives) = property.get_mut("anyOf") {
        remove_from(alternatives, &serde_json::json!({ "type": "null" }));
        if let Value::Object(only) = alone(alternatives.take()) {
            property.shift_remove("anyOf");
            for (keyword, value) in only {
                property.entry(keyword).or_insert(value);
            }
        }
    }
}

fn remove_from(list: &mut Value, unwanted: &Value) {
    if let Some(items) = list.as_array_mut() {
        items.retain(|item| item != unwanted);
    }
}

/// The only item of a list, or the list.
fn alone(list: Value) -> Value {
    match list {
        Value::Array(mut items) if items.len() == 1 => items.remove(0),
        list => list,
    }
}

fn contains(required: &Value, name: &str) -> bool {
    required
        .as_array()
        .is_some_and(|names| names.iter().any(|candidate| candidate == name))
}

#[cfg(test)]
mod tests;
