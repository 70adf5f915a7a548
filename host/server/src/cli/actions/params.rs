//! Params from an argument, a file or standard input.

use std::fs::File;

use serde::de::IgnoredAny;

use super::super::console::{Console, read_bounded};
use super::super::failure::Failure;

/// Bytes of params. A gateway takes 1 MiB unless it is configured otherwise.
const MAX_BYTES: usize = 16 << 20;

/// Reads `JSON`, `@FILE` or `-`, and makes sure that it is one JSON document.
///
/// The text goes out as it came, so that no number changes on its way.
pub(super) fn read(console: &mut Console, argument: &str) -> Result<String, Failure> {
    let (text, what) = match (argument, argument.strip_prefix('@')) {
        ("-", _) => (console.read("standard input", MAX_BYTES)?, "standard input"),
        (_, Some(path)) => (read_file(path)?, path),
        _ => (argument.to_owned(), "--params"),
    };
    match serde_json::from_str::<IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::usage(format!("{what} is not JSON: {error}"))
            .hint("for example --params '{\"first\": 3}', --params @file.json, or --params -")),
    }
}

fn read_file(path: &str) -> Result<String, Failure> {
    let mut file = File::open(path)
        .map_err(|error| Failure::usage(format!("--params: {path} cannot be read: {error}")))?;
    read_bounded(&mut file, path, MAX_BYTES)
}
