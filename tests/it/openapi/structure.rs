//! The description is a valid one.

use std::collections::BTreeSet;

use portcullis_tests::TestHost;
use serde_json::Value;

use super::description::{Description, Operation};

#[tokio::test]
async fn the_description_is_complete_in_itself() {
    let description = Description::of(&TestHost::start().await).await;
    let document = &description.document;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "Portcullis");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(document["info"]["description"].as_str().unwrap().len() > 1000);
    let mut references = BTreeSet::new();
    collect_references(document, &mut references);
    assert!(references.len() > 50, "{references:?}");
    for reference in &references {
        assert!(description.resolve(reference).is_some(), "{reference}");
    }
    let components = document["components"].as_object().unwrap();
    for (kind, parts) in components {
        for name in parts.as_object().unwrap().keys() {
            let used = references.contains(&format!("#/components/{kind}/{name}"));
            // A code that no operation answers with, but the router as a whole.
            let is_general = name == "method_not_allowed" || name == "unavailable";
            assert!(used || is_general || kind == "securitySchemes", "{name}");
        }
    }
    for schema in components["schemas"].as_object().unwrap().values() {
        description.validator(schema, false);
    }
}

#[tokio::test]
async fn an_answer_that_differs_from_its_description_is_found() {
    let host = TestHost::start().await;
    let description = Description::of(&host).await;
    let schema = serde_json::json!({ "$ref": "#/components/schemas/InvocationAnswer" });
    let validator = description.validator(&schema, true);
    let answer = host.invoke("list_issues", serde_json::json!({})).await;
    let recorded = host.recorded(&answer).await;
    let is_valid = |change: fn(&mut Value)| {
        let mut invocation = recorded.clone();
        change(&mut invocation);
        validator.is_valid(&serde_json::json!({ "invocation": invocation }))
    };
    assert!(is_valid(|_| ()));
    assert!(!is_valid(|it| it["more"] = true.into()));
    assert!(!is_valid(|it| drop(
        it.as_object_mut().unwrap().remove("expiresAt")
    )));
    assert!(!is_valid(|it| it["status"] = "done".into()));
    assert!(!is_valid(|it| it["createdAt"] = "yesterday".into()));
    assert!(!is_valid(|it| it["id"] = "1".into()));
    assert!(!is_valid(|it| it["deniedReason"] = "because".into()));
}

fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                found.insert(reference.clone());
            }
            for part in object.values() {
                collect_references(part, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|i| collect_references(i, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_operation_says_what_a_client_needs() {
    let description = Description::of(&TestHost::start().await).await;
    let mut ids = BTreeSet::new();
    for operation in description.operations() {
        let id = operation.id();
        assert!(ids.insert(id.to_owned()), "{id} is not unique");
        let is_name = id.contains('_') && id.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(is_name, "{id}");
        let summary = operation.object["summary"].as_str().unwrap();
        assert!(summary.ends_with('.') && !summary.contains('\n'), "{id}");
        check_tags_and_security(&description, operation);
        check_path_parameters(operation);
        check_responses(operation);
        check_request(&description, operation);
    }
    assert!(ids.len() >= 30, "{ids:?}");
}

fn check_tags_and_security(description: &Description, operation: Operation<'_>) {
    let tags = operation.object["tags"].as_array().unwrap();
    assert_eq!(tags.len(), 1, "{}", operation.id());
    let known = description.document["tags"].as_array().unwrap();
    let tag = known.iter().find(|known| known["name"] == tags[0]);
    assert!(tag.is_some_and(|tag| tag["description"].is_string()));
    let schemes = operation.schemes();
    assert_eq!(
        schemes.is_empty(),
        tags[0] == "health",
        "{}",
        operation.id()
    );
    for name in schemes {
        let scheme = &description.document["components"]["securitySchemes"][name];
        assert_eq!(
            (&scheme["type"], &scheme["scheme"]),
            (&"http".into(), &"bearer".into())
        );
        assert!(scheme["description"].is_string(), "{name}");
    }
}

fn check_path_parameters(operation: Operation<'_>) {
    let in_template: Vec<_> = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .collect();
    let parameters = operation.object["parameters"].as_array();
    let described: Vec<_> = parameters
        .into_iter()
        .flatten()
        .inspect(|parameter| {
            assert!(parameter["description"].is_string(), "{parameter}");
            assert!(parameter["schema"].is_object(), "{parameter}");
            let is_needed = parameter["in"] == "path" || is_needed_query(operation, parameter);
            assert_eq!(parameter["required"], is_needed, "{parameter}");
        })
        .filter(|parameter| parameter["in"] == "path")
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect();
    assert_eq!(described, in_template, "{}", operation.id());
}

/// What is asked about stands in the query of this one.
fn is_needed_query(operation: Operation<'_>, parameter: &Value) -> bool {
    operation.path.ends_with("/explain") && parameter["in"] == "query"
}

fn check_responses(operation: Operation<'_>) {
    let (id, responses) = (
        operation.id(),
        operation.object["responses"].as_object().unwrap(),
    );
    let is_success = |status: &String| status.starts_with('2') || status == "101";
    assert!(responses.keys().any(is_success), "{id}");
    let is_open = operation.schemes().is_empty();
    let expected: &[&str] = if is_open { &[] } else { &["401", "403", "500"] };
    for status in expected {
        assert!(responses.contains_key(*status), "{id}: {status}");
    }
    for (status, response) in responses {
        assert!(response["description"].is_string(), "{id}: {status}");
        let json = &response["content"]["application/json"];
        if status.as_str() >= "400" && id != "get_readiness" {
            assert_eq!(json["schema"]["$ref"], "#/components/schemas/ErrorBody");
            assert!(!json["examples"].as_object().unwrap().is_empty());
            let waits = response["headers"]["Retry-After"].is_object();
            assert_eq!(waits, status == "429" || status == "503", "{id}: {status}");
        }
    }
}

/// A request says what it takes, and takes nothing else.
fn check_request(description: &Description, operation: Operation<'_>) {
    let body = &operation.object["requestBody"];
    let statuses = operation.object["responses"].as_object().unwrap();
    assert_eq!(
        body.is_object(),
        statuses.contains_key("413"),
        "{}",
        operation.id()
    );
    // A body of bytes is what it is.
    if body.is_null() || body["content"]["application/wasm"].is_object() {
        return;
    }
    let content = &body["content"]["application/json"]["schema"];
    // What may be left out is what is referred to, or null.
    let may_be_absent = body["required"] != true;
    assert_eq!(may_be_absent, content["oneOf"][1]["type"] == "null");
    let reference = content["$ref"].as_str();
    let reference = reference.or_else(|| content["oneOf"][0]["$ref"].as_str());
    let schema = description.resolve(reference.unwrap()).unwrap();
    let variants = schema["oneOf"].as_array().cloned();
    for variant in variants.unwrap_or_else(|| vec![schema.clone()]) {
        assert_eq!(variant["additionalProperties"], false, "{}", operation.id());
    }
}

#[tokio::test]
async fn every_code_has_one_example_that_is_an_answer() {
    let description = Description::of(&TestHost::start().await).await;
    let components = &description.document["components"];
    let body = serde_json::json!({ "$ref": "#/components/schemas/ErrorBody" });
    let validator = description.validator(&body, true);
    let mut codes = BTreeSet::new();
    for (name, example) in components["examples"].as_object().unwrap() {
        assert!(validator.is_valid(&example["value"]), "{name}");
        let code = example["value"]["error"]["code"].as_str().unwrap();
        assert_eq!(name.strip_prefix("invocation.").unwrap_or(name), code);
        codes.insert(code);
    }
    let listed = components["schemas"]["ErrorCodeName"]["enum"].as_array();
    let listed: Vec<_> = listed
        .unwrap()
        .iter()
        .map(|c| c.as_str().unwrap())
        .collect();
    let unique: BTreeSet<_> = listed.iter().copied().collect();
    assert_eq!(listed.len(), unique.len());
    assert_eq!(unique, codes);
}
