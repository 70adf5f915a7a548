//! The names at the outermost level; what nested components import is theirs.

use wasmparser::{BinaryReaderError, Payload};

use super::{CONTRACT_VERSION, InspectError, PACKAGE};

const IMPORTS: &[&str] = &["clock", "http", "log", "types"];

/// Characters of a name in an error; names of interfaces have about 40.
pub(super) const SHOWN_CHARS: usize = 100;

/// Characters of what a parser says.
pub(super) const TOLD_CHARS: usize = 300;

/// What a component imports and exports, by the names it gives.
#[derive(Default)]
pub(super) struct Names {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
}

impl Names {
    /// Reads what one section names.
    pub(super) fn read(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section {
                    self.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    self.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The interface of the contract that is imported by this name.
pub(super) fn imported_interface(name: &str) -> Result<String, InspectError> {
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
pub(super) fn contract_interface(name: &str) -> Option<Result<String, InspectError>> {
    let (interface, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
    Some(if version == CONTRACT_VERSION {
        Ok(interface.to_owned())
    } else {
        Err(InspectError::ContractVersion(shown(name)))
    })
}

/// What a parser says of bytes, which may quote them: one line, bounded and without
/// control characters.
pub(crate) fn told(message: &str) -> String {
    let mut line = String::new();
    let words = message.split_whitespace().flat_map(|word| [" ", word]);
    for c in words.skip(1).flat_map(str::chars).take(TOLD_CHARS) {
        match c {
            '"' | '\'' => line.push(c),
            c => line.extend(c.escape_debug()),
        }
    }
    line
}

/// A name from bytes that have not been validated yet, for an operator's
/// terminal: bounded and without control characters.
pub(crate) fn shown(name: &str) -> String {
    name.chars()
        .take(SHOWN_CHARS)
        .flat_map(char::escape_debug)
        .collect()
}
