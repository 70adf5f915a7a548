//! What the provider says about itself, and how it misbehaves meanwhile.
//!
//! A test that wants misbehaviour replaces [`MANNER`] in the built component:
//! one component serves all tests, and building it once is enough.

use std::hint::black_box;

use crate::bindings::exports::portcullis::provider::actions::{Action, Credential, Risk};
use crate::bindings::exports::portcullis::provider::provider::{
    self, ConnectionRequirement, ConnectionScope, ConnectionType, CredentialForm, CredentialRule,
    Descriptor, Endpoint, Identity, Route,
};
use crate::bindings::portcullis::provider::http::{self, Method};
use crate::bindings::portcullis::provider::{clock, log};
use crate::{Probe, catalog};

/// How the provider describes itself: `manner: `, one of the words below, and
/// spaces.
static MANNER: [u8; 32] = *b"manner: well                    ";

/// Which provider it is: `id: `, an id of at most 12 characters, and spaces. What a test
/// replaces to have several.
static ID: [u8; 16] = *b"id: probe       ";

fn id() -> String {
    // Opaque to the compiler, which otherwise would know the answer.
    let id = black_box(&ID);
    let id = id.strip_prefix(b"id: ").unwrap_or_default();
    String::from_utf8_lossy(id.trim_ascii_end()).into_owned()
}

fn manner_is(word: &str) -> bool {
    // Opaque to the compiler, which otherwise would know the answer.
    let manner = black_box(&MANNER);
    manner
        .strip_prefix(b"manner: ")
        .is_some_and(|rest| rest.trim_ascii_end() == word.as_bytes())
}

impl provider::Guest for Probe {
    fn describe() -> Descriptor {
        if manner_is("reads the clock") {
            black_box(clock::now());
        }
        if manner_is("waits") {
            black_box(clock::wait(0));
        }
        if manner_is("logs") {
            log::write(log::Level::Error, "a line from describe");
        }
        let description = if manner_is("calls out") {
            refusal()
        } else {
            "Shows how guests behave.".to_owned()
        };
        Descriptor {
            identity: identity(description),
            connections: [ConnectionScope::Org, ConnectionScope::User]
                .map(connection)
                .into(),
            endpoints: vec![endpoint("api", true), endpoint("open", false)],
            limits: None,
        }
    }
}

pub(crate) fn list() -> Vec<Action> {
    if manner_is("spins") {
        endless();
    }
    let mut actions: Vec<_> = catalog::ACTIONS.iter().map(|(id, _)| action(id)).collect();
    if manner_is("repeats an action") {
        actions.push(action("echo"));
    }
    if manner_is("later") {
        become_later(&mut actions);
    }
    actions
}

/// Makes of the actions what a later version has: one is riskier, one is called
/// differently, one is gone, one has another name, and one has appeared.
fn become_later(actions: &mut Vec<Action>) {
    actions.retain(|action| action.id != "remember" && action.id != "now");
    actions.extend(catalog::LATER.iter().map(|(id, _)| action(id)));
    for action in actions {
        match action.id.as_str() {
            "echo" => action.risk = Risk::Danger,
            "text" | "appeared" => ANOTHER_SCHEMA.clone_into(&mut action.params_schema),
            _ => {}
        }
    }
}

const ANOTHER_SCHEMA: &str = r#"{"type":"object","properties":{"more":{"type":"string"}}}"#;

pub(crate) fn guide() -> String {
    if manner_is("traps") {
        std::process::abort();
    }
    if manner_is("talks too long") {
        return "x".repeat((16 << 10) + 1);
    }
    "Do not use these actions.".to_owned()
}

fn endless() {
    loop {
        black_box(());
    }
}

/// What the host says to a request.
fn refusal() -> String {
    let request = http::Request {
        endpoint: "api".to_owned(),
        method: Method::Get,
        path: "/".to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        timeout_ms: None,
    };
    match http::send(&request) {
        Ok(_) => "There was a response.".to_owned(),
        Err(error) => format!("{:?}: {}", error.kind, error.message),
    }
}

fn identity(description: String) -> Identity {
    Identity {
        id: id(),
        name: "Probe".to_owned(),
        description,
        icon: None,
        version: "1.0.0".to_owned(),
    }
}

fn connection(scope: ConnectionScope) -> ConnectionRequirement {
    ConnectionRequirement {
        scope,
        types: vec![ConnectionType::ApiKey],
        scopes: Vec::new(),
        optional: true,
        preset: None,
    }
}

fn endpoint(name: &str, takes_credential: bool) -> Endpoint {
    let rule = CredentialRule {
        connection: ConnectionType::ApiKey,
        form: CredentialForm::Bearer,
    };
    Endpoint {
        name: name.to_owned(),
        base_url: "https://probe.example".to_owned(),
        routes: [Method::Get, Method::Post]
            .map(|method| Route {
                method,
                path_prefix: "/".to_owned(),
            })
            .into(),
        credentials: takes_credential.then_some(rule).into_iter().collect(),
    }
}

fn action(id: &str) -> Action {
    Action {
        id: id.to_owned(),
        title: format!("Behaviour {id}"),
        description: format!("See the function `{id}`."),
        risk: Risk::Read,
        credential: credential(id),
        params_schema: r#"{"type":"object"}"#.to_owned(),
        result_schema: None,
        examples: Vec::new(),
    }
}

fn credential(id: &str) -> Credential {
    match id {
        "fetch_as_user" => Credential::User,
        "fetch_preferring_user" => Credential::PreferUser,
        _ => Credential::Org,
    }
}
