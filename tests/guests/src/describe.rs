//! What the provider says about itself, and how it misbehaves meanwhile.
//!
//! A test that wants misbehaviour replaces [`MANNER`] in the built component:
//! one component serves all tests, and building it once is enough. Every manner is a
//! row in the table of behaviours that the runtime's tests have.

mod parts;
mod schemas;

use std::hint::black_box;

use crate::bindings::exports::portcullis::provider::actions::{Action, Risk};
use crate::bindings::exports::portcullis::provider::provider::{
    self, ConnectionScope, Descriptor, Limits,
};
use crate::bindings::portcullis::provider::http;
use crate::bindings::portcullis::provider::{clock, log};
use crate::outbound::plain_request;
use crate::{Probe, catalog, crash, memory};

use parts::{action, connection, endpoint, identity};

/// How the provider describes itself: `manner: `, one of the phrases that
/// [`manner_is`] is asked for, and spaces.
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

fn manner_is(phrase: &str) -> bool {
    // Opaque to the compiler, which otherwise would know the answer.
    let manner = black_box(&MANNER);
    manner
        .strip_prefix(b"manner: ")
        .is_some_and(|rest| rest.trim_ascii_end() == phrase.as_bytes())
}

impl provider::Guest for Probe {
    fn describe() -> Descriptor {
        call_imports();
        exceed_limits();
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
            limits: manner_is("wants all memory").then_some(Limits {
                memory_mib: Some(4096),
            }),
        }
    }
}

fn call_imports() {
    if manner_is("reads the clock") {
        black_box(clock::now());
    }
    if manner_is("waits") {
        black_box(clock::wait(0));
    }
    if manner_is("logs") {
        log::write(log::Level::Error, "a line from describe");
    }
    while manner_is("logs for ever") {
        log::write(log::Level::Error, "again from describe");
    }
    while manner_is("sends for ever") {
        drop(black_box(http::send(&plain_request())));
    }
}

fn exceed_limits() {
    if manner_is("spins in describe") {
        endless();
    }
    if manner_is("takes all memory") {
        memory::fill(64 << 10);
    }
    if manner_is("recurses") {
        black_box(crash::descend(u64::MAX));
    }
}

pub(crate) fn list() -> Vec<Action> {
    if manner_is("spins") {
        endless();
    }
    if manner_is("lists 100,000 actions") {
        return std::iter::repeat_n(first(), 100_000).flatten().collect();
    }
    let mut actions: Vec<_> = catalog::ACTIONS.iter().map(action).collect();
    if manner_is("repeats an action") {
        actions.extend(first());
    }
    if manner_is("later") {
        become_later(&mut actions);
    }
    actions
}

fn first() -> Option<Action> {
    catalog::ACTIONS.first().map(action)
}

/// Makes of the actions what a later version has: one is riskier, one is called
/// differently, one is gone, one has another name, and one has appeared.
fn become_later(actions: &mut Vec<Action>) {
    actions.retain(|action| action.id != "remember" && action.id != "now");
    actions.extend(catalog::LATER.iter().map(action));
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
    if manner_is("spins in guide") {
        endless();
    }
    if manner_is("talks too long") {
        return "x".repeat((16 << 10) + 1);
    }
    if manner_is("talks without end") {
        return "x".repeat(7 << 20);
    }
    if manner_is("guides the terminal") {
        return "\u{1b}]0;title\u{7}".to_owned();
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
    match http::send(&plain_request()) {
        Ok(_) => "There was a response.".to_owned(),
        Err(error) => format!("{:?}: {}", error.kind, error.message),
    }
}
