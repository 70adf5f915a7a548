//! Logs, and too much of it.

use serde::Deserialize;

use crate::bindings::exports::portcullis::provider::actions::Context;
use crate::bindings::portcullis::provider::log::{self, Level};
use crate::bindings::portcullis::provider::types::Error;
use crate::params;

/// Logs one line.
pub(crate) fn log_line(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        line: String,
    }
    let Params { line } = params(json)?;
    log::write(Level::Info, &line);
    Ok("null".to_owned())
}

/// Logs so many lines.
pub(crate) fn log_flood(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        line: String,
        times: u32,
    }
    let Params { line, times } = params(json)?;
    for _ in 0..times {
        log::write(Level::Warn, &line);
    }
    Ok("null".to_owned())
}

/// Hands so many bytes to the host in one call.
pub(crate) fn huge_log(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        bytes: usize,
    }
    let Params { bytes } = params(json)?;
    log::write(Level::Debug, &"x".repeat(bytes));
    Ok("null".to_owned())
}
