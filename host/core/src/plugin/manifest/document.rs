//! The text of a manifest.
//!
//! The shapes are written down here once more, apart from the types the rest of the
//! gateway works with, so that a change of those cannot change what rows mean.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use url::Url;

use super::{FORMAT, InvalidManifest, PluginManifest};
use crate::action::{ActionDefinition, ActionExample, CredentialChoice, Risk};
use crate::plugin::{
    AskedLimits, ConnectionRequirement, ConnectionScope, ConnectionType, CredentialForm,
    CredentialRule, Endpoint, Method, PluginDescriptor, Route,
};

pub(super) fn write(manifest: &PluginManifest) -> String {
    serde_json::to_string(&Document::from(manifest)).expect("strings, numbers and lists")
}

pub(super) fn read(text: &str) -> Result<PluginManifest, InvalidManifest> {
    let unreadable = |error: serde_json::Error| InvalidManifest::Unreadable(error.to_string());
    let found = serde_json::from_str::<Versioned>(text).map_err(unreadable)?;
    if found.format != FORMAT {
        return Err(InvalidManifest::Format {
            found: found.format,
        });
    }
    let document: Document = serde_json::from_str(text).map_err(unreadable)?;
    document
        .into_manifest()
        .map_err(InvalidManifest::Unreadable)
}

/// As much of a text as every format has.
#[derive(Deserialize)]
struct Versioned {
    format: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Document {
    format: u64,
    id: String,
    name: String,
    description: String,
    #[serde(deserialize_with = "null_or")]
    icon: Option<String>,
    version: String,
    connections: Vec<Connection>,
    endpoints: Vec<Place>,
    asks: Limits,
    imports: BTreeSet<String>,
    wasi: BTreeSet<String>,
    actions: Vec<Action>,
    guide: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Limits {
    #[serde(deserialize_with = "null_or")]
    memory_mib: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Connection {
    scope: String,
    types: Vec<String>,
    scopes: Vec<String>,
    optional: bool,
    #[serde(deserialize_with = "null_or")]
    preset: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Place {
    name: String,
    base_url: Url,
    routes: Vec<Way>,
    credentials: Vec<Rule>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Way {
    method: String,
    path_prefix: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    connection: String,
    form: Form,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
enum Form {
    Bearer,
    Raw,
    Header { name: String, prefix: String },
    Query(String),
    None,
}

/// Schemas and params stand in it as text: written as values they would be nested
/// deeper than parsers go, by as much as the manifest is around them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    id: String,
    title: String,
    description: String,
    risk: String,
    credential: String,
    params: String,
    #[serde(deserialize_with = "null_or")]
    result: Option<String>,
    examples: Vec<Example>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    title: String,
    params: String,
}

/// An option that has to be there, if only as null.
fn null_or<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

impl From<&PluginManifest> for Document {
    fn from(manifest: &PluginManifest) -> Self {
        let descriptor = &manifest.descriptor;
        Self {
            format: FORMAT,
            id: descriptor.id.to_string(),
            name: descriptor.name.clone(),
            description: descriptor.description.clone(),
            icon: descriptor.icon.clone(),
            version: descriptor.version.clone(),
            connections: descriptor.connections.iter().map(Into::into).collect(),
            endpoints: descriptor.endpoints.iter().map(Into::into).collect(),
            asks: Limits {
                memory_mib: descriptor.asks.memory_mib,
            },
            imports: manifest.imports.clone(),
            wasi: manifest.wasi.clone(),
            actions: manifest.actions.iter().map(Into::into).collect(),
            guide: manifest.guide.clone(),
        }
    }
}

impl From<&ConnectionRequirement> for Connection {
    fn from(requirement: &ConnectionRequirement) -> Self {
        let types = requirement.types.iter();
        Self {
            scope: requirement.scope.to_string(),
            types: types.map(ToString::to_string).collect(),
            scopes: requirement.scopes.clone(),
            optional: requirement.optional,
            preset: requirement.preset.clone(),
        }
    }
}

impl From<&Endpoint> for Place {
    fn from(endpoint: &Endpoint) -> Self {
        let way = |route: &Route| Way {
            method: route.method.to_string(),
            path_prefix: route.path_prefix.clone(),
        };
        let rule = |rule: &CredentialRule| Rule {
            connection: rule.connection.to_string(),
            form: rule.form.clone().into(),
        };
        Self {
            name: endpoint.name.clone(),
            base_url: endpoint.base_url.clone(),
            routes: endpoint.routes.iter().map(way).collect(),
            credentials: endpoint.credentials.iter().map(rule).collect(),
        }
    }
}

impl From<CredentialForm> for Form {
    fn from(form: CredentialForm) -> Self {
        match form {
            CredentialForm::Bearer => Self::Bearer,
            CredentialForm::Raw => Self::Raw,
            CredentialForm::Header { name, prefix } => Self::Header { name, prefix },
            CredentialForm::Query(name) => Self::Query(name),
            CredentialForm::None => Self::None,
        }
    }
}

impl From<Form> for CredentialForm {
    fn from(form: Form) -> Self {
        match form {
            Form::Bearer => Self::Bearer,
            Form::Raw => Self::Raw,
            Form::Header { name, prefix } => Self::Header { name, prefix },
            Form::Query(name) => Self::Query(name),
            Form::None => Self::None,
        }
    }
}

impl From<&ActionDefinition> for Action {
    fn from(action: &ActionDefinition) -> Self {
        let example = |example: &ActionExample| Example {
            title: example.title.clone(),
            params: example.params.to_string(),
        };
        Self {
            id: action.id.to_string(),
            title: action.title.clone(),
            description: action.description.clone(),
            risk: action.risk.to_string(),
            credential: action.credential.to_string(),
            params: action.params_schema.to_string(),
            result: action.result_schema.as_ref().map(Value::to_string),
            examples: action.examples.iter().map(example).collect(),
        }
    }
}

impl Document {
    fn into_manifest(self) -> Result<PluginManifest, String> {
        Ok(PluginManifest {
            descriptor: PluginDescriptor {
                id: parsed("id", &self.id)?,
                name: self.name,
                description: self.description,
                icon: self.icon,
                version: self.version,
                connections: all(self.connections, Connection::into_requirement)?,
                endpoints: all(self.endpoints, Place::into_endpoint)?,
                asks: AskedLimits {
                    memory_mib: self.asks.memory_mib,
                },
            },
            imports: self.imports,
            wasi: self.wasi,
            actions: all(self.actions, Action::into_definition)?,
            guide: self.guide,
        })
    }
}

impl Connection {
    fn into_requirement(self) -> Result<ConnectionRequirement, String> {
        Ok(ConnectionRequirement {
            scope: known("scope", &self.scope, ConnectionScope::from_name)?,
            types: all(self.types, |name| connection_type(&name))?,
            scopes: self.scopes,
            optional: self.optional,
            preset: self.preset,
        })
    }
}

impl Place {
    fn into_endpoint(self) -> Result<Endpoint, String> {
        Ok(Endpoint {
            name: self.name,
            base_url: self.base_url,
            routes: all(self.routes, |way| {
                Ok(Route {
                    method: known("method", &way.method, Method::from_name)?,
                    path_prefix: way.path_prefix,
                })
            })?,
            credentials: all(self.credentials, |rule| {
                Ok(CredentialRule {
                    connection: connection_type(&rule.connection)?,
                    form: rule.form.into(),
                })
            })?,
        })
    }
}

impl Action {
    fn into_definition(self) -> Result<ActionDefinition, String> {
        Ok(ActionDefinition {
            id: parsed("action id", &self.id)?,
            title: self.title,
            description: self.description,
            risk: known("risk", &self.risk, Risk::from_name)?,
            credential: known("credential", &self.credential, CredentialChoice::from_name)?,
            params_schema: value(&self.params)?,
            result_schema: self.result.as_deref().map(value).transpose()?,
            examples: all(self.examples, |example| {
                Ok(ActionExample {
                    title: example.title,
                    params: value(&example.params)?,
                })
            })?,
        })
    }
}

fn all<A, B>(items: Vec<A>, convert: impl Fn(A) -> Result<B, String>) -> Result<Vec<B>, String> {
    items.into_iter().map(convert).collect()
}

fn connection_type(name: &str) -> Result<ConnectionType, String> {
    known("connection type", name, ConnectionType::from_name)
}

fn known<T>(kind: &str, name: &str, from_name: fn(&str) -> Option<T>) -> Result<T, String> {
    from_name(name).ok_or_else(|| format!("`{name}` is no {kind}"))
}

fn parsed<T>(kind: &str, text: &str) -> Result<T, String>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    text.parse().map_err(|error| format!("{kind}: {error}"))
}

fn value(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}
