//! What a component asks for and what it is made of, read from its bytes before
//! it is compiled.
//!
//! A component can do nothing but call its imports, so the list of imports is a
//! proof and not a promise. The sizes of its parts are bounded because what
//! compiling takes grows with them, in places faster than the file itself.

mod bounds;
mod counts;
mod names;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wasmparser::{Parser, Validator, WasmFeatures};

use counts::Counts;
use names::{Names, contract_interface, imported_interface};
pub(crate) use names::{shown, told};

use crate::wasi::interfaces;

/// The version of the contract this gateway serves.
pub const CONTRACT_VERSION: &str = "0.1.0";

/// To be raised with every change of this module that refuses what it took, or
/// tells what it did not tell: what is kept of compiled components holds their
/// inspection, and one of an earlier version must not stand for one of this.
pub(crate) const INSPECTION_VERSION: u32 = 2;

const PACKAGE: &str = "portcullis:provider/";

/// What a component imports, exports and starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inspection {
    /// Interfaces of the contract that are imported, such as `http`.
    pub imports: BTreeSet<String>,
    /// Interfaces of WASI that are imported, such as `wasi:io/poll@0.2.0`. There is
    /// nothing behind them.
    pub wasi: BTreeSet<String>,
    /// Interfaces of the contract that are exported, such as `actions`. Other
    /// exports are tolerated: some toolchains add their own.
    pub exports: BTreeSet<String>,
    /// Bytes.
    pub size: usize,
    /// Bytes of linear memory before anything runs, over all memories.
    pub initial_memory_bytes: u64,
}

impl Inspection {
    /// Whether it imports anything of WASI. There is nothing behind it, but people
    /// are told.
    pub fn uses_wasi(&self) -> bool {
        !self.wasi.is_empty()
    }
}

/// Why the bytes are not a component we can host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum InspectError {
    /// Too large to look at.
    #[error("the file has {size} bytes; the limit is {limit} (sandbox.component_bytes)")]
    TooLarge {
        /// What it has.
        size: usize,
        /// What it may have.
        limit: usize,
    },
    /// Not WebAssembly, or a core module.
    #[error("this is not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// Larger in one respect than any provider is.
    #[error(
        "the component has {found} {what}, and may have {limit}; \
         build it with optimisation and without what it does not use"
    )]
    TooMuch {
        /// What there is too much of, in the plural: `functions`.
        what: Cow<'static, str>,
        /// How much was found. There may be more: reading ends here.
        found: u64,
        /// How much there may be.
        limit: u64,
    },
    /// It wants what no gateway offers.
    #[error(
        "the component imports `{0}`, which is outside the contract; \
         build it for wasm32-unknown-unknown with portcullis-sdk"
    )]
    ForeignImport(String),
    /// It wants of WASI what is not linked.
    #[error("the component imports `{name}`, which no provider gets; {advice}")]
    ForeignWasi {
        /// What it imports.
        name: String,
        /// What to do about it.
        advice: Cow<'static, str>,
    },
    /// It was built against another version of the contract.
    #[error(
        "the component speaks `{0}`; this gateway serves version {CONTRACT_VERSION} of the contract"
    )]
    ContractVersion(String),
    /// Something every provider has is missing.
    #[error("the component does not export `{PACKAGE}{0}@{CONTRACT_VERSION}`")]
    MissingExport(Cow<'static, str>),
}

/// Reads a component's imports, exports and sizes, and validates it.
///
/// Bytes that pass are well formed, import nothing but the contract and WASI, export
/// `provider` and `actions`, and have no part that is out of all proportion;
/// whether the types fit is checked when they are linked.
pub fn inspect(bytes: &[u8], max_bytes: usize) -> Result<Inspection, InspectError> {
    if bytes.len() > max_bytes {
        return Err(InspectError::TooLarge {
            size: bytes.len(),
            limit: max_bytes,
        });
    }
    let Parts { names, counts } = read_parts(bytes)?;
    let (wasi, imports) = imports(&names)?;
    let exports = exports(&names)?;
    Validator::new_with_features(features())
        .validate_all(bytes)
        .map_err(malformed)?;
    Ok(Inspection {
        imports,
        wasi,
        exports,
        size: bytes.len(),
        initial_memory_bytes: counts.initial_memory_bytes(),
    })
}

/// The imported interfaces of WASI, and those of the contract.
fn imports(names: &Names) -> Result<(BTreeSet<String>, BTreeSet<String>), InspectError> {
    let (wasi, others): (BTreeSet<_>, BTreeSet<_>) = names
        .imports
        .iter()
        .map(String::as_str)
        .partition(|name| name.starts_with("wasi:"));
    wasi.iter().try_for_each(|name| interfaces::check(name))?;
    let contract = others.into_iter().map(imported_interface);
    let contract = contract.collect::<Result<_, _>>()?;
    Ok((wasi.into_iter().map(shown).collect(), contract))
}

/// The exported interfaces of the contract, among them those that every provider
/// has.
fn exports(names: &Names) -> Result<BTreeSet<String>, InspectError> {
    let exports: BTreeSet<String> = names
        .exports
        .iter()
        .filter_map(|name| contract_interface(name).and_then(Result::ok))
        .collect();
    for required in ["provider", "actions"] {
        if !exports.contains(required) {
            let other_version = names
                .exports
                .iter()
                .find(|name| name.starts_with(&format!("{PACKAGE}{required}@")));
            return Err(match other_version {
                Some(name) => InspectError::ContractVersion(shown(name)),
                None => InspectError::MissingExport(required.into()),
            });
        }
    }
    Ok(exports)
}

/// What the engine has switched on, and no more. References that a collector would
/// have to look after are part of WebAssembly 2, and the engine has none.
fn features() -> WasmFeatures {
    WasmFeatures::WASM2
        .difference(WasmFeatures::GC_TYPES)
        .union(WasmFeatures::COMPONENT_MODEL)
        .union(WasmFeatures::EXTENDED_CONST)
        .union(WasmFeatures::MULTI_MEMORY)
}

/// How every file of WebAssembly begins.
const MAGIC: &[u8] = b"\0asm";

/// What is read in the one pass over the bytes that precedes validation.
#[derive(Default)]
struct Parts {
    names: Names,
    counts: Counts,
}

fn read_parts(bytes: &[u8]) -> Result<Parts, InspectError> {
    if let Some(what) = other_file(bytes) {
        return Err(InspectError::NotAComponent(what.to_owned()));
    }
    let mut parts = Parts::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(malformed)?;
        let is_outermost = parts.counts.depth() == 0;
        parts.counts.count(&payload)?;
        if is_outermost {
            parts.names.read(payload).map_err(malformed)?;
        }
    }
    Ok(parts)
}

/// How a core module begins.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// What a file is that is no component; `None` for one that begins as they do.
pub(crate) fn other_file(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(CORE_MODULE) {
        Some("it is a core module; encode it with `cargo xtask plugins` or wasm-tools")
    } else if bytes.starts_with(MAGIC) {
        None
    } else if bytes.is_empty() {
        Some("it is empty")
    } else if bytes.trim_ascii_start().starts_with(b"(") {
        Some("it is text; assemble it with `wasm-tools parse`")
    } else {
        Some("it is no WebAssembly at all")
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "so that it can be named in `map_err`"
)]
fn malformed(error: wasmparser::BinaryReaderError) -> InspectError {
    InspectError::NotAComponent(names::told(error.message()))
}
