//! Takes memory, by itself and through its allocator.

use std::hint::black_box;

use serde::Deserialize;
use serde_json::json;

use crate::bindings::exports::portcullis::provider::actions::Context;
use crate::bindings::portcullis::provider::types::Error;
use crate::params;

/// Bytes of one page of linear memory.
const PAGE_BYTES: usize = 64 << 10;

/// Allocates so many bytes. Without them the program stops, as programs do, or
/// where `gently` is true answers that it did not get them.
pub(crate) fn allocate(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        bytes: usize,
        #[serde(default)]
        gently: bool,
    }
    let Params { bytes, gently } = params(json)?;
    let mut block = Vec::<u8>::new();
    if gently {
        let allocated = block.try_reserve_exact(bytes).is_ok();
        return Ok(json!({ "allocated": allocated }).to_string());
    }
    block.reserve_exact(bytes);
    black_box(block.as_ptr());
    Ok(json!({ "allocated": true }).to_string())
}

/// Grows linear memory to exactly so many bytes, and stops where it cannot.
pub(crate) fn grow_memory(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        to_bytes: usize,
    }
    let Params { to_bytes } = params(json)?;
    if !grow_to(to_bytes) {
        std::process::abort();
    }
    Ok(json!({ "bytes": linear_memory_bytes() }).to_string())
}

/// Takes block after block and writes to each, until there is no more.
pub(crate) fn fill_memory(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        block_bytes: usize,
    }
    let Params { block_bytes } = params(json)?;
    fill(block_bytes)
}

pub(crate) fn fill(block_bytes: usize) -> ! {
    loop {
        let mut block = Vec::<u8>::new();
        if block.try_reserve_exact(block_bytes).is_err() {
            std::process::abort();
        }
        block.resize(block_bytes, 0xa5);
        black_box(block.as_ptr());
        std::mem::forget(block);
    }
}

/// Copies so many bytes to and fro for ever.
pub(crate) fn churn_memory(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        bytes: usize,
    }
    let Params { bytes } = params(json)?;
    let mut block = vec![0xa5_u8; bytes];
    let half = bytes / 2;
    loop {
        block.copy_within(..half, half);
        black_box(block.as_ptr());
        block.copy_within(half.., 0);
        black_box(block.as_ptr());
    }
}

/// False when the host refuses.
pub(crate) fn grow_to(bytes: usize) -> bool {
    let missing = bytes.saturating_sub(linear_memory_bytes());
    grow(missing.div_ceil(PAGE_BYTES))
}

#[cfg(target_arch = "wasm32")]
pub(crate) fn linear_memory_bytes() -> usize {
    core::arch::wasm32::memory_size::<0>() * PAGE_BYTES
}

#[cfg(target_arch = "wasm32")]
fn grow(pages: usize) -> bool {
    core::arch::wasm32::memory_grow::<0>(pages) != usize::MAX
}

/// There is no linear memory outside of WebAssembly. The crate is compiled for
/// other targets only so that tools can look at it.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn linear_memory_bytes() -> usize {
    0
}

#[cfg(not(target_arch = "wasm32"))]
fn grow(pages: usize) -> bool {
    pages == 0
}
