//! What a plugin is, on one page.

use portcullis_core::action::ActionDefinition;
use portcullis_core::plugin::{ConnectionRequirement, CredentialRule, Endpoint, sentence};
use portcullis_runtime::Plugin;
use portcullis_runtime::inspect::{CONTRACT_VERSION, Inspection};
use serde_json::{Value, json};

use super::super::output::Report;
use super::origin::Origin;

/// Everything about a plugin that matters to whoever decides about it.
pub(super) fn sheet(plugin: &Plugin, inspection: &Inspection, origin: &Origin) -> Report {
    let descriptor = plugin.descriptor();
    let mut fields = identity(plugin, inspection);
    fields.extend(origin.fields());
    let report = Report::new(document(plugin, inspection, origin));
    origin
        .warned(report)
        .fields(fields)
        .text(format!("\n{}", sentence(&plugin.capabilities())))
        .text("\nImports: it can call these, and nothing else")
        .table(vec!["INTERFACE", "WHAT IT PERMITS"], imports(inspection))
        .text("\nEndpoints")
        .table(
            vec!["NAME", "BASE URL", "ROUTES", "CREDENTIAL"],
            descriptor.endpoints.iter().map(endpoint_row).collect(),
        )
        .text("\nConnections")
        .table(
            vec!["WHOSE", "TYPES", "NEEDED"],
            descriptor.connections.iter().map(connection_row).collect(),
        )
        .text("\nActions")
        .table(
            vec!["ACTION", "RISK", "CREDENTIAL OF", "PARAMS (* required)"],
            definitions(plugin).map(action_row).collect(),
        )
}

fn identity(plugin: &Plugin, inspection: &Inspection) -> Vec<(String, String)> {
    let descriptor = plugin.descriptor();
    let memory = descriptor.asks.memory_mib.map_or_else(
        || "no more than every plugin has".to_owned(),
        |mib| format!("asks for {mib} MiB"),
    );
    [
        ("id", descriptor.id.to_string()),
        ("name", descriptor.name.clone()),
        ("about", descriptor.description.clone()),
        ("version", descriptor.version.clone()),
        ("contract", CONTRACT_VERSION.to_owned()),
        ("digest", plugin.digest().to_string()),
        ("size", format!("{} bytes", inspection.size)),
        ("exports", joined(inspection.exports.iter().cloned(), ", ")),
        ("memory", memory),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// One row for each import. The list was read from the component's bytes, and there
/// is no other way out of it.
fn imports(inspection: &Inspection) -> Vec<Vec<String>> {
    let contract = inspection.imports.iter().map(|name| {
        let interface = format!("portcullis:provider/{name}@{CONTRACT_VERSION}");
        vec![interface, permits(name).to_owned()]
    });
    let wasi = inspection.wasi.iter().map(|name| {
        vec![
            name.clone(),
            "nothing: there is nothing behind it".to_owned(),
        ]
    });
    contract.chain(wasi).collect()
}

/// What an interface of the contract permits.
fn permits(interface: &str) -> &'static str {
    match interface {
        "clock" => "reading the time, and waiting within a call",
        "http" => "requests to the routes below, with the credential added outside of it",
        "log" => "lines of the gateway's log, bounded and without secrets",
        "provider" | "types" => "nothing: it has types and no functions",
        _ => "what this command does not know",
    }
}

fn definitions(plugin: &Plugin) -> impl Iterator<Item = &ActionDefinition> {
    plugin.actions().iter().map(|action| &action.definition)
}

fn endpoint_row(endpoint: &Endpoint) -> Vec<String> {
    let routes = endpoint.routes.iter().map(ToString::to_string);
    let rules = endpoint.credentials.iter();
    let rules = rules.map(|rule| format!("{}: {}", rule.connection, rule.form));
    vec![
        endpoint.name.clone(),
        endpoint.base_url.to_string(),
        joined(routes, "; "),
        joined(rules, "; "),
    ]
}

fn connection_row(requirement: &ConnectionRequirement) -> Vec<String> {
    let types = requirement.types.iter().map(ToString::to_string);
    let needed = if requirement.optional { "no" } else { "yes" };
    vec![
        requirement.scope.to_string(),
        joined(types, ", "),
        needed.to_owned(),
    ]
}

fn action_row(action: &ActionDefinition) -> Vec<String> {
    vec![
        action.id.to_string(),
        action.risk.to_string(),
        action.credential.to_string(),
        params(&action.params_schema),
    ]
}

/// `teamId*: string, priority: integer`
fn params(schema: &Value) -> String {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let properties = schema.get("properties").and_then(Value::as_object);
    let params = properties.into_iter().flatten().map(|(name, schema)| {
        let mark = if is_required(name) { "*" } else { "" };
        format!("{name}{mark}: {}", kind(schema))
    });
    joined(params, ", ")
}

/// The type of a param in a word or two.
fn kind(schema: &Value) -> String {
    match schema.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => joined(
            kinds
                .iter()
                .map(|kind| kind.as_str().unwrap_or("any").to_owned()),
            "|",
        ),
        _ => untyped(schema),
    }
}

fn untyped(schema: &Value) -> String {
    let choices = ["anyOf", "oneOf"].iter().find_map(|word| schema.get(word));
    match choices.and_then(Value::as_array) {
        Some(choices) if !choices.is_empty() => joined(choices.iter().map(kind), "|"),
        _ if schema.get("enum").is_some() || schema.get("const").is_some() => "enum".to_owned(),
        _ => "any".to_owned(),
    }
}

fn joined(items: impl Iterator<Item = String>, separator: &str) -> String {
    let items: Vec<_> = items.collect();
    if items.is_empty() {
        "-".to_owned()
    } else {
        items.join(separator)
    }
}

fn document(plugin: &Plugin, inspection: &Inspection, origin: &Origin) -> Value {
    let descriptor = plugin.descriptor();
    let mut document = json!({
        "id": descriptor.id.as_str(),
        "name": descriptor.name,
        "description": descriptor.description,
        "version": descriptor.version,
        "contractVersion": CONTRACT_VERSION,
        "digest": plugin.digest().to_string(),
        "sizeBytes": inspection.size,
        "imports": inspection.imports,
        "wasi": inspection.wasi,
        "exports": inspection.exports,
        "memoryMib": descriptor.asks.memory_mib,
        "capabilities": plugin.capabilities(),
        "endpoints": descriptor.endpoints.iter().map(endpoint_object).collect::<Vec<_>>(),
        "connections": descriptor.connections.iter().map(connection_object).collect::<Vec<_>>(),
        "actions": definitions(plugin).map(action_object).collect::<Vec<_>>(),
    });
    if let Some(fields) = document.as_object_mut() {
        let origin = origin
            .object()
            .map(|(name, value)| (name.to_owned(), value));
        fields.extend(origin);
    }
    document
}

fn endpoint_object(endpoint: &Endpoint) -> Value {
    let routes = endpoint
        .routes
        .iter()
        .map(|route| json!({ "method": route.method.as_str(), "pathPrefix": route.path_prefix }));
    json!({
        "name": endpoint.name,
        "baseUrl": endpoint.base_url.as_str(),
        "routes": routes.collect::<Vec<_>>(),
        "credentials": endpoint.credentials.iter().map(credential_object).collect::<Vec<_>>(),
    })
}

fn credential_object(rule: &CredentialRule) -> Value {
    json!({ "connectionType": rule.connection.as_str(), "form": rule.form.to_string() })
}

fn connection_object(requirement: &ConnectionRequirement) -> Value {
    let types = requirement.types.iter().map(|kind| kind.as_str());
    json!({
        "scope": requirement.scope.as_str(),
        "types": types.collect::<Vec<_>>(),
        "scopes": requirement.scopes,
        "optional": requirement.optional,
        "preset": requirement.preset,
    })
}

fn action_object(action: &ActionDefinition) -> Value {
    json!({
        "id": action.id.as_str(),
        "title": action.title,
        "description": action.description,
        "riskLevel": action.risk.as_str(),
        "credential": action.credential.as_str(),
        "params": action.params_schema,
        "result": action.result_schema,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Also one of WASI: whoever decides sees it among the others.
    #[test]
    fn every_import_is_a_row() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let inspection = Inspection {
            imports: names(&["clock", "http", "log", "types"]),
            wasi: names(&["wasi:cli/stdout@0.2.0"]),
            exports: names(&["actions", "provider"]),
            size: 0,
            initial_memory_bytes: 0,
        };
        let rows = imports(&inspection);
        let interfaces: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(
            interfaces,
            [
                "portcullis:provider/clock@0.1.0",
                "portcullis:provider/http@0.1.0",
                "portcullis:provider/log@0.1.0",
                "portcullis:provider/types@0.1.0",
                "wasi:cli/stdout@0.2.0",
            ]
        );
        assert!(
            rows.iter().all(|row| !row[1].contains("not know")),
            "{rows:?}"
        );
        assert!(rows[4][1].starts_with("nothing"), "{rows:?}");
    }

    #[test]
    fn params_fit_into_a_line() {
        for (schema, expected) in [
            (json!({}), "-"),
            (json!({ "properties": {} }), "-"),
            (
                json!({
                    "required": ["teamId"],
                    "properties": {
                        "teamId": { "type": "string" },
                        "priority": { "type": ["integer", "null"] },
                        "state": { "enum": ["open"] },
                        "filter": { "anyOf": [] },
                        "owner": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
                        "all": true,
                    },
                }),
                "teamId*: string, priority: integer|null, state: enum, filter: any, \
                 owner: string|null, all: any",
            ),
        ] {
            assert_eq!(params(&schema), expected);
        }
    }
}
