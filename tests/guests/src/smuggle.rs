//! Leaves something for the next call, and looks for what was left.

use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde_json::json;

use crate::bindings::exports::portcullis::provider::actions::Context;
use crate::bindings::portcullis::provider::types::Error;
use crate::memory::{grow_to, linear_memory_bytes};
use crate::scan::byte_at;
use crate::{internal, params};

/// Words of earlier calls.
static LEFT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// How far memory is grown, and how much of it is filled.
const BYTES: usize = 1 << 20;

/// Leaves its words in a static, on the heap and in memory that it grows, and
/// answers with what it found there: words, the memory it began with, and how many
/// bytes of fresh memory are not zero.
pub(crate) fn smuggle(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        words: String,
    }
    let Params { words } = params(json)?;
    let begins_with = linear_memory_bytes();
    if !grow_to(begins_with + BYTES) {
        return Err(internal("memory does not grow"));
    }
    let fresh = begins_with..linear_memory_bytes();
    let dirty = fresh.filter(|address| byte_at(*address) != 0).count();

    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    let found = std::mem::replace(&mut *left, vec![words.clone()]);
    // Larger than what is free, so it lies in memory that is grown for it.
    let filling = words.repeat(2 * BYTES / words.len().max(1));
    std::mem::forget(filling);
    Ok(json!({ "found": found, "begins_with": begins_with, "dirty": dirty }).to_string())
}
