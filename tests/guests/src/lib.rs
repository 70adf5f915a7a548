//! A provider whose actions each show one behaviour, most of them bad ones.
//!
//! The sandbox is tested with it. It implements the exports on the raw bindings
//! and not with the SDK, so that nothing stands between a test and the host.
//!
//! | file | the guest … |
//! | --- | --- |
//! | `plain` | answers from its params, its context and its own state |
//! | `answers` | answers what is too long, no JSON, or an error |
//! | `outbound` | sends requests |
//! | `logging` | logs too much |
//! | `handing` | hands the host text that is too long, or none |
//! | `endless` | never ends |
//! | `crash` | traps |
//! | `memory` | takes memory |
//! | `scan` | searches its own memory |
//! | `smuggle` | leaves something for the next call |
//! | `describe` | says what it is, and misbehaves while it does |
//!
//! What is an attack says so itself: an action's examples are its attacks, each a name
//! and the params that make it, so whoever has loaded the probe can make all of them.
//! Requests go to the endpoint `api`, and no attack needs what another has done.
//!
//! To add a behaviour, write a function in the file it belongs to and list it in
//! `catalog`, with its attacks if it is hostile. The runtime's tests fail until one
//! of them uses it, and until each attack has a row in their table of behaviours.

mod answers;
mod bindings;
mod catalog;
mod crash;
mod describe;
mod endless;
mod handing;
mod logging;
mod memory;
mod outbound;
mod plain;
mod scan;
mod smuggle;

use serde::de::DeserializeOwned;

use bindings::exports::portcullis::provider::actions;
use bindings::portcullis::provider::types::{Error, ErrorCode};

/// What executes an action: its context and params become a result, as JSON text.
type Behaviour = fn(&actions::Context, &str) -> Result<String, Error>;

struct Probe;

#[expect(unsafe_code, reason = "generated: the exports as the host calls them")]
const _: () = {
    bindings::export!(Probe with_types_in bindings);
};

impl actions::Guest for Probe {
    fn list() -> Vec<actions::Action> {
        describe::list()
    }

    fn guide() -> String {
        describe::guide()
    }

    fn execute(context: actions::Context, action: String, params: String) -> Result<String, Error> {
        let mut all = catalog::ACTIONS.iter().chain(catalog::LATER);
        let known = all.find(|entry| entry.id == action);
        let entry = known.ok_or_else(|| internal("there is no such action"))?;
        (entry.behaviour)(&context, &params)
    }
}

fn params<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| internal(&format!("params: {error}")))
}

fn internal(message: &str) -> Error {
    Error {
        code: ErrorCode::Internal,
        message: message.to_owned(),
        retryable: false,
        retry_after_ms: None,
    }
}
