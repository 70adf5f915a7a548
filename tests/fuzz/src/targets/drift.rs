//! Digests of definitions, and what they differ in.

use portcullis_core::action::{ActionDefinition, ActionExample, CredentialChoice, Risk};
use portcullis_core::definition::{
    Affects, DefinitionChange, DefinitionDigests, DefinitionDocument, MAX_ENTRIES, difference,
};
use serde_json::{Value, json};

use crate::json::Bytes;

/// Keywords of schemas that mean something to drift.
const KEYWORDS: [&str; 16] = [
    "type",
    "properties",
    "required",
    "description",
    "default",
    "enum",
    "items",
    "$ref",
    "$defs",
    "allOf",
    "const",
    "dependentRequired",
    "title",
    "additionalProperties",
    "format",
    "x-else",
];

pub(super) fn check(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let before = definition(&mut bytes);
    let mut after = before.clone();
    for _ in 0..bytes.next() % 4 {
        change(&mut after, &mut bytes);
    }
    compare(&before, &after);
    compare(&after, &before);
    compare(&before, &before);
    kept(&before);
}

fn definition(bytes: &mut Bytes<'_>) -> ActionDefinition {
    ActionDefinition {
        id: "create_issue".parse().unwrap(),
        title: "Create issue".to_owned(),
        description: "Creates an issue.".to_owned(),
        risk: Risk::Write,
        credential: CredentialChoice::Org,
        params_schema: schema(bytes, 0),
        result_schema: (bytes.next() > 127).then(|| schema(bytes, 0)),
        examples: Vec::new(),
    }
}

/// Something that is a schema, or nearly.
fn schema(bytes: &mut Bytes<'_>, depth: usize) -> Value {
    let mut schema = json!({});
    for _ in 0..bytes.next() % 5 {
        let keyword = KEYWORDS[usize::from(bytes.next() % 16)];
        let deeper = depth < 6 && bytes.next() > 100;
        let value = if deeper {
            schema_in(bytes, depth)
        } else {
            scalar(bytes)
        };
        schema[keyword] = value;
    }
    schema
}

fn schema_in(bytes: &mut Bytes<'_>, depth: usize) -> Value {
    match bytes.next() % 4 {
        0 => json!([schema(bytes, depth + 1), schema(bytes, depth + 1)]),
        1 => {
            let name = KEYWORDS[usize::from(bytes.next() % 16)];
            json!({ name: schema(bytes, depth + 1), "title": schema(bytes, depth + 1) })
        }
        _ => schema(bytes, depth + 1),
    }
}

fn scalar(bytes: &mut Bytes<'_>) -> Value {
    match bytes.next() % 8 {
        0 => json!(bytes.next()),
        1 => json!(["title", "body"]),
        2 => json!(["body", "title", "body"]),
        3 => json!("#/$defs/x"),
        4 => json!("#/properties/default"),
        5 => json!(null),
        6 => json!(1.0),
        _ => json!("string"),
    }
}

fn change(definition: &mut ActionDefinition, bytes: &mut Bytes<'_>) {
    match bytes.next() % 6 {
        0 => definition.description.push('!'),
        1 => definition.risk = Risk::Danger,
        2 => definition.params_schema = schema(bytes, 0),
        3 => definition.result_schema = None,
        4 => definition.params_schema["description"] = scalar(bytes),
        _ => definition.examples.push(ActionExample {
            title: "One".to_owned(),
            params: scalar(bytes),
        }),
    }
}

/// The digests, the change that follows from them and the parts that differ tell
/// the same story.
fn compare(before: &ActionDefinition, after: &ActionDefinition) {
    let (seen, current) = (DefinitionDigests::of(before), DefinitionDigests::of(after));
    let documents = [before, after].map(DefinitionDocument::of);
    let told = difference(&documents[0], &documents[1]);
    let is_same = documents[0].to_text() == documents[1].to_text();
    assert_eq!(seen.contract == current.contract, is_same);
    assert_eq!(told.entries.is_empty(), is_same, "{told:?}");
    assert!(told.entries.len() <= MAX_ENTRIES);
    let affects = told.entries.iter().map(|entry| entry.affects);
    let is_called_differently = affects.into_iter().any(|it| it == Affects::Interface);
    if seen.interface != current.interface {
        assert!(is_called_differently, "{told:?}");
    }
    let change = DefinitionChange::between(Some(seen), current);
    assert_eq!(change == DefinitionChange::None, is_same);
    if before.params_schema != after.params_schema && change == DefinitionChange::Text {
        assert!(!is_same);
    }
}

/// What is kept of a definition is the definition.
fn kept(definition: &ActionDefinition) {
    let document = DefinitionDocument::of(definition);
    let contract = document.digests().contract;
    let read = DefinitionDocument::from_text(&document.to_text(), contract);
    assert_eq!(read.map(|read| read.digests()), Some(document.digests()));
    assert!(DefinitionDocument::from_text("{}", contract).is_none());
}
