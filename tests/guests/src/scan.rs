//! Searches the whole linear memory, as a guest would that wants the token.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use crate::bindings::exports::portcullis::provider::actions::Context;
use crate::bindings::portcullis::provider::http;
use crate::bindings::portcullis::provider::types::Error;
use crate::memory::{grow_to, linear_memory_bytes};
use crate::outbound::Request;
use crate::{internal, params};

/// Needles come masked, so that the params themselves are not what is found.
#[derive(Deserialize)]
struct Params {
    /// Sent first; `null`: none.
    request: Option<Request>,
    /// Memory is grown to so many bytes before it is searched.
    #[serde(default)]
    grow_to_bytes: usize,
    /// Every byte of a needle is combined with it by exclusive or.
    mask: u8,
    /// Masked needles by name.
    needles: BTreeMap<String, Vec<u8>>,
}

/// Sends a request, keeps the response, and then counts where each needle stands
/// in memory: live, freed, on the stack or never used.
pub(crate) fn scan_memory(_context: &Context, json: &str) -> Result<String, Error> {
    let params: Params = params(json)?;
    let response = params.request.map(send).transpose()?;
    if !grow_to(params.grow_to_bytes) {
        return Err(internal("memory does not grow"));
    }
    let found: BTreeMap<_, _> = params
        .needles
        .iter()
        .map(|(name, needle)| (name, count(needle, params.mask)))
        .collect();
    Ok(json!({
        "status": response.map(|response| response.status),
        "scanned_bytes": linear_memory_bytes(),
        "found": found,
    })
    .to_string())
}

fn send(request: Request) -> Result<http::Response, Error> {
    http::send(&request.into_wit()?)
        .map_err(|error| internal(&format!("no response: {}", error.message)))
}

/// How often the needle stands in memory. It is compared byte by byte and never
/// put together.
fn count(masked_needle: &[u8], mask: u8) -> usize {
    let end = linear_memory_bytes().saturating_sub(masked_needle.len());
    // The null address is nobody's: reading it is undefined, and neither the
    // stack nor the heap reaches it.
    (1..end)
        .filter(|start| {
            masked_needle
                .iter()
                .zip(*start..)
                .all(|(masked, address)| byte_at(address) == masked ^ mask)
        })
        .count()
}

#[expect(
    unsafe_code,
    reason = "a hostile guest is not bound by what Rust calls an object"
)]
pub(crate) fn byte_at(address: usize) -> u8 {
    let pointer = std::ptr::with_exposed_provenance::<u8>(address);
    // SAFETY: the address is below the size of linear memory, all of which is
    // readable; volatile, since other objects own the bytes.
    unsafe { pointer.read_volatile() }
}
