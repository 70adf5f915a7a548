//! Answers from params, context, clock, code and state.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;
use serde_json::json;

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

/// What a test replaces to have another version that says and asks for the same.
static EDITION: [u8; 16] = *b"edition: first  ";

/// Answers which version runs, before and after it has waited so many milliseconds.
pub(crate) fn edition(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        wait: u32,
    }
    let Params { wait } = params(json)?;
    let before = edition_now();
    black_box(clock::now());
    black_box(clock::wait(wait));
    Ok(json!({ "before": before, "after": edition_now() }).to_string())
}

fn edition_now() -> String {
    // Opaque to the compiler, which otherwise would know the answer.
    let edition = black_box(&EDITION);
    String::from_utf8_lossy(edition.trim_ascii_end()).into_owned()
}
