//! Answers from params, context, clock and state.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::bindings::exports::portcullis::provider::actions::Context;
use crate::bindings::portcullis::provider::clock;
use crate::bindings::portcullis::provider::types::Error;
use crate::params;

/// Answers its params as they came.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a behaviour")]
pub(crate) fn echo(_context: &Context, params: &str) -> Result<String, Error> {
    Ok(params.to_owned())
}

/// Answers the idempotency key.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a behaviour")]
pub(crate) fn key(context: &Context, _params: &str) -> Result<String, Error> {
    Ok(serde_json::Value::from(context.idempotency_key.as_str()).to_string())
}

/// Answers the time, in microseconds.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a behaviour")]
pub(crate) fn now(_context: &Context, _params: &str) -> Result<String, Error> {
    Ok(clock::now().to_string())
}

/// Waits as many milliseconds as its params say, and answers whether it did.
/// Reads the clock first, which tells a test that it has come so far.
pub(crate) fn wait(_context: &Context, json: &str) -> Result<String, Error> {
    let milliseconds = params::<u32>(json)?;
    black_box(clock::now());
    Ok(clock::wait(milliseconds).to_string())
}

/// Answers how many calls this instance has seen.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a behaviour")]
pub(crate) fn remember(_context: &Context, _params: &str) -> Result<String, Error> {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    Ok((CALLS.fetch_add(1, Ordering::Relaxed) + 1).to_string())
}
