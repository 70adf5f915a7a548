//! Never ends.

use std::hint::black_box;

use serde::Deserialize;

use crate::bindings::exports::portcullis::provider::actions::Context;
use crate::bindings::portcullis::provider::clock;
use crate::bindings::portcullis::provider::http;
use crate::bindings::portcullis::provider::log::{self, Level};
use crate::bindings::portcullis::provider::types::Error;
use crate::outbound::{Request, plain_request};
use crate::params;

/// Computes for ever.
pub(crate) fn spin(_context: &Context, _params: &str) -> Result<String, Error> {
    let mut rounds = 0_u64;
    loop {
        rounds = black_box(rounds.wrapping_add(1));
    }
}

/// Calls the host for ever, waiting each time or not.
pub(crate) fn spin_with_host_calls(_context: &Context, json: &str) -> Result<String, Error> {
    let request = params::<Request>(json)?.into_wit()?;
    loop {
        log::write(Level::Debug, "again");
        black_box(http::send(&request).is_ok());
    }
}

/// Calls one import for ever.
pub(crate) fn call_for_ever(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Import {
        Now,
        Log,
        Send,
        SendAll,
        Wait,
    }
    #[derive(Deserialize)]
    struct Params {
        import: Import,
        #[serde(default)]
        milliseconds: u32,
    }
    let Params {
        import,
        milliseconds,
    } = params(json)?;
    let requests = [plain_request(), plain_request()];
    loop {
        match import {
            Import::Now => drop(black_box(clock::now())),
            Import::Log => log::write(Level::Debug, "again"),
            Import::Send => drop(black_box(http::send(&requests[0]))),
            Import::SendAll => drop(black_box(http::send_all(&requests))),
            Import::Wait => drop(black_box(clock::wait(milliseconds))),
        }
    }
}
