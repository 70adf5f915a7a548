//! The parts of a description.

use super::{id, manner_is, schemas};
use crate::bindings::exports::portcullis::provider::actions::{Action, Credential, Example, Risk};
use crate::bindings::exports::portcullis::provider::provider::{
    ConnectionRequirement, ConnectionScope, ConnectionType, CredentialForm, CredentialRule,
    Endpoint, Identity, Route,
};
use crate::bindings::portcullis::provider::http::Method;
use crate::catalog::Entry;
use crate::handing::unchecked;

pub(super) fn identity(description: String) -> Identity {
    Identity {
        id: id(),
        name: name(),
        description,
        icon: None,
        version: "1.0.0".to_owned(),
    }
}

fn name() -> String {
    if manner_is("steers the terminal") {
        return "Probe\u{1b}[2J".to_owned();
    }
    if manner_is("speaks no UTF-8") {
        return unchecked(b"Probe\xff".to_vec());
    }
    "Probe".to_owned()
}

pub(super) fn connection(scope: ConnectionScope) -> ConnectionRequirement {
    ConnectionRequirement {
        scope,
        types: vec![ConnectionType::ApiKey],
        scopes: Vec::new(),
        optional: true,
        preset: None,
    }
}

pub(super) fn endpoint(name: &str, takes_credential: bool) -> Endpoint {
    let rule = CredentialRule {
        connection: ConnectionType::ApiKey,
        form: CredentialForm::Bearer,
    };
    Endpoint {
        name: name.to_owned(),
        base_url: base_url().to_owned(),
        routes: [Method::Get, Method::Post]
            .map(|method| Route {
                method,
                path_prefix: route().to_owned(),
            })
            .into(),
        credentials: takes_credential.then_some(rule).into_iter().collect(),
    }
}

fn base_url() -> &'static str {
    if manner_is("goes unencrypted") {
        return "http://probe.example";
    }
    if manner_is("brings a password") {
        return "https://user:password@probe.example";
    }
    "https://probe.example"
}

fn route() -> &'static str {
    if manner_is("climbs out of its route") {
        return "/api/%2e%2e/admin";
    }
    "/"
}

pub(super) fn action(entry: &Entry) -> Action {
    let Entry { id, attacks, .. } = entry;
    Action {
        id: (*id).to_owned(),
        title: format!("Behaviour {id}"),
        description: format!("See the function `{id}`."),
        risk: Risk::Read,
        credential: credential(id),
        params_schema: schemas::params_schema(id),
        result_schema: None,
        examples: attacks
            .iter()
            .map(|(name, params)| example(name, params))
            .collect(),
    }
}

fn example(title: &str, params: &str) -> Example {
    Example {
        title: title.to_owned(),
        params: params.to_owned(),
    }
}

fn credential(id: &str) -> Credential {
    match id {
        "fetch_as_user" => Credential::User,
        "fetch_preferring_user" => Credential::PreferUser,
        _ => Credential::Org,
    }
}
