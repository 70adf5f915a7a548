//! Traps.

use std::hint::black_box;

use serde::Deserialize;

use crate::bindings::exports::portcullis::provider::actions::Context;
use crate::bindings::portcullis::provider::types::Error;
use crate::params;

/// Stops at an `unreachable` instruction.
pub(crate) fn trap(_context: &Context, _params: &str) -> Result<String, Error> {
    std::process::abort()
}

/// Panics, with a message that must not reach anybody.
#[expect(clippy::panic, reason = "that is what the action shows")]
pub(crate) fn panic(_context: &Context, params: &str) -> Result<String, Error> {
    panic!("{params}")
}

/// Calls itself so many times; `null`: until the stack ends.
pub(crate) fn recurse(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        depth: Option<u64>,
    }
    let Params { depth } = params(json)?;
    Ok(descend(depth.unwrap_or(u64::MAX)).to_string())
}

/// The addition after the call keeps it from becoming a loop.
fn descend(depth: u64) -> u64 {
    if black_box(depth) == 0 {
        return 0;
    }
    descend(depth - 1) + 1
}
