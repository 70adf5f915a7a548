//! Traps.

use std::hint::black_box;

use serde::Deserialize;

use crate::bindings::exports::portcullis::provider::actions::Context;
use crate::bindings::portcullis::provider::log::{self, Level};
use crate::bindings::portcullis::provider::types::Error;
use crate::bindings::portcullis::provider::{clock, http};
use crate::outbound::plain_request;
use crate::{memory, params};

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
pub(crate) fn descend(depth: u64) -> u64 {
    if black_box(depth) == 0 {
        return 0;
    }
    descend(depth - 1) + 1
}

/// Calls itself for ever, and the host from each level: the last time when there is
/// next to nothing left of the stack.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a behaviour")]
pub(crate) fn recurse_with_host_calls(_context: &Context, _params: &str) -> Result<String, Error> {
    Ok(descend_calling(1).to_string())
}

fn descend_calling(depth: u64) -> u64 {
    if black_box(depth) == 0 {
        return 0;
    }
    black_box(clock::now());
    log::write(Level::Debug, "deeper");
    descend_calling(depth + 1) + 1
}

/// Does the first half of something, and then ends in one of several ways.
pub(crate) fn crash_midway(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum After {
        Log,
        Send,
        SendAll,
    }
    #[derive(Deserialize)]
    struct Params {
        after: After,
        how: How,
    }
    let Params { after, how } = params(json)?;
    match after {
        After::Log => log::write(Level::Info, "the first half"),
        After::Send => drop(http::send(&plain_request())),
        After::SendAll => drop(http::send_all(&[plain_request(), plain_request()])),
    }
    how.crash();
    // What would follow.
    drop(http::send(&plain_request()));
    Ok("null".to_owned())
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum How {
    Panic,
    Trap,
    Overflow,
    Exhaustion,
}

impl How {
    #[expect(clippy::panic, reason = "that is what the action shows")]
    fn crash(self) {
        match self {
            Self::Panic => panic!("in the middle"),
            Self::Trap => std::process::abort(),
            Self::Overflow => drop(black_box(descend(u64::MAX))),
            Self::Exhaustion => memory::fill(64 << 10),
        }
    }
}
