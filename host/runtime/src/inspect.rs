//! What a component asks for, read from its bytes before it is compiled.
//!
//! A component can do nothing but call its imports, so the list of imports is a
//! proof and not a promise.

use std::borrow::Cow;
use std::collections::BTreeSet;

use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::wasi::interfaces;

/// The version of the contract this gateway serves.
pub const CONTRACT_VERSION: &str = "0.1.0";

const PACKAGE: &str = "portcullis:provider/";
const IMPORTS: &[&str] = &["clock", "http", "log", "types"];

/// Characters of a name in an error; names of interfaces have about 40.
const SHOWN_NAME_CHARS: usize = 100;

/// How many core modules a component may hold. Ours hold three.
const MAX_CORE_MODULES: usize = 64;

/// What a component imports and exports.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    /// More parts than any provider has.
    #[error("the component holds more than {MAX_CORE_MODULES} core modules")]
    TooManyModules,
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
    MissingExport(&'static str),
}

/// Reads a component's imports and exports, and validates it.
///
/// Bytes that pass are well formed, import nothing but the contract and WASI, and export
/// `provider` and `actions`; whether the types fit is checked when they are
/// linked.
pub fn inspect(bytes: &[u8], max_bytes: usize) -> Result<Inspection, InspectError> {
    if bytes.len() > max_bytes {
        return Err(InspectError::TooLarge {
            size: bytes.len(),
            limit: max_bytes,
        });
    }
    let names = read_names(bytes)?;
    let (wasi, others): (Vec<_>, Vec<_>) = names
        .imports
        .iter()
        .partition(|name| name.starts_with("wasi:"));
    for name in &wasi {
        interfaces::check(name)?;
    }
    let imports = others
        .iter()
        .map(|name| imported_interface(name))
        .collect::<Result<BTreeSet<_>, _>>()?;
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
                None => InspectError::MissingExport(required),
            });
        }
    }
    Validator::new_with_features(features())
        .validate_all(bytes)
        .map_err(|error| InspectError::NotAComponent(error.message().to_owned()))?;
    Ok(Inspection {
        imports,
        wasi: wasi.into_iter().cloned().collect(),
        exports,
        size: bytes.len(),
        initial_memory_bytes: names.initial_memory_bytes,
    })
}

/// What the engine has switched on, and no more.
fn features() -> WasmFeatures {
    WasmFeatures::WASM2
        .union(WasmFeatures::COMPONENT_MODEL)
        .union(WasmFeatures::EXTENDED_CONST)
        .union(WasmFeatures::MULTI_MEMORY)
}

#[derive(Default)]
struct Names {
    imports: Vec<String>,
    exports: Vec<String>,
    initial_memory_bytes: u64,
}

/// How every file of WebAssembly begins.
const MAGIC: &[u8] = b"\0asm";

/// The names at the outermost level; what nested components import is theirs.
fn read_names(bytes: &[u8]) -> Result<Names, InspectError> {
    let malformed = |error: wasmparser::BinaryReaderError| {
        InspectError::NotAComponent(error.message().to_owned())
    };
    if !bytes.starts_with(MAGIC) {
        return Err(InspectError::NotAComponent(
            "it is no WebAssembly at all".to_owned(),
        ));
    }
    let mut names = Names::default();
    let mut depth = 0_usize;
    let mut modules = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } if depth == 0 => {
                return Err(InspectError::NotAComponent(
                    "it is a core module; encode it with `cargo xtask plugins` or wasm-tools"
                        .to_owned(),
                ));
            }
            Payload::ModuleSection { .. } => {
                depth += 1;
                modules += 1;
            }
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names
                        .imports
                        .push(import.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    names
                        .exports
                        .push(export.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    let pages = memory.map_err(malformed)?.initial;
                    names.initial_memory_bytes = names
                        .initial_memory_bytes
                        .saturating_add(pages.saturating_mul(64 << 10));
                }
            }
            _ => {}
        }
        if modules > MAX_CORE_MODULES {
            return Err(InspectError::TooManyModules);
        }
    }
    Ok(names)
}

fn imported_interface(name: &str) -> Result<String, InspectError> {
    let interface =
        contract_interface(name).ok_or_else(|| InspectError::ForeignImport(shown(name)))??;
    if IMPORTS.contains(&interface.as_str()) {
        Ok(interface)
    } else {
        Err(InspectError::ForeignImport(shown(name)))
    }
}

/// The interface a name of our package names: `None` for other packages, an
/// error for another version.
fn contract_interface(name: &str) -> Option<Result<String, InspectError>> {
    let (interface, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
    Some(if version == CONTRACT_VERSION {
        Ok(interface.to_owned())
    } else {
        Err(InspectError::ContractVersion(shown(name)))
    })
}

/// A name from bytes that have not been validated yet, for an operator's
/// terminal: bounded and without control characters.
pub(crate) fn shown(name: &str) -> String {
    name.chars()
        .take(SHOWN_NAME_CHARS)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wat: &str, expected: &InspectError) {
        let bytes = wat::parse_str(wat).unwrap();
        assert_eq!(&inspect(&bytes, 1 << 20).unwrap_err(), expected);
    }

    #[test]
    fn a_core_module_is_refused_with_advice() {
        let error = inspect(&wat::parse_str("(module)").unwrap(), 1024).unwrap_err();
        assert!(error.to_string().contains("core module"), "{error}");
    }

    #[test]
    fn garbage_truncated_and_empty_bytes_are_refused() {
        for bytes in [
            &b""[..],
            b"hello",
            b"\0asm",
            b"\0asm\x0d\0\x01\0\xff\xff\xff",
        ] {
            assert!(
                matches!(
                    inspect(bytes, 1024),
                    Err(InspectError::NotAComponent(_) | InspectError::MissingExport(_))
                ),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn an_import_outside_the_contract_is_named() {
        check(
            r#"(component (import "wasi-like:cli/environment@0.2.0" (instance)))"#,
            &InspectError::ForeignImport("wasi-like:cli/environment@0.2.0".to_owned()),
        );
        check(
            r#"(component (import "portcullis:provider/files@0.1.0" (instance)))"#,
            &InspectError::ForeignImport("portcullis:provider/files@0.1.0".to_owned()),
        );
    }

    #[test]
    fn a_name_cannot_steer_a_terminal_or_fill_it() {
        check(
            r#"(component (import "a\1b[31m\n" (func)))"#,
            &InspectError::ForeignImport(r"a\u{1b}[31m\n".to_owned()),
        );
        check(
            &format!(r#"(component (import "{}" (func)))"#, "a".repeat(5000)),
            &InspectError::ForeignImport("a".repeat(SHOWN_NAME_CHARS)),
        );
    }

    #[test]
    fn another_version_of_the_contract_is_named() {
        check(
            r#"(component (import "portcullis:provider/http@9.0.0" (instance)))"#,
            &InspectError::ContractVersion("portcullis:provider/http@9.0.0".to_owned()),
        );
    }

    #[test]
    fn an_import_of_a_nested_component_is_not_ours_to_judge() {
        check(
            r#"(component (component (import "anything" (func))))"#,
            &InspectError::MissingExport("provider"),
        );
    }

    #[test]
    fn size_is_checked_first() {
        assert_eq!(
            inspect(&[0; 11], 10).unwrap_err(),
            InspectError::TooLarge {
                size: 11,
                limit: 10
            }
        );
    }
}
