//! The custom sections at a component's outermost level: what others wrote into
//! it that is no part of what it does.

use std::ops::Range;

use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::BinaryReader;

use crate::inspect::{other_file, told};

/// How every component of the version we know begins.
const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";

/// The id of a custom section, in components as in modules.
const CUSTOM: u8 = 0;

/// A custom section. Its name and data are untrusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section<'a> {
    /// Any text.
    pub(crate) name: &'a str,
    /// Any bytes.
    pub(crate) data: &'a [u8],
    /// Where the whole of it is in the component, header included.
    pub(crate) range: Range<usize>,
}

/// Why bytes have no sections.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a WebAssembly component: {0}")]
pub struct NoSections(String);

/// Every custom section, in order. Other sections are stepped over by their
/// length, so what lies in nested modules and components is not found; and the
/// last one ends where the bytes end.
pub(crate) fn custom(bytes: &[u8]) -> Result<Vec<Section<'_>>, NoSections> {
    let Some(body) = bytes.strip_prefix(PREAMBLE) else {
        let what = other_file(bytes).unwrap_or("it begins in another way");
        return Err(NoSections(what.to_owned()));
    };
    let mut reader = BinaryReader::new(body, PREAMBLE.len() as u64);
    let mut sections = Vec::new();
    while !reader.eof() {
        let section = read(&mut reader).map_err(|error| NoSections(told(error.message())))?;
        sections.extend(section);
    }
    Ok(sections)
}

/// The next section, if it is a custom one.
fn read<'a>(reader: &mut BinaryReader<'a>) -> wasmparser::Result<Option<Section<'a>>> {
    let start = PREAMBLE.len() + reader.current_position();
    let id = reader.read_u8()?;
    let size = reader.read_var_u32()? as usize;
    let body = reader.read_bytes(size)?;
    if id != CUSTOM {
        return Ok(None);
    }
    let mut inside = BinaryReader::new(body, 0);
    let name = inside.read_string()?;
    let data = inside.read_bytes(inside.bytes_remaining())?;
    Ok(Some(Section {
        name,
        data,
        range: start..PREAMBLE.len() + reader.current_position(),
    }))
}

/// Appends a custom section, at the outermost level.
pub(crate) fn append(bytes: &mut Vec<u8>, name: &str, data: &[u8]) {
    let section = CustomSection {
        name: name.into(),
        data: data.into(),
    };
    section.append_to_component(bytes);
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A component with a module, a component and custom sections of its own and
    /// of theirs.
    pub(crate) fn nested() -> Vec<u8> {
        wat::parse_str(
            r#"(component
                (@custom "mine" "first")
                (core module (@custom "theirs" "of a module"))
                (component (@custom "theirs" "of a component"))
                (@custom "mine" "last"))"#,
        )
        .unwrap()
    }

    #[test]
    fn only_what_lies_outermost_is_found() {
        let bytes = nested();
        let sections = custom(&bytes).unwrap();
        let found: Vec<_> = sections.iter().map(|one| (one.name, one.data)).collect();
        assert_eq!(
            found,
            [("mine", &b"first"[..]), ("mine", &b"last"[..])],
            "{sections:?}"
        );
    }

    #[test]
    fn what_is_appended_is_found_and_leaves_the_component_as_it_was() {
        for size in [0, 1, 127, 128, 16_383, 16_384, 70_000] {
            let before = nested();
            let mut after = before.clone();
            let data = vec![7; size];
            append(&mut after, "x", &data);
            let sections = custom(&after).unwrap();
            let last = sections.last().unwrap();
            assert_eq!((last.name, last.data), ("x", &data[..]));
            assert_eq!(last.range, before.len()..after.len());
            assert!(wasmparser::Validator::new().validate_all(&after).is_ok());
        }
    }

    #[test]
    fn what_is_no_component_has_no_sections() {
        let component = nested();
        let module = wat::parse_str("(module)").unwrap();
        let tail = [component.as_slice(), b"tail"].concat();
        let cut = &component[..component.len() - 1];
        for bytes in [&b""[..], b"hello", &module, &tail, cut] {
            assert!(custom(bytes).is_err(), "{bytes:?}");
        }
    }
}
